/**
 * Loads all rows of a task by split. Rows of test occur only in `test`.
 * @module
 */

import type { TaskConfig } from "@/config/config.ts";
import { carveRows } from "@/data/carve.ts";
import { isDataPath } from "@/data/file_source.ts";
import { InvalidRowsError, readSourcedRows, type SourcedRow } from "@/data/read_rows.ts";
import { findOverlap, isTaggedRow, type Row, textOfRow } from "@/data/rows.ts";
import { type DataSource, findRequiredFiles } from "@/data/source.ts";
import { shuffle, stream } from "@/random.ts";
import { didYouMean } from "@/suggest.ts";

/** Options of {@link loadTask}. */
type LoadOptions = {
  readonly source: DataSource;
  readonly seed: number;
  /** Number of rows carved from train for each of validation and test that the task does not have. */
  readonly validationRows: number;
  /** Maximum number of rows per split: a random sample of train, the first rows of the others; null for all. */
  readonly maxRows: number | null;
  /** Fraction of the training rows to keep, a random sample; default: 1. */
  readonly trainShare?: number;
};

/** The rows of a task. */
export type TaskData = {
  readonly task: TaskConfig;
  readonly train: readonly Row[];
  readonly validation: readonly Row[];
  readonly test: readonly Row[];
  /** Test rows of each data set of `task.alsoTest`. */
  readonly alsoTest: Readonly<Record<string, readonly Row[]>>;
  /** Indices of the rows whose text is also in train, by split (`validation`, `test`, a data set of `alsoTest`). */
  readonly overlap: Readonly<Record<string, readonly number[]>>;
  /** Remarks for readers of the scores, one sentence each. */
  readonly notes: readonly string[];
};

/** Reads, checks and splits the rows of a task. */
export async function loadTask(task: TaskConfig, options: LoadOptions): Promise<TaskData> {
  const { seed, maxRows } = options;
  checkOptions(task, options);
  const reader = createReader(task, options.source);
  const { train: given, validation: ownValidation, test: ownTest } = task.split.column === null
    ? await readNamedSplits(task, reader)
    : await readSplitColumn(task, reader, task.split.column);
  const notes = [...reader.notes];
  // names the random streams: of a path the task's name, so that a moved file is split as before
  const name = isDataPath(task.dataset) ? task.name : task.dataset;

  let train: readonly SourcedRow[] = given;
  const carve = (split: "validation" | "test"): readonly SourcedRow[] => {
    const { group, stratify } = task.split;
    const { kept, carved } = carveRows(train.length, {
      rows: options.validationRows,
      seed,
      split,
      name,
      classes: stratify ? train.map(({ row }) => classOfRow(row)) : null,
      groups: group === null ? null : train.map(({ extra }) => extra[0] ?? ""),
    });
    const how = [
      ...(stratify ? ["stratified by class"] : []),
      ...(group !== null ? [`grouped by "${group}"`] : []),
    ].join(" and ");
    notes.push(
      `${task.name}: ${carved.length} of ${train.length} training rows were carved off for ${split}` +
        (how === "" ? "" : `, ${how}`) +
        (carved.length < options.validationRows && group === null
          ? `, a fifth of train instead of the requested ${options.validationRows}`
          : ""),
    );
    const rows = carved.flatMap((index) => train[index] ?? []);
    train = kept.flatMap((index) => train[index] ?? []);
    return rows;
  };
  const allTest = ownTest ?? carve("test");
  const allValidation = ownValidation ?? carve("validation");
  notes.push(...describeDuplicates(task, train));

  const limited = maxRows === null || train.length <= maxRows
    ? train
    : shuffle(train, stream(seed, "maxRows", name)).slice(0, maxRows);
  const { trainShare = 1 } = options;
  const sampled = trainShare === 1
    ? limited
    : shuffle(limited, stream(seed, "trainShare", name)).slice(
      0,
      Math.ceil(trainShare * limited.length),
    );
  if (trainShare !== 1) {
    notes.push(
      `${task.name}: ${sampled.length} of ${limited.length} training rows are used (data.trainShare)`,
    );
  }
  const limit = (rows: readonly SourcedRow[]) =>
    (maxRows === null ? rows : rows.slice(0, maxRows)).map(({ row }) => row);
  if (maxRows !== null) notes.push(`${task.name}: every split is limited to ${maxRows} rows`);
  const trainRows = sampled.map(({ row }) => row);
  const validation = limit(allValidation);
  const test = limit(allTest);
  const alsoTest: Record<string, Row[]> = {};
  for (const dataset of task.alsoTest) {
    alsoTest[dataset] = limit(await reader.read(dataset, "test", "alsoTest"));
  }

  const overlap: Record<string, number[]> = {};
  for (const [split, rows] of Object.entries({ validation, test, ...alsoTest })) {
    const found = findOverlap(rows, trainRows);
    overlap[split] = found;
    if (found.length > 0) {
      notes.push(
        `${task.name}: ${found.length} of ${rows.length} ${split} rows have a text that is also in train; they are kept`,
      );
    }
  }
  return { task, train: trainRows, validation, test, alsoTest, overlap, notes };
}

function checkOptions(task: TaskConfig, { maxRows }: LoadOptions): void {
  if (maxRows !== null && (!Number.isInteger(maxRows) || maxRows < 1)) {
    throw new RangeError(
      `Cannot load "${task.name}": data.maxRows must be null or an integer above 0, but is ${maxRows}`,
    );
  }
  const { validation, test } = task.split;
  if (test === "train" || validation === "train") {
    throw new RangeError(
      `Cannot load "${task.name}": its split.validation and split.test must not be train, but split is ${
        JSON.stringify({ validation, test })
      }`,
    );
  }
}

/** Reads splits and collects remarks about their files. */
type Reader = {
  readonly notes: readonly string[];
  /** @param asked The setting that requires the split, for errors. */
  read(dataset: string, split: string, asked: string): Promise<readonly SourcedRow[]>;
};

function createReader(task: TaskConfig, source: DataSource): Reader {
  const notes: string[] = [];
  const { group, column } = task.split;
  const extra = [...(group === null ? [] : [group]), ...(column === null ? [] : [column])];
  return {
    notes,
    read: async (dataset, split, key) => {
      const files = await findRequiredFiles(source, {
        dataset,
        split,
        asked: `${key} of task "${task.name}"`,
        ...(key === "split.validation" && { advice: `${key}: null carves it from train` }),
      });
      const { rows, notes: own } = await readSourcedRows(files, task, {
        extra: key === "alsoTest" ? [] : extra,
        dropInvalid: task.dropInvalid,
      }).catch((error) => {
        if (!(error instanceof InvalidRowsError)) throw error;
        throw new RangeError(
          `${error.message}. Mend the file, or set dropInvalid of task "${task.name}" to leave invalid rows out`,
          { cause: error },
        );
      });
      notes.push(...own.map((note) => `${task.name}: ${note}`));
      return rows;
    },
  };
}

type GivenSplits = {
  readonly train: readonly SourcedRow[];
  /** Null for a split that is carved from train. */
  readonly validation: readonly SourcedRow[] | null;
  readonly test: readonly SourcedRow[] | null;
};

/** Splits that are files, or named by files and folders. A split that is also the test split is not used for validation. */
async function readNamedSplits(task: TaskConfig, { read }: Reader): Promise<GivenSplits> {
  const { validation, test } = task.split;
  const readSplit = (split: string, key: string) =>
    isDataPath(split) ? read(split, "train", key) : read(task.dataset, split, key);
  return {
    train: await read(task.dataset, "train", "dataset"),
    validation: validation === null || validation === test
      ? null
      : await readSplit(validation, "split.validation"),
    test: test === null ? null : await readSplit(test, "split.test"),
  };
}

/** Splits that a column names: rows of `split.validation` and `split.test`, and of `train`. */
async function readSplitColumn(
  task: TaskConfig,
  { read }: Reader,
  column: string,
): Promise<GivenSplits> {
  const { validation, test } = task.split;
  const rows = await read(task.dataset, "train", "dataset");
  const nameOf = ({ extra }: SourcedRow) => (extra.at(-1) ?? "").trim();
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(nameOf(row), (counts.get(nameOf(row)) ?? 0) + 1);
  const choose = (split: string, key: string) => {
    if (!counts.has(split)) {
      const found = [...counts].map(([name, count]) => `${name || "(empty)"} (${count} rows)`);
      throw new RangeError(
        `Cannot load "${task.name}": no row has "${split}" (${key}) in column "${column}"${
          didYouMean(split, [...counts.keys()])
        }; it has ${found.slice(0, 10).join(", ")}`,
      );
    }
    return rows.filter((row) => nameOf(row) === split);
  };
  return {
    train: choose("train", "train"),
    validation: validation === null ? null : choose(validation, "split.validation"),
    test: test === null ? null : choose(test, "split.test"),
  };
}

/** The class by which a carved split is stratified: the label, or the first entity's tag (0 is none). */
function classOfRow(row: Row): number {
  return isTaggedRow(row) ? row.tags.find((tag) => tag !== 0) ?? 0 : row.label;
}

/** Remarks about training rows with equal texts, and about equal texts with different labels. */
function describeDuplicates(task: TaskConfig, rows: readonly SourcedRow[]): string[] {
  const first = new Map<string, SourcedRow>();
  const conflicts: string[] = [];
  let duplicates = 0, contradictions = 0, empty = 0;
  const answer = (row: Row) => isTaggedRow(row) ? row.tags.join() : String(row.label);
  for (const each of rows) {
    const text = textOfRow(each.row);
    if (text.trim() === "") {
      empty++;
      continue;
    }
    const earlier = first.get(text);
    if (earlier === undefined) {
      first.set(text, each);
      continue;
    }
    duplicates++;
    if (answer(earlier.row) === answer(each.row)) continue;
    contradictions++;
    if (conflicts.length < 3) conflicts.push(`${each.place()} and ${earlier.place()}`);
  }
  const share = (count: number) => `${task.name}: ${count} of ${rows.length} training rows`;
  return [
    ...(empty > 0 ? [`${share(empty)} have an empty text`] : []),
    ...(duplicates > 0 ? [`${share(duplicates)} repeat the text of another; they are kept`] : []),
    ...(contradictions > 0
      ? [
        `${share(contradictions)} have the text of another row but a different label: ${
          conflicts.join("; ")
        }${contradictions > conflicts.length ? "; …" : ""}`,
      ]
      : []),
  ];
}
