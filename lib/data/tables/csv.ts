/**
 * CSV and other separated values, parsed by csv-parse: quoting after RFC 4180, separators found from the content, with or
 * without a header.
 * @module
 */

import { Readable } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { parse as parseAtOnce } from "csv-parse/sync";
import { MAX_LINE, streamText } from "./text_stream.ts";
import type { Format, Table, TableRow } from "./table.ts";

/** Separators that are tried, in order of preference. */
const SEPARATORS = [",", "\t", ";", "|"] as const;
const SEPARATOR_NAMES: Readonly<Record<string, string>> = {
  ",": "comma",
  "\t": "tab",
  ";": "semicolon",
  "|": "vertical bar",
};

/** Characters at the start of a file that determine its separator, quoting and header. */
const SAMPLE_LENGTH = 2 ** 17;
/** Number of parsed rows that are passed on together. */
const GROUP = 1000;

/** Options of {@link openCsv}. */
type CsvOptions = {
  readonly format: Extract<Format, "csv" | "tsv">;
  /** Columns that are going to be read: if the first row has these names, it is a header. */
  readonly wanted?: readonly string[];
};

const PARSING = {
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_column_count: true, // checked below, with a better error
  skip_empty_lines: true,
  max_record_size: MAX_LINE,
};

/**
 * Opens a CSV file. A file without a header has columns named by position: `1`, `2` and so on. The first row is a header
 * if it has the wanted columns, or, if none are wanted, unless a field in it is empty, a number, longer than 60 characters
 * or occurs twice.
 */
export async function openCsv(path: string, { format, wanted }: CsvOptions): Promise<Table> {
  const sample = await readStart(path);
  if (sample.trim() === "") throw new RangeError(`Cannot read ${path}: the file is empty`);
  const { separator, quote, rows } = findSeparator(sample, format);
  const [first = []] = rows;
  const hasHeader = wanted === undefined || wanted.length === 0
    ? looksLikeHeader(first, rows.slice(1))
    : wanted.every((name) => first.includes(name)) ||
      !wanted.every((name) => /^[1-9]\d*$/.test(name) && Number(name) <= first.length);
  const twice = first.find((name, index) => first.indexOf(name) < index);
  if (hasHeader && twice !== undefined) {
    throw new RangeError(`Cannot read ${path}: two columns are named "${twice}"; rename one`);
  }
  const columns = hasHeader ? first : first.map((_, index) => String(index + 1));
  return {
    path,
    format,
    columns,
    unit: "line",
    classNames: {},
    notes: [
      ...(first.length > 1 && separator !== (format === "tsv" ? "\t" : ",")
        ? [`its separator is the ${SEPARATOR_NAMES[separator]}`]
        : []),
      ...(hasHeader ? [] : ["it has no header; columns are numbered from 1"]),
    ],
    rows: () => readCsv(path, { separator, quote, columns, hasHeader }),
  };
}

async function readStart(path: string): Promise<string> {
  let sample = "";
  for await (const part of streamText(path)) {
    sample += part;
    if (sample.length >= SAMPLE_LENGTH) break;
  }
  return sample;
}

type Shape = { readonly separator: string; readonly quote: '"' | null; readonly rows: string[][] };

/** The separator by which most rows of the sample have as many fields as the first, at least two if possible. */
function findSeparator(sample: string, format: "csv" | "tsv"): Shape {
  const order = format === "tsv" ? ["\t"] : SEPARATORS;
  const shapes = order.map((separator): Shape & { readonly score: number } => {
    // in tab-separated files a quotation mark is often a character like others
    const isQuoted = separator !== "\t" ||
      /(^|\t|\n)"[^"\n]*("")*[^"\n]*"(\t|\r?\n|$)/.test(sample);
    const quote = isQuoted ? '"' : null;
    const rows = parseStart(sample, separator, quote);
    const [first = []] = rows;
    const equal = rows.filter((row) => row.length === first.length).length /
      Math.max(1, rows.length);
    return { separator, quote, rows, score: first.length < 2 ? 0 : equal };
  });
  return shapes.reduce((best, shape) => shape.score > best.score ? shape : best);
}

/** Rows of the start of a file; its last row, which may be cut, is left out if there are others. */
function parseStart(sample: string, delimiter: string, quote: '"' | null): string[][] {
  const isCut = sample.length >= SAMPLE_LENGTH;
  const parseText = (text: string): string[][] =>
    parseAtOnce(text, { ...PARSING, delimiter, quote, relax_quotes: true });
  try {
    const rows = parseText(sample);
    return isCut && rows.length > 1 ? rows.slice(0, -1) : rows;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // a quoted field that is cut, or never closed: what the lines before it say is enough here
    const opened = Number(/line (\d+)/.exec(error.message)?.[1] ?? 1);
    const before = sample.split(/\r\n|\n|\r/).slice(0, Math.max(1, opened - 1)).join("\n");
    return before === sample ? [] : parseText(before.replaceAll('"', quote === null ? '"' : ""));
  }
}

function looksLikeHeader(
  first: readonly string[],
  others: readonly (readonly string[])[],
): boolean {
  const odd = (name: string) =>
    name.trim() === "" || name.length > 60 || Number.isFinite(Number(name));
  if (first.some(odd) || new Set(first).size < first.length) return false;
  // a value of the first row that its column has again is data: a label in a file without header
  return !first.some((name, column) => others.slice(0, 200).some((row) => row[column] === name));
}

async function* readCsv(
  path: string,
  { separator, quote, columns, hasHeader }: {
    readonly separator: string;
    readonly quote: '"' | null;
    readonly columns: readonly string[];
    readonly hasHeader: boolean;
  },
): AsyncGenerator<readonly TableRow[]> {
  let lastLine = 0; // of the last row that was parsed, also if an error later in the file discards it
  const parser = parse({
    ...PARSING,
    delimiter: separator,
    quote,
    relax_quotes: true,
    on_record: (record: string[], { lines }) => {
      lastLine = lines;
      return [String(lines), ...record]; // the line where the row ends, before its fields
    },
  });
  const source = Readable.from(streamText(path));
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let group: TableRow[] = [];
  let isFirst = true;
  try {
    for await (const [lines, ...record] of parser as AsyncIterable<string[]>) {
      if (isFirst && hasHeader) {
        isFirst = false;
        continue;
      }
      isFirst = false;
      const at = Number(lines) - countLineEnds(record);
      if (record.length !== columns.length) {
        throw new RangeError(
          `Cannot read ${path}: line ${at} has ${record.length} ${
            record.length === 1 ? "field" : "fields"
          }, but the first line has ${columns.length}; a field that contains the separator must be in quotation marks`,
        );
      }
      const values = Object.fromEntries(columns.map((name, index) => [name, record[index]]));
      if (group.push({ at, values }) === GROUP) {
        yield group;
        group = [];
      }
    }
  } catch (error) {
    throw error instanceof CsvError ? explain(error, path, lastLine + 1) : error;
  } finally {
    source.destroy();
  }
  if (group.length > 0) yield group;
}

/** Line ends within the fields of a row. */
function countLineEnds(record: readonly string[]): number {
  return record.reduce((count, field) => count + (field.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
}

/** The error for a row that begins at `line`, the one after the last row that could be parsed. */
function explain(error: CsvError, path: string, line: number): Error {
  const problem: Readonly<Record<string, string>> = {
    CSV_QUOTE_NOT_CLOSED: `a quotation mark in the row that begins in line ${line} is never closed`,
    CSV_INVALID_CLOSING_QUOTE:
      `line ${line} has text after a closing quotation mark; write a quotation mark within a field twice`,
    CSV_MAX_RECORD_SIZE: `the row at line ${line} is longer than ${
      MAX_LINE / 2 ** 20
    } Mi characters; a quotation mark may be missing before it`,
  };
  return new SyntaxError(
    `Cannot read ${path}: ${problem[error.code] ?? `line ${line} is not valid CSV`}`,
    { cause: error },
  );
}
