/**
 * CoNLL columns: one word per line with its annotations in columns, sentences separated by blank lines.
 *
 * Form: https://www.clips.uantwerpen.be/conll2003/ner/ and https://universaldependencies.org/format.html (comments).
 * @module
 */

import type { Table, TableRow } from "./table.ts";
import { streamFileLines } from "./text_stream.ts";

/** Matches a tag of any scheme: `O`, `B-PER`, `S-LOC`. */
const TAG = /^(?:O|[BIESLUM]-\S+)$/;
/** True for the tag of a word in any scheme. */
export const isTag = (field: string) => TAG.test(field);
/** Line that begins a document. */
const DOCUMENT = /^-DOCSTART-/;
/** Number of rows that are passed on together. */
const GROUP = 1000;

/**
 * Opens a CoNLL file. Columns: `tokens` (the first), `tags` (the last), `column 2` and so on between them, and `document`,
 * the number of the document (from 0), if the file has `-DOCSTART-` lines. Fields are separated by tabs if the first line
 * has one, else by white space. Lines that begin with `#` at the start of a sentence are comments unless they have the
 * fields of a word.
 */
export async function openConll(path: string): Promise<Table> {
  const form = await findForm(path);
  const middle = Array.from({ length: form.width - 2 }, (_, index) => `column ${index + 2}`);
  return {
    path,
    format: "conll",
    columns: ["tokens", ...middle, "tags", ...(form.hasDocuments ? ["document"] : [])],
    unit: "line",
    notes: [],
    classNames: {},
    rows: () => readSentences(path, form, middle),
  };
}

type Form = {
  /** Number of fields per word. */
  readonly width: number;
  readonly separator: RegExp;
  readonly hasDocuments: boolean;
};

const TABS = /\t/;
const SPACES = /[ \t]+/;

async function findForm(path: string): Promise<Form> {
  let hasDocuments = false,
    at = 0,
    first: { readonly fields: string[]; readonly separator: RegExp } | null = null;
  for await (const lines of streamFileLines(path)) {
    for (const line of lines) {
      at++;
      if (line.trim() === "") continue;
      if (DOCUMENT.test(line)) {
        hasDocuments = true;
        continue;
      }
      const separator = line.includes("\t") ? TABS : SPACES;
      const fields = line.trimEnd().split(separator);
      if (line.startsWith("#") && !TAG.test(fields.at(-1) ?? "")) continue;
      first = { fields, separator };
      break;
    }
    if (first !== null) break;
  }
  if (first === null) throw new RangeError(`Cannot read ${path}: it has no sentences`);
  if (first.fields.length < 2) {
    throw new RangeError(
      `Cannot read ${path}: line ${at} has one field, but each line must have a word and its tag, separated by a tab or spaces`,
    );
  }
  return { width: first.fields.length, separator: first.separator, hasDocuments };
}

async function* readSentences(
  path: string,
  { width, separator, hasDocuments }: Form,
  middle: readonly string[],
): AsyncGenerator<readonly TableRow[]> {
  const names = ["tokens", ...middle, "tags"];
  let at = 0, start = 0, document = -1;
  let columns: string[][] = [];
  let group: TableRow[] = [];
  const finish = () => {
    if (columns.length === 0) return;
    const values: Record<string, unknown> = Object.fromEntries(
      names.map((name, index) => [name, columns[index] ?? []]),
    );
    if (hasDocuments) values.document = Math.max(0, document);
    group.push({ at: start, values });
    columns = [];
  };
  for await (const lines of streamFileLines(path)) {
    for (const line of lines) {
      at++;
      if (line.trim() === "") {
        finish();
        continue;
      }
      if (DOCUMENT.test(line)) {
        finish();
        document++;
        continue;
      }
      const fields = line.trimEnd().split(separator);
      const isWord = fields.length === width && fields.every((field) => field !== "");
      if (columns.length === 0) {
        if (line.startsWith("#") && !(isWord && TAG.test(fields.at(-1) ?? ""))) continue;
        start = at;
        columns = names.map(() => []);
      }
      if (!isWord) {
        throw new RangeError(
          `Cannot read ${path}: line ${at} has ${fields.filter((field) => field !== "").length} ${
            fields.length === 1 ? "field" : "fields"
          }, but the first word has ${width}; sentences are separated by blank lines`,
        );
      }
      for (const [index, field] of fields.entries()) columns[index]?.push(field);
    }
    if (group.length >= GROUP) {
      yield group;
      group = [];
    }
  }
  finish();
  if (group.length > 0) yield group;
}
