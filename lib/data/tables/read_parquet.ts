/**
 * Reads columns of parquet files as JavaScript values. Errors name file, column and type.
 * @module
 */

import { Buffer } from "node:buffer";
import pl, { type DataFrame, type Series } from "nodejs-polars";
import { readBytes } from "@/system/files.ts";
import { didYouMean } from "@/suggest.ts";

const INTEGER = "u?int(8|16|32|64|128)|float(16|32|64)|boolean|decimal\\[.*\\]";
const TEXT = "string|categorical|enum";
const listOf = (type: string) => `list\\[(${type})\\]|array\\[(${type}), \\d+\\]`;

/**
 * Column types: a description of the required content, how to store it otherwise, and the parquet types that are
 * accepted. Integers are accepted in every type that can hold them; the reader of the rows checks that they have no
 * fraction.
 */
export const COLUMN_TYPES = {
  text: { says: "text", store: "string", pattern: TEXT },
  integer: { says: "integers", store: "int64", pattern: INTEGER },
  real: { says: "numbers", store: "float64", pattern: INTEGER.replace("|boolean", "") },
  texts: { says: "lists of text", store: "list of string", pattern: listOf(TEXT) },
  label: {
    says: "integers or text",
    store: "int64 or string",
    pattern: `${INTEGER}|${TEXT}`,
  },
  labels: {
    says: "lists of integers or text",
    store: "list of int64 or of string",
    pattern: `${listOf(INTEGER)}|${listOf(TEXT)}`,
  },
  integers: { says: "lists of integers", store: "list of int64", pattern: listOf(INTEGER) },
} as const;
/** One of {@link COLUMN_TYPES}. */
export type ColumnType = keyof typeof COLUMN_TYPES;

/** A requested column: its name in the file and its type. */
export type ColumnRequest = { readonly name: string; readonly type: ColumnType };

/**
 * Reads the requested columns, in the order of the request. Numbers are numbers, except for integers beyond 2^53, which
 * are bigints; booleans are 0 and 1. Values are not checked for null and NaN.
 *
 * The file is read completely and parsed from memory, so that a missing file, a folder and a damaged file have
 * different errors.
 */
export async function readColumns(
  path: string,
  columns: readonly ColumnRequest[],
): Promise<readonly (readonly unknown[])[]> {
  const bytes = Buffer.from((await readBytes(path, "parquet file")).buffer);
  const parse = <T>(read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      throw new SyntaxError(`Cannot read ${path}: ${describeFault(bytes, cause)}`, { cause });
    }
  };

  const head = parse(() => pl.readParquet(bytes, { nRows: 0 }));
  const types = columns.map(({ name, type }) => {
    if (!head.columns.includes(name)) {
      const known = head.columns.map((column) => `"${column}"`).join(", ");
      throw new RangeError(
        `Cannot read ${path}: it has no column "${name}"${didYouMean(name, head.columns)}; it has ${
          known || "none"
        }`,
      );
    }
    const found = nameType(head.getColumn(name));
    const { says, pattern } = COLUMN_TYPES[type];
    if (new RegExp(`^(${pattern})$`).test(found)) return found;
    const sample = parse(() => findText(pl.readParquet(bytes, { columns: [name] }), name, found));
    throw new TypeError(
      `Cannot read ${path}: column "${name}" has type ${found}${sample}, but must contain ` +
        `${says}. ${advise(found, type)}`,
    );
  });
  const frame = parse(() => pl.readParquet(bytes, { columns: columns.map(({ name }) => name) }));
  return columns.map(({ name }, index) =>
    parse(() => {
      const values = readValues(frame.getColumn(name), types[index] ?? "");
      if (values.length !== frame.height) throw new RangeError("columns differ in length");
      return values;
    })
  );
}

/** Explains why polars cannot read the bytes of a file, with the help of its error. */
function describeFault(bytes: Uint8Array, cause: unknown): string {
  const text = (part: Uint8Array) => String.fromCharCode(...part);
  const [start, end] = [text(bytes.subarray(0, 4)), text(bytes.subarray(-4))];
  if (bytes.length === 0) return "the file is empty";
  if (start === "PARE" || end === "PARE") {
    return "the parquet file is encrypted; store it without encryption";
  }
  if (start !== "PAR1") {
    return `it is not a parquet file: its first bytes are ${
      JSON.stringify(start)
    } instead of "PAR1"`;
  }
  if (cause instanceof Error && /String data contain/.test(cause.message)) {
    return "a text in it is not UTF-8; write the file again with decoded texts";
  }
  const said = cause instanceof Error ? cause.message : "";
  const twice = /^duplicate: column with name '(.*)' has more than one occurrence/s.exec(said)?.[1];
  if (twice !== undefined) return `two columns are named "${twice}"; rename one`;
  const extension = /Extension\(ExtensionType \{ name: "([^"]+)"/.exec(said)?.[1];
  if (extension !== undefined) {
    return `a column has the unsupported extension type ${extension}; store it as a plain type, such as string`;
  }
  if (/^precision must be between/.test(said)) {
    return "a column has a decimal type of more than 38 digits; store it as int64 or float64";
  }
  return end === "PAR1" && bytes.length > 12
    ? "the parquet file is damaged or of an unsupported kind; write it again"
    : "the parquet file is truncated";
}

/** The type of a column, such as `int64` or `list[string]`. */
function nameType(column: Series): string {
  const short = /\[(.*)\]\n\[/.exec(column.alias("x").toString())?.[1] ?? "";
  const words: Readonly<Record<string, string>> = {
    i: "int",
    u: "uint",
    f: "float",
    str: "string",
    cat: "categorical",
    bool: "boolean",
  };
  return short.replaceAll(
    /\b(?:([iuf])(?=\d+\b)|(str|cat|bool)\b)/g,
    (_, letter, word) => words[letter ?? word] ?? "",
  );
}

/** ` ("World" in row 0)`: the first value of a text column; empty for other types. */
function findText(frame: DataFrame, name: string, type: string): string {
  if (!new RegExp(`^(${TEXT}|${listOf(TEXT)})$`).test(type)) return "";
  const values = readValues(frame.getColumn(name), type);
  for (const [row, value] of values.entries()) {
    const text: unknown = Array.isArray(value) ? value.find((each) => each !== null) : value;
    if (typeof text === "string") return ` (${JSON.stringify(text.slice(0, 40))} in row ${row})`;
  }
  return "";
}

/** Suggests how to fix a column of the type `found`. */
function advise(found: string, wanted: ColumnType): string {
  const { store } = COLUMN_TYPES[wanted];
  if (found.includes("struct")) {
    return `Store the required field in a separate column, as ${store}`;
  }
  if (/^(list|array)\[/.test(found) && !store.startsWith("list")) {
    return `Store one value per row, as ${store}`;
  }
  if (/string|categorical|enum/.test(found) && /^integer/.test(wanted)) {
    return `Store the index of each label in the task's "labels", from 0, as ${store}`;
  }
  return `Store it as ${store}`;
}

/** The values of a column of an accepted type. */
function readValues(column: Series, type: string): readonly unknown[] {
  const isList = /^(list|array)\[/.test(type);
  const cast = (target: pl.DataType) => column.cast(isList ? pl.List(target) : target).toArray();
  if (/enum/.test(type)) return cast(pl.String);
  if (/decimal/.test(type)) return cast(pl.Float64);
  const values: readonly unknown[] = column.toArray();
  if (!/int(64|128)|boolean/.test(type)) return values;
  let exact: readonly unknown[] | null = null; // values as text, computed only if a number exceeds 2^53
  const convert = (value: unknown, find: (values: readonly unknown[]) => unknown): unknown => {
    if (typeof value === "boolean") return Number(value);
    if (typeof value !== "number" && typeof value !== "bigint") return value;
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    exact ??= cast(pl.String);
    return BigInt(String(find(exact)));
  };
  return values.map((value, row) =>
    Array.isArray(value)
      ? value.map((each: unknown, index) =>
        convert(each, (texts) => {
          const list = texts[row];
          return Array.isArray(list) ? list[index] : null;
        })
      )
      : convert(value, (texts) => texts[row])
  );
}
