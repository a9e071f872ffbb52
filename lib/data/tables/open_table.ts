/**
 * Opens a data file of any format as a table.
 * @module
 */

import { Buffer } from "node:buffer";
import { parquetMetadata } from "hyparquet";
import pl from "nodejs-polars";
import { assertNever } from "@/assert_never.ts";
import { isTag, openConll } from "./conll.ts";
import { openCsv } from "./csv.ts";
import { openJson, openJsonLines } from "./json.ts";
import { type ColumnRequest, readColumns } from "./read_parquet.ts";
import { streamFileLines } from "./text_stream.ts";
import { type Format, formatOfName, listExtensions, type Table, type TableRow } from "./table.ts";
import { isFile, readBytes } from "@/system/files.ts";

/** Options of {@link openTable}. */
type OpenTableOptions = {
  /** Format of the file; by default the one that its name states, or else its content shows. */
  readonly format?: Format;
  /** Columns that are going to be read; checked here in parquet files, where columns have types. */
  readonly wanted?: readonly ColumnRequest[];
};

/**
 * Opens a data file. Texts are decoded as in `plain_text.ts`; compressed files are not supported.
 *
 * @throws {RangeError} If the format is unknown or the file is empty or damaged.
 */
export async function openTable(path: string, options: OpenTableOptions = {}): Promise<Table> {
  const format = options.format ?? formatOfName(path) ?? await findFormat(path);
  const wanted = options.wanted ?? [];
  switch (format) {
    case "csv":
    case "tsv":
      return await openCsv(path, { format, wanted: wanted.map(({ name }) => name) });
    case "jsonl":
      return await openJsonLines(path);
    case "json":
      return await openJson(path);
    case "conll":
      return await openConll(path);
    case "parquet":
      return await openParquet(path, options.wanted);
    default:
      return assertNever(format, "format");
  }
}

/** Number of lines that show the format of a file whose name does not state it. */
const SHOWN_LINES = 50;

/** The format that the content of a file shows. */
async function findFormat(path: string): Promise<Format> {
  const start = await readStart(path);
  if (start === "PAR1") return "parquet";
  const lines: string[] = [];
  for await (const group of streamFileLines(path)) {
    lines.push(...group.filter((line) => line.trim() !== ""));
    if (lines.length >= SHOWN_LINES) break;
  }
  const [first = ""] = lines;
  if (lines.length === 0) throw new RangeError(`Cannot read ${path}: the file is empty`);
  if (/^\s*\{.*\}\s*$/.test(first) && lines.length > 1) return "jsonl";
  if (/^\s*[[{]/.test(first)) return "json";
  const words = lines.slice(0, SHOWN_LINES).filter((line) => !/^#|^-DOCSTART-/.test(line));
  const tagged = words.filter((line) => isTag(line.trimEnd().split(/[ \t]+/).at(-1) ?? ""));
  if (words.length > 0 && tagged.length === words.length) return "conll";
  if (lines.every((line) => line.includes("\t"))) return "tsv";
  if (lines.every((line) => /[,;|]/.test(line))) return "csv";
  throw new RangeError(
    `Cannot read ${path}: neither its name (${listExtensions()}) nor its content shows a known format`,
  );
}

/** The first four bytes of a file as characters; "" if it cannot be opened, which its reader reports. */
async function readStart(path: string): Promise<string> {
  if (!await isFile(path)) return "";
  using file = await Deno.open(path);
  const bytes = new Uint8Array(4);
  const count = await file.read(bytes) ?? 0;
  return String.fromCharCode(...bytes.subarray(0, count));
}

async function openParquet(path: string, wanted?: readonly ColumnRequest[]): Promise<Table> {
  const bytes = await readBytes(path, "parquet file");
  const known = wanted === undefined ? await describeParquet(path, bytes) : null;
  const requests = wanted ?? known?.requests ?? [];
  const values = await readColumns(path, requests);
  const height = values[0]?.length ?? 0;
  const rows = Array.from({ length: height }, (_, at): TableRow => ({
    at,
    values: Object.fromEntries(requests.map(({ name }, index) => [name, values[index]?.[at]])),
  }));
  return {
    path,
    format: "parquet",
    columns: requests.map(({ name }) => name),
    unit: "row",
    notes: known?.notes ?? [],
    classNames: readClassNames(bytes),
    rows: async function* () {
      yield rows;
    },
  };
}

/** All columns of a parquet file that a task can use. */
async function describeParquet(path: string, bytes: Uint8Array) {
  await readColumns(path, []); // a damaged file is reported as everywhere
  const head = pl.readParquet(Buffer.from(bytes), { nRows: 0 });
  const requests: ColumnRequest[] = [];
  const skipped: string[] = [];
  for (const name of head.columns) {
    const type = /\[(.*)\]\n\[/.exec(head.getColumn(name).alias("x").toString())?.[1] ?? "";
    if (/^(list|array)\[(str|cat|enum|[iu]\d)/.test(type)) requests.push({ name, type: "labels" });
    else if (/^(str|cat|enum)/.test(type)) requests.push({ name, type: "text" });
    else if (/^([iuf]\d|bool|decimal)/.test(type)) requests.push({ name, type: "label" });
    else skipped.push(`"${name}" (${type})`);
  }
  return {
    requests,
    notes: skipped.length === 0
      ? []
      : [`columns of other types are not used: ${skipped.join(", ")}`],
  };
}

type Feature = {
  readonly names?: unknown;
  readonly feature?: unknown;
};

/** Class names that `datasets` saves under the key `huggingface` of a parquet file's metadata, by column. */
function readClassNames(
  bytes: Uint8Array<ArrayBuffer>,
): Readonly<Record<string, readonly string[]>> {
  const { key_value_metadata: entries = [] } = parquetMetadata(bytes.buffer);
  const text = entries.find(({ key }) => key === "huggingface")?.value;
  if (text === undefined) return {};
  const names: Record<string, readonly string[]> = {};
  for (const [column, feature] of Object.entries(parseFeatures(text))) {
    let inner: unknown = feature;
    while (isObject(inner) && inner.names === undefined && inner.feature !== undefined) {
      inner = inner.feature;
    }
    const list = Array.isArray(inner) ? inner[0]?.names : isObject(inner) ? inner.names : undefined;
    if (Array.isArray(list) && list.every((each) => typeof each === "string")) names[column] = list;
  }
  return names;
}

function isObject(value: unknown): value is Feature {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseFeatures(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text)?.info?.features ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return {}; // foreign metadata under the same key
    throw error;
  }
}
