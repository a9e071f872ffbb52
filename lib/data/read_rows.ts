/**
 * Reads and checks the rows of a task from data files of any format.
 * @module
 */

import type { TaskConfig } from "@/config/config.ts";
import type { Row } from "@/data/rows.ts";
import { type Span, SPAN_COLUMN } from "@/data/tables/span_records.ts";
import { openTable } from "@/data/tables/open_table.ts";
import type { ColumnRequest } from "@/data/tables/read_parquet.ts";
import { placeOfRow, type Table } from "@/data/tables/table.ts";
import { SchemeDetector, type TagScheme, toIob2 } from "@/data/tag_schemes.ts";
import { splitWords } from "@/split_words.ts";
import { didYouMean } from "@/suggest.ts";

/** The properties of a task that describe its rows. */
type RowSchema = Pick<TaskConfig, "kind" | "columns" | "labels">;

/** Options of {@link readSourcedRows}. */
type ReadRowsOptions = {
  /** Columns whose values are returned beside each row. */
  readonly extra?: readonly string[];
  /** Leaves invalid rows out, with a note, instead of throwing. */
  readonly dropInvalid?: boolean;
};

/** A row and its origin. */
export type SourcedRow = {
  readonly row: Row;
  /** Place of the row in its file, such as `line 3 of a.csv`. */
  readonly place: () => string;
  /** Values of the extra columns, as text; a missing value is "". */
  readonly extra: readonly string[];
};

/** Number of invalid rows that an error or a note names. */
const MAX_NAMED = 5;

/** Reads the rows of the files at `paths`, one file after another. At least one row is required. */
export async function readRows(paths: readonly string[], schema: RowSchema): Promise<Row[]> {
  return (await readSourcedRows(paths, schema)).rows.map(({ row }) => row);
}

/**
 * Reads the rows of the files at `paths` with their origins. Labels are given by name or by index. Tags in another scheme
 * are converted to IOB2, the first row that fits none is named.
 *
 * @throws {InvalidRowsError} If rows are invalid and are not dropped.
 */
export async function readSourcedRows(
  paths: readonly string[],
  schema: RowSchema,
  { extra = [], dropInvalid = false }: ReadRowsOptions = {},
): Promise<{ readonly rows: readonly SourcedRow[]; readonly notes: readonly string[] }> {
  const problems: string[] = [];
  let problemCount = 0;
  const notes: string[] = [];
  const detector = new SchemeDetector();
  const drafts: {
    readonly draft: Draft;
    readonly place: () => string;
    readonly extra: readonly string[];
  }[] = [];
  for (const path of paths) {
    const table = await openTable(path, {
      wanted: [...requestsOf(schema), ...extra.map(asRequest)],
    });
    requireColumns(table, [...requestsOf(schema).map(({ name }) => name), ...extra]);
    notes.push(...table.notes.map((note) => `${path}: ${note}`));
    const convert = createConverter(schema, table);
    for await (const group of table.rows()) {
      for (const { at, values } of group) {
        const place = () => placeOfRow(table, at);
        try {
          const draft = convert(values);
          if ("tags" in draft) detector.add(draft.tags);
          drafts.push({ draft, place, extra: extra.map((name) => showExtra(values[name])) });
        } catch (error) {
          if (!(error instanceof InvalidRowError)) throw error;
          problemCount++;
          if (problems.length >= MAX_NAMED) continue;
          const isFirst = problems.length === 0 || paths.length > 1;
          problems.push(`${isFirst ? place() : `${table.unit} ${at}`}: ${error.message}`);
        }
      }
    }
  }
  const more = problemCount > problems.length ? "; …" : "";
  if (problemCount > 0 && !dropInvalid) {
    const [first, ...others] = problems;
    throw new InvalidRowsError(
      `Cannot use ${first}` +
        (problemCount === 1
          ? ""
          : `; ${problemCount - 1} more ${problemCount === 2 ? "row is" : "rows are"} invalid: ${
            others.join("; ")
          }${more}`),
    );
  }
  if (problemCount > 0) {
    notes.push(
      `${problemCount} invalid ${problemCount === 1 ? "row was" : "rows were"} left out: ${
        problems.join("; ")
      }${more}`,
    );
  }
  if (drafts.length === 0) throw new RangeError(`Cannot use ${paths.join(", ")}: it has no rows`);
  const found = detector.result();
  if ("conflict" in found) {
    const { sequence, index, problem } = found.conflict;
    const place = drafts[sequence]?.place() ?? paths.join(", ");
    throw new RangeError(
      `Cannot use ${place}: tag ${index} is ${problem}; the tags fit none of IOB1, IOB2, IOBES and BILOU`,
    );
  }
  if (found.scheme !== "IOB2") {
    notes.push(`${paths.join(", ")}: ${found.scheme} tags were converted to IOB2`);
  }
  const split = drafts.filter(({ draft }) => "moved" in draft && draft.moved > 0);
  if (split.length > 0) {
    notes.push(
      `${split.length} of ${drafts.length} rows have entities that begin or end within a word; they were extended to whole words (first: ${
        split[0]?.place()
      })`,
    );
  }
  const finish = createFinisher(schema, found.scheme);
  return {
    rows: drafts.map(({ draft, place, extra }) => ({ row: finish(draft, place), place, extra })),
    notes,
  };
}

/** A row whose tags are still names in the scheme of its file. */
type Draft =
  | { readonly text: string; readonly label: number }
  | {
    readonly tokens: readonly string[];
    readonly tags: readonly string[];
    readonly moved: number;
  };

/** Thrown for data with rows that are invalid; the message names the first few. */
export class InvalidRowsError extends RangeError {
  override readonly name = "RangeError";
}

/** Thrown for a row that is invalid; the message is the end of a sentence about the row. */
class InvalidRowError extends RangeError {}

const asRequest = (name: string): ColumnRequest => ({ name, type: "label" });

/** The columns of a task and their types. */
function requestsOf({ columns }: RowSchema): readonly ColumnRequest[] {
  if ("tokens" in columns) {
    return [{ name: columns.tokens, type: "texts" }, { name: columns.tags, type: "labels" }];
  }
  return [{ name: columns.text, type: "text" }, { name: columns.label, type: "label" }];
}

function requireColumns({ path, columns }: Table, wanted: readonly string[]): void {
  for (const name of wanted) {
    if (columns.includes(name)) continue;
    const known = columns.map((column) => `"${column}"`).join(", ");
    throw new RangeError(
      `Cannot read ${path}: it has no column "${name}"${didYouMean(name, columns)}; it has ${
        known || "none"
      }`,
    );
  }
}

/** The beginning of a value, for an error. */
function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value === undefined) return "missing";
  if (value === "") return "empty";
  const text = JSON.stringify(value, (_, each) => typeof each === "bigint" ? String(each) : each);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function showExtra(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

/** Converts the values of a row. */
function createConverter(
  { columns, labels }: RowSchema,
  { classNames }: Pick<Table, "classNames">,
): (values: Readonly<Record<string, unknown>>) => Draft {
  if (!("tokens" in columns)) {
    const { text: input, label: output } = columns;
    const findLabel = createLabelFinder(labels, classNames[output]);
    return (values) => {
      const text = values[input];
      if (typeof text !== "string") {
        throw new InvalidRowError(`"${input}" is ${show(text)}, not a string`);
      }
      return { text, label: findLabel(values[output], `"${output}"`) };
    };
  }
  const { tokens: input, tags: output } = columns;
  const findName = createTagFinder(labels, classNames[output]);
  return (values) => {
    if (output === SPAN_COLUMN && typeof values[input] === "string") {
      return tagSpans(values[input], readSpanValues(values[output], output));
    }
    const tokens = splitList(values[input]);
    if (!Array.isArray(tokens) || tokens.length === 0) {
      throw new InvalidRowError(`"${input}" is ${show(tokens)}, but must contain words`);
    }
    const tags = splitList(values[output]);
    if (!Array.isArray(tags) || tags.length !== tokens.length) {
      throw new InvalidRowError(
        `"${output}" is ${
          show(tags)
        }, but must contain one tag for each of the ${tokens.length} words of "${input}"`,
      );
    }
    return {
      tokens: tokens.map((token: unknown, index) => {
        if (typeof token === "string") return token;
        throw new InvalidRowError(`word ${index} of "${input}" is ${show(token)}, not a string`);
      }),
      tags: tags.map((tag: unknown, index) => findName(tag, `tag ${index} of "${output}"`)),
      moved: 0,
    };
  };
}

/** Words or tags that a text holds, separated by white space; other values unchanged. */
function splitList(value: unknown): unknown {
  return typeof value === "string" ? value.split(/\s+/).filter((part) => part !== "") : value;
}

/** The integer that a value is: a number, also an integral float, a boolean or digits; else null. */
function toInteger(value: unknown): number | null {
  if (typeof value === "boolean") return Number(value);
  const number = typeof value === "string" && /^\s*-?\d+(\.0*)?\s*$/.test(value)
    ? Number(value)
    : value;
  return typeof number === "number" && Number.isInteger(number) ? number : null;
}

/** Returns the function that finds the index of a label given by name or index. */
function createLabelFinder(
  labels: readonly string[],
  classNames: readonly string[] | undefined,
): (value: unknown, what: string) => number {
  const indices = new Map(labels.map((label, index) => [label, index]));
  // integers are names if all labels are ("1" to "5"), or if the file says which class each is; else they are indices
  const areNumbers = labels.every((label) => toInteger(label) !== null);
  const ownNames = classNames?.every((name) => indices.has(name)) ? classNames : undefined;
  const known = labels.length <= 20 ? ` (${labels.join(", ")})` : "";
  return (value, what) => {
    const byName = typeof value === "string"
      ? indices.get(value) ?? indices.get(value.trim())
      : typeof value === "boolean"
      ? indices.get(String(value))
      : undefined;
    if (byName !== undefined) return byName;
    const integer = toInteger(value);
    const index = integer === null
      ? undefined
      : areNumbers
      ? indices.get(String(integer))
      : ownNames !== undefined
      ? indices.get(ownNames[integer] ?? "")
      : integer;
    if (index !== undefined && labels[index] !== undefined) return index;
    const isName = typeof value === "string" && integer === null && value.trim() !== "";
    throw new InvalidRowError(
      isName
        ? `${what} is ${show(value)}, but must be one of ${labels.slice(0, 20).join(", ")}${
          labels.length > 20 ? ", …" : ""
        }${didYouMean(value, labels)}`
        : areNumbers
        ? `${what} is ${show(value)}, but must be one of ${labels.slice(0, 20).join(", ")}`
        : `${what} is ${show(value)}, but must be an integer from 0 to ${
          labels.length - 1
        }${known}`,
    );
  };
}

/** Returns the function that finds the name of a tag given by name or index; names may be of any scheme. */
function createTagFinder(
  labels: readonly string[],
  classNames: readonly string[] | undefined,
): (value: unknown, what: string) => string {
  const types = new Set(labels.flatMap((label) => label === "O" ? [] : [label.slice(2)]));
  const isKnown = (name: string) => name === "O" || types.has(name.slice(2));
  const ownNames = classNames?.every(isKnown) ? classNames : labels;
  return (value, what) => {
    const integer = toInteger(value);
    const name = integer === null ? value : ownNames[integer];
    if (typeof name !== "string") {
      throw new InvalidRowError(
        `${what} is ${show(value)}, but must be an integer from 0 to ${ownNames.length - 1} (${
          ownNames.join(", ")
        })`,
      );
    }
    if (isKnown(name)) return name;
    throw new InvalidRowError(
      `${what} is ${show(name)}, but must be O or a tag of ${[...types].slice(0, 20).join(", ")}${
        didYouMean(name.slice(2), [...types])
      }`,
    );
  };
}

/** Returns the function that converts tags to IOB2 and to indices. */
function createFinisher(
  { labels }: RowSchema,
  scheme: TagScheme,
): (draft: Draft, place: () => string) => Row {
  const indices = new Map(labels.map((label, index) => [label, index]));
  return (draft, place) => {
    if (!("tags" in draft)) return draft;
    const { tokens, tags } = draft;
    const names = scheme === "IOB2" ? tags : toIob2(tags);
    return {
      tokens,
      tags: names.map((name) => {
        const index = indices.get(name);
        if (index !== undefined) return index;
        throw new RangeError(
          `Cannot use ${place()}: the tag ${name} is not one of the task's labels (${
            labels.join(", ")
          })`,
        );
      }),
    };
  };
}

function readSpanValues(value: unknown, name: string): readonly Span[] {
  if (value === undefined || value === null) {
    throw new InvalidRowError(`"${name}" is missing: the text is not annotated`);
  }
  if (!Array.isArray(value)) {
    throw new InvalidRowError(`"${name}" is ${show(value)}, but must be a list of spans`);
  }
  return value;
}

/** Words of a text and their IOB2 tags; entities that begin or end within a word are extended to it. */
function tagSpans(text: string, spans: readonly Span[]): Draft {
  const words = splitWords(text);
  if (words.length === 0) throw new InvalidRowError("its text has no words");
  const tags = words.map(() => "O");
  let moved = 0, previous: Span | null = null;
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const { start, end, label } = span;
    if (start < 0 || end > text.length || start >= end) {
      throw new InvalidRowError(
        `the span ${start} to ${end} (${label}) is not within its text of ${text.length} characters`,
      );
    }
    if (previous !== null && start < previous.end) {
      throw new InvalidRowError(
        `the spans ${previous.start} to ${previous.end} (${previous.label}) and ${start} to ${end} (${label}) overlap`,
      );
    }
    previous = span;
    const inside = [...words.keys()].filter((index) => {
      const word = words[index];
      return word !== undefined && word.start < end && word.end > start;
    });
    const [first] = inside;
    const last = inside.at(-1);
    if (first === undefined || last === undefined) continue; // white space alone
    const trimmed = text.slice(start, end);
    const from = start + trimmed.length - trimmed.trimStart().length;
    const to = end - (trimmed.length - trimmed.trimEnd().length);
    if (words[first]?.start !== from || words[last]?.end !== to) moved++;
    for (const index of inside) {
      if (tags[index] === "O") tags[index] = `${index === first ? "B" : "I"}-${label}`;
    }
  }
  return { tokens: words.map(({ word }) => word), tags, moved };
}
