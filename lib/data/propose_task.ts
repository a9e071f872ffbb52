/**
 * Proposes a task for data files: kind, columns, labels and splits, recognized from names and contents.
 * @module
 */

import type { TaskColumns, TaskKind } from "@/config/config.ts";
import {
  type ColumnStatistics,
  computeColumnStatistics,
  type TableStatistics,
} from "@/data/column_statistics.ts";
import { SPAN_COLUMN } from "@/data/tables/span_records.ts";
import { openTable } from "@/data/tables/open_table.ts";
import { FORMATS } from "@/data/tables/table.ts";
import { didYouMean } from "@/suggest.ts";

/** A proposed task, and why. */
export type TaskProposal = {
  readonly kind: TaskKind;
  readonly columns: TaskColumns;
  /** Labels in the order that the model will use: of numbers ascending, else alphabetical; `O` first. */
  readonly labels: readonly string[];
  /** Number of rows by label, in the order of the labels; for tagging, of words. Null if the files do not tell. */
  readonly counts: readonly number[];
  /** Column that names each row's split, with the names of its values; null if there is none. */
  readonly splitColumn: SplitColumn | null;
  readonly statistics: TableStatistics;
  /** Remarks about the files. */
  readonly notes: readonly string[];
};

/** A column that names each row's split. */
type SplitColumn = {
  readonly column: string;
  readonly validation: string | null;
  readonly test: string | null;
};

/** What a user decided; other properties are recognized. */
export type Decisions = {
  readonly kind?: TaskKind | undefined;
  /** Column of the text, or of the words. */
  readonly input?: string | undefined;
  /** Column of the label, or of the tags. */
  readonly output?: string | undefined;
};

/** Usual names of columns, the most specific first. */
const INPUT_NAMES = [
  "text",
  "sentence",
  "content",
  "review",
  "document",
  "body",
  "message",
  "tweet",
  "comment",
  "question",
  "utterance",
  "headline",
  "title",
  "description",
  "input",
];
const OUTPUT_NAMES = [
  "label",
  "labels",
  "class",
  "category",
  "categories",
  "target",
  "topic",
  "sentiment",
  "intent",
  "emotion",
  "tag",
  "tags",
  "type",
  "score",
  "rating",
  "stars",
  "value",
  "y",
  "output",
];
const TOKEN_NAMES = ["tokens", "words", "token", "word", "sentence"];
const TAG_NAMES = ["ner_tags", "tags", "labels", "ner", "entities", "tag"];
const SPLIT_NAMES = ["split", "fold", "partition", "set", "subset"];
const SPLIT_VALUES = {
  validation: ["validation", "valid", "val", "dev"],
  test: ["test", "testing", "eval"],
};

/** Reads data files and proposes a task for their rows. */
export async function proposeTask(
  paths: readonly string[],
  decided: Decisions = {},
): Promise<TaskProposal> {
  const tables = [];
  for (const path of paths) tables.push(await openTable(path));
  const statistics = await computeColumnStatistics(tables);
  const where = paths.join(", ");
  if (statistics.rows === 0) throw new RangeError(`Cannot use ${where}: it has no rows`);
  const notes = [
    ...tables.map(({ path, format }) => `${path}: ${FORMATS[format].says}`),
    ...tables.flatMap(({ path, notes }) => notes.map((note) => `${path}: ${note}`)),
  ];
  const splitColumn = findSplitColumn(statistics, decided);
  const found = chooseColumns(statistics, decided, splitColumn?.column ?? null, where);
  return { ...found, ...findLabels(found, statistics, where), splitColumn, statistics, notes };
}

type Choice = Pick<TaskProposal, "kind" | "columns">;

function chooseColumns(
  statistics: TableStatistics,
  decided: Decisions,
  split: string | null,
  where: string,
): Choice {
  const columns = statistics.columns.filter(({ name, type }) => name !== split && type !== "none");
  const known = columns.map(({ name }) => name);
  for (const name of [decided.input, decided.output]) {
    if (name === undefined || known.includes(name)) continue;
    throw new RangeError(
      `Cannot use ${where}: it has no column "${name}"${didYouMean(name, known)}; it has ${
        known.map((each) => `"${each}"`).join(", ")
      }`,
    );
  }
  const tagging = decided.kind === undefined || decided.kind === "tagging"
    ? findTagging(columns, decided)
    : null;
  if (tagging !== null) return tagging;
  const texts = columns.filter(({ name, type, meanWords, counts }) =>
    name !== decided.output && type === "text" &&
    // a class repeats, a text does not
    (meanWords > 1.5 || counts === null || counts.size > statistics.rows / 2)
  );
  const input = decided.input ?? byName(texts, INPUT_NAMES) ??
    texts.reduce<ColumnStatistics | null>(
      (longest, each) => longest === null || each.meanWords > longest.meanWords ? each : longest,
      null,
    )?.name;
  if (input === undefined) {
    throw new RangeError(
      `Cannot use ${where}: none of its columns contains texts (${describeColumns(columns)})`,
    );
  }
  const outputs = columns.filter(({ name, type, counts }) =>
    name !== input && type !== "other" && type !== "mixed" &&
    (counts !== null && counts.size > 1) &&
    (type !== "text" || counts.size <= Math.max(2, statistics.rows / 2))
  );
  const output = decided.output ?? byName(outputs, OUTPUT_NAMES) ??
    outputs.toSorted((a, b) => (a.counts?.size ?? 0) - (b.counts?.size ?? 0))[0]?.name;
  if (output === undefined) {
    throw new RangeError(
      `Cannot use ${where}: none of its columns looks like a label beside the text "${input}" (${
        describeColumns(columns)
      }); a label has at least two different values`,
    );
  }
  return { kind: "classification", columns: { text: input, label: output } };
}

/** Words with tags, or a text with character spans. */
function findTagging(columns: readonly ColumnStatistics[], decided: Decisions): Choice | null {
  const spans = columns.find(({ name }) => name === SPAN_COLUMN);
  if (spans !== undefined && columns.some(({ name }) => name === "text")) {
    return { kind: "tagging", columns: { tokens: "text", tags: SPAN_COLUMN } };
  }
  const lists = columns.filter(({ type }) => type === "texts" || type === "integers");
  const isDecided = decided.kind === "tagging";
  const tags = decided.output ??
    byName(lists.filter(isTagColumn), TAG_NAMES) ?? lists.find(isTagColumn)?.name;
  const others = lists.filter(({ name, type }) => name !== tags && type === "texts");
  const tokens = decided.input ?? byName(others, TOKEN_NAMES) ??
    (isDecided ? others[0]?.name : undefined);
  if (tags === undefined || tokens === undefined) return null;
  return { kind: "tagging", columns: { tokens, tags } };
}

/** True for lists of tags: all texts are `O` or `X-TYPE`, or the file names such classes for integers. */
function isTagColumn({ type, counts, classNames }: ColumnStatistics): boolean {
  const names = classNames ?? (type === "texts" && counts !== null ? [...counts.keys()] : []);
  return names.length > 0 && names.every((name) => name === "O" || /^[BIESLU]-./.test(name));
}

/** The first of the usual names that a column has, in any case. */
function byName(
  columns: readonly ColumnStatistics[],
  names: readonly string[],
): string | undefined {
  for (const wanted of names) {
    const found = columns.find(({ name }) => name.toLowerCase() === wanted);
    if (found !== undefined) return found.name;
  }
  return undefined;
}

function describeColumns(columns: readonly ColumnStatistics[]): string {
  return columns.map(({ name, type, counts }) =>
    `"${name}": ${type}, ${counts === null ? `over ${10_000}` : counts.size} different values`
  ).join("; ");
}

function findSplitColumn({ columns }: TableStatistics, decided: Decisions): SplitColumn | null {
  for (const { name, counts } of columns) {
    if (!SPLIT_NAMES.includes(name.toLowerCase()) || name === decided.output) continue;
    if (counts === null || !counts.has("train")) continue;
    const values = [...counts.keys()];
    const find = (names: readonly string[]) =>
      values.find((value) => names.includes(value)) ?? null;
    const [validation, test] = [find(SPLIT_VALUES.validation), find(SPLIT_VALUES.test)];
    if (values.length === 1 + Number(validation !== null) + Number(test !== null)) {
      return { column: name, validation, test };
    }
  }
  return null;
}

function findLabels(
  { kind, columns }: Choice,
  statistics: TableStatistics,
  where: string,
): Pick<TaskProposal, "labels" | "counts"> {
  const output = "tokens" in columns ? columns.tags : columns.label;
  const column = statistics.columns.find(({ name }) => name === output);
  const counts = column?.counts ?? new Map<string, number>();
  if (kind === "tagging") return findTagLabels(column, where);
  if (column?.counts === null) {
    throw new RangeError(
      `Cannot use ${where}: "${output}" has over ${MAX_LABELS} different values, which is too many for classes`,
    );
  }
  const { classNames } = column ?? { classNames: null };
  if (classNames !== null && column?.type === "integer") {
    return {
      labels: classNames,
      counts: classNames.map((_, index) => counts.get(String(index)) ?? 0),
    };
  }
  const labels = sortLabels([...counts.keys()].map(normalizeNumber));
  const byLabel = new Map<string, number>();
  for (const [name, count] of counts) {
    byLabel.set(normalizeNumber(name), (byLabel.get(normalizeNumber(name)) ?? 0) + count);
  }
  return { labels, counts: labels.map((label) => byLabel.get(label) ?? 0) };
}

const MAX_LABELS = "10,000";

/** `2` for `2.0`; other texts unchanged. */
const normalizeNumber = (name: string) =>
  /^-?\d+\.0+$/.test(name) ? name.replace(/\.0+$/, "") : name;

/** Labels without duplicates: numbers ascending, else in alphabetical order of code units, which no locale changes. */
function sortLabels(names: readonly string[]): string[] {
  const unique = [...new Set(names)];
  return unique.every((name) => /^-?\d+$/.test(name))
    ? unique.sort((a, b) => Number(a) - Number(b))
    : unique.sort();
}

function findTagLabels(
  column: ColumnStatistics | undefined,
  where: string,
): Pick<TaskProposal, "labels" | "counts"> {
  const { classNames = null, counts = null, name = "", type } = column ?? {};
  if (name === SPAN_COLUMN && counts !== null) {
    const labels = tagLabels([...counts.keys()].map((label) => `B-${label}`));
    return { labels, counts: [] };
  }
  if (classNames !== null && classNames.every((tag) => /^(O$|[BI]-.)/.test(tag))) {
    return {
      labels: classNames,
      counts: classNames.map((_, index) => counts?.get(String(index)) ?? 0),
    };
  }
  const names = classNames ?? [...counts?.keys() ?? []];
  if (names.length === 0 || (classNames === null && type === "integers")) {
    throw new RangeError(
      `Cannot use ${where}: the tags in "${name}" are integers, and the file does not name them; write a configuration with the labels in their order`,
    );
  }
  return { labels: tagLabels(names), counts: [] };
}

/** The entity types of CoNLL-2003 in their usual order. */
const CONLL_TYPES = ["PER", "ORG", "LOC", "MISC"];

/**
 * All IOB2 labels for the entity types of tags in any scheme: `O`, then `B-` and `I-` of each type. Types are in alphabetical
 * order, those of CoNLL-2003 in the order of its usual copies.
 */
function tagLabels(names: readonly string[]): string[] {
  const found = [...new Set(names.filter((tag) => tag !== "O").map((tag) => tag.slice(2)))];
  const types = found.every((type) => CONLL_TYPES.includes(type))
    ? CONLL_TYPES.filter((type) => found.includes(type))
    : sortLabels(found);
  return ["O", ...types.flatMap((type) => [`B-${type}`, `I-${type}`])];
}
