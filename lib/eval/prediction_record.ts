/**
 * Predictions of a run for each row of a split. They are saved with the run, so that two runs can be compared
 * row by row later without model or data. A record holds label indices and no text of the data set.
 *
 * Files are JSON Lines: a header, then one line per row. A classification row is
 * `[gold, predicted, probability of the predicted class]`. A tagging row is `["gold tags", "predicted tags"]`,
 * or `["tags"]` if both are equal; tag n is written as the character with the code of `0` plus n:
 *
 *     {"task":"ag_news","split":"test","kind":"classification","labels":["World",…],"rows":7600}
 *     [2,2,0.9981]
 *
 *     {"task":"conll2003","split":"test","kind":"tagging","labels":["O","B-PER",…],"rows":3453}
 *     ["0050000100000"]
 *     ["10","30"]
 *
 * @module
 */

import { assertNever } from "@/assert_never.ts";
import { isTaggedRow, type Row } from "@/data/rows.ts";
import type { RowPredictions } from "@/eval/evaluate_rows.ts";
import { join } from "node:path";
import { isFolder, readText, writeFileAtomic } from "@/system/files.ts";

/** Task, split and labels that predictions belong to. */
type PredictionSubject = {
  readonly task: string;
  readonly split: string;
  /** Class names by class index, or BIO tags by tag index. */
  readonly labels: readonly string[];
};

/** Gold and predicted labels of every row of a split, in the order of the data set. */
export type PredictionRecord =
  & PredictionSubject
  & (
    | {
      readonly kind: "classification";
      readonly gold: readonly number[];
      readonly predicted: readonly number[];
      /** Probability of the predicted class, rounded to four decimals. */
      readonly probability: readonly number[];
    }
    | {
      readonly kind: "tagging";
      readonly gold: readonly (readonly number[])[];
      readonly predicted: readonly (readonly number[])[];
    }
  );

/** Combines predictions with the gold labels of their rows. */
export function recordPredictions(
  subject: PredictionSubject,
  rows: readonly Row[],
  predictions: RowPredictions,
): PredictionRecord {
  switch (predictions.kind) {
    case "classification": {
      const { kind, classes, probabilities } = predictions;
      return {
        ...subject,
        kind,
        gold: rows.map((row) => isTaggedRow(row) ? NaN : row.label),
        predicted: classes,
        probability: classes.map((label, row) => round(probabilities[row]?.[label] ?? NaN)),
      };
    }
    case "tagging":
      return {
        ...subject,
        kind: predictions.kind,
        gold: rows.map((row) => isTaggedRow(row) ? row.tags : []),
        predicted: predictions.tags,
      };
    default:
      return assertNever(predictions, "task kind");
  }
}

const round = (probability: number) => Number(probability.toFixed(4));

/** Character code of tag 0; other tags follow in order. */
const FIRST = "0".charCodeAt(0);

const writeTags = (tags: readonly number[]) =>
  tags.map((tag) => String.fromCharCode(FIRST + tag)).join("");
const readTags = (text: string) => Array.from(text, (_, i) => text.charCodeAt(i) - FIRST);

/** Formats a record as JSON Lines. */
export function formatPredictions(record: PredictionRecord): string {
  const { task, split, kind, labels } = record;
  const head = { task, split, kind, labels, rows: record.gold.length };
  const rows: readonly unknown[] = record.kind === "classification"
    ? record.gold.map((gold, row) => [gold, record.predicted[row], record.probability[row]])
    : record.gold.map((tags, row) => {
      const gold = writeTags(tags), predicted = writeTags(record.predicted[row] ?? []);
      return gold === predicted ? [gold] : [gold, predicted];
    });
  return [head, ...rows].map((line) => JSON.stringify(line) + "\n").join("");
}

/** Parses a record from JSON Lines. Error messages include `file`, the line number and the value. */
export function parsePredictions(text: string, file: string): PredictionRecord {
  const [first = "", ...lines] = text.split("\n");
  const { rows, ...head } = parseHead(first, file);
  if (lines.pop() !== "" || lines.length !== rows) {
    throw new SyntaxError(
      `Cannot read predictions: ${file} must have ${rows} rows after its header, but has ${lines.length}`,
    );
  }
  const count = head.labels.length;
  const isLabel = (value: unknown) =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value < count;
  const wrong = (index: number, wanted: string) =>
    new SyntaxError(
      `Cannot read predictions: line ${index + 2} of ${file} must be ${wanted}, but is ${
        lines[index]
      }`,
    );
  const { kind, ...subject } = head;
  if (kind === "classification") {
    const read = lines.map((line, index) => {
      const [gold, predicted, probability] = parseList(line);
      if (!isLabel(gold) || !isLabel(predicted) || typeof probability !== "number") {
        throw wrong(index, `[gold, predicted, probability] with labels below ${count}`);
      }
      return { gold: Number(gold), predicted: Number(predicted), probability };
    });
    return {
      ...subject,
      kind,
      gold: read.map(({ gold }) => gold),
      predicted: read.map(({ predicted }) => predicted),
      probability: read.map(({ probability }) => probability),
    };
  }
  const read = lines.map((line, index) => {
    const [gold, predicted = gold] = parseList(line);
    if (typeof gold !== "string" || typeof predicted !== "string") {
      throw wrong(index, "gold and predicted tags");
    }
    const tags = { gold: readTags(gold), predicted: readTags(predicted) };
    if (gold.length !== predicted.length || !Object.values(tags).flat().every(isLabel)) {
      throw wrong(index, `equally many gold and predicted tags, each below ${count}`);
    }
    return tags;
  });
  return {
    ...subject,
    kind,
    gold: read.map(({ gold }) => gold),
    predicted: read.map(({ predicted }) => predicted),
  };
}

function parseList(line: string): readonly unknown[] {
  const value = parseJson(line);
  return Array.isArray(value) ? value : [];
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function parseHead(line: string, file: string) {
  const value = parseJson(line);
  if (typeof value === "object" && value !== null) {
    const { task, split, kind, labels, rows }: Readonly<Record<string, unknown>> = { ...value };
    if (
      typeof task === "string" && typeof split === "string" && typeof rows === "number" &&
      (kind === "classification" || kind === "tagging") && Array.isArray(labels)
    ) return { task, split, kind, labels: labels.map(String), rows } as const;
  }
  throw new SyntaxError(
    `Cannot read predictions: line 1 of ${file} must have task, split, kind, labels and rows, but is ${
      line.slice(0, 60)
    }`,
  );
}

const FOLDER = "predictions";

/** Writes a record into the folder of a run. Returns the path relative to that folder. */
export async function writePredictions(run: string, record: PredictionRecord): Promise<string> {
  const name = [record.task, record.split].map(encodeURIComponent).join(".") + ".jsonl";
  await writeFileAtomic(join(run, FOLDER, name), formatPredictions(record));
  return join(FOLDER, name);
}

/** Reads all records of a run, sorted by file name; empty if the folder does not exist. */
export async function readPredictions(run: string): Promise<PredictionRecord[]> {
  const folder = join(run, FOLDER);
  if (!await isFolder(folder)) return [];
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const records: PredictionRecord[] = [];
  for (const name of names.filter((name) => /^[^.].*\.jsonl$/.test(name)).sort()) {
    const file = join(folder, name);
    records.push(parsePredictions(await readText(file, "predictions"), file));
  }
  return records;
}
