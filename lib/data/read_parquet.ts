/**
 * Columns of parquet files, as JavaScript values, with errors that name the file and what is in it.
 * @module
 */

import { Buffer } from "node:buffer";
import pl from "nodejs-polars";
import { readBytes } from "@/files.ts";

/** What a column may hold, and what polars calls that. */
export const COLUMN_TYPES = {
  text: { says: "text", pattern: /^(String|Utf8|Categorical)$/ },
  number: { says: "whole numbers", pattern: /^U?Int(8|16|32|64)$/ },
  real: { says: "numbers", pattern: /^Float(32|64)$/ },
  texts: { says: "lists of text", pattern: /^List\((String|Utf8|Categorical)\)$/ },
  numbers: { says: "lists of whole numbers", pattern: /^List\(U?Int(8|16|32|64)\)$/ },
} as const;
/** One of {@link COLUMN_TYPES}. */
export type ColumnType = keyof typeof COLUMN_TYPES;

/** A wanted column: its name in the file and what it must hold. */
export type ColumnRequest = { readonly name: string; readonly type: ColumnType };

/**
 * The values of the wanted columns, in the order asked. Values are not checked for null.
 *
 * The file is read whole and parsed from memory, so that a file that vanishes, a folder and damage
 * each give their own error.
 */
export async function readColumns(
  path: string,
  columns: readonly ColumnRequest[],
): Promise<readonly (readonly unknown[])[]> {
  const bytes = Buffer.from((await readBytes(path, "parquet file")).buffer);
  const parse = (options: { nRows?: number; columns?: string[] }) => {
    try {
      return pl.readParquet(bytes, options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new SyntaxError(`Cannot read ${path} as it must be a whole parquet file: ${reason}`);
    }
  };

  const head = parse({ nRows: 0 });
  for (const { name, type } of columns) {
    if (!head.columns.includes(name)) {
      throw new RangeError(
        `Cannot read ${path} as it must have a column "${name}": it has ${
          head.columns.map((column) => `"${column}"`).join(", ")
        }`,
      );
    }
    const found = nameType(head.getColumn(name).dtype.toString());
    const { says, pattern } = COLUMN_TYPES[type];
    if (!pattern.test(found)) {
      throw new TypeError(
        `Cannot read ${path} as column "${name}" must hold ${says}: its type is ${found}`,
      );
    }
  }
  const frame = parse({ columns: columns.map(({ name }) => name) });
  return columns.map(({ name }) => frame.getColumn(name).toArray());
}

/** `DataType(List(DataType(Int64)))` → `List(Int64)`. */
function nameType(dtype: string): string {
  return dtype.replaceAll(/DataType\((\w+)\)/g, "$1").replaceAll(/^DataType\((.*)\)$/g, "$1");
}
