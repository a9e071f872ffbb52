/**
 * Reads and checks the rows of a task from parquet files. Row numbers start at 0 in each file.
 * @module
 */

import type { TaskConfig } from "@/config/config.ts";
import { type ColumnRequest, readColumns } from "@/data/read_parquet.ts";
import type { Row, TaggedRow, TextRow } from "@/data/rows.ts";

/** The properties of a task that describe its rows. */
export type RowSchema = Pick<TaskConfig, "kind" | "columns" | "labels">;

/** Reads the rows of the files at `paths`, one file after another. At least one row is required. */
export async function readRows(paths: readonly string[], schema: RowSchema): Promise<Row[]> {
  const parts: Row[][] = [];
  for (const path of paths) parts.push(await readFile(path, schema));
  const rows = parts.flat();
  if (rows.length === 0) throw new RangeError(`Cannot use ${paths.join(", ")}: it has no rows`);
  return rows;
}

async function readFile(path: string, { columns, labels }: RowSchema): Promise<Row[]> {
  const [input, output]: readonly [ColumnRequest, ColumnRequest] = "text" in columns
    ? [{ name: columns.text, type: "text" }, { name: columns.label, type: "integer" }]
    : [{ name: columns.tokens, type: "texts" }, { name: columns.tags, type: "integers" }];
  const [inputs = [], outputs = []] = await readColumns(path, [input, output]);
  const check = "text" in columns ? checkTextRow : checkTaggedRow;
  return inputs.map((value, row) =>
    check(value, outputs[row], { path, row, input: input.name, output: output.name, labels })
  );
}

type Place = {
  readonly path: string;
  readonly row: number;
  /** Column of the text or the tokens. */
  readonly input: string;
  /** Column of the label or the tags. */
  readonly output: string;
  readonly labels: readonly string[];
};

function refuse({ path, row }: Place, problem: string): never {
  throw new RangeError(`Cannot use row ${row} of ${path} (counted from 0): ${problem}`);
}

/** The beginning of a value, for an error. */
function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  const text = JSON.stringify(value, (_, each) => typeof each === "bigint" ? String(each) : each);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function checkTextRow(text: unknown, label: unknown, place: Place): TextRow {
  if (typeof text !== "string") refuse(place, `"${place.input}" is ${show(text)}, not a string`);
  return { text, label: checkLabel(label, place, `"${place.output}"`) };
}

function checkLabel(value: unknown, place: Place, what: string): number {
  const { labels } = place;
  if (typeof value === "number" && labels[value] !== undefined) return value;
  const known = labels.length <= 20 ? ` (${labels.join(", ")})` : "";
  refuse(
    place,
    `${what} is ${show(value)}, but must be an integer from 0 to ${labels.length - 1}${known}`,
  );
}

function checkTaggedRow(tokens: unknown, tags: unknown, place: Place): TaggedRow {
  const { input, output } = place;
  if (!Array.isArray(tokens) || tokens.length === 0) {
    refuse(place, `"${input}" is ${show(tokens)}, but must contain words`);
  }
  if (!Array.isArray(tags) || tags.length !== tokens.length) {
    refuse(
      place,
      `"${output}" is ${
        show(tags)
      }, but must contain one tag for each of the ${tokens.length} words of "${input}"`,
    );
  }
  const words = tokens.map((token: unknown, index) =>
    typeof token === "string"
      ? token
      : refuse(place, `word ${index} of "${input}" is ${show(token)}, not a string`)
  );
  const numbers = tags.map((tag: unknown, index) =>
    checkLabel(tag, place, `tag ${index} of "${output}"`)
  );
  checkBio(numbers, place);
  return { tokens: words, tags: numbers };
}

/** Checks that every I-X follows B-X or I-X (IOB2), as in all of CoNLL-2003 and CoNLL++. */
function checkBio(tags: readonly number[], place: Place): void {
  let previous = "O";
  for (const [index, tag] of tags.entries()) {
    const name = place.labels[tag] ?? "O";
    if (name.startsWith("I-") && previous.slice(2) !== name.slice(2)) {
      refuse(
        place,
        `tag ${index} of "${place.output}" is ${name} after ${previous}, but must follow B-${
          name.slice(2)
        } or ${name}`,
      );
    }
    previous = name;
  }
}
