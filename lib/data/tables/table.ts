/**
 * Data files as tables: the formats, and the interface that all readers of a format implement. A table is read in parts,
 * so that a file of text may be larger than memory.
 * @module
 */

/** Units in which the place of a row is counted, as written in errors: `line 3 of a.csv`, `row 3 of a.parquet (counted from 0)`. */
type RowUnit = "line" | "row" | "record";

/** A row of a data file. */
export type TableRow = {
  /** Place in the file: the line where the row begins (from 1), or the number of the row or record (from 0). */
  readonly at: number;
  /**
   * Values by column. CSV and CoNLL have texts and lists of texts; JSON has any JSON value; parquet has texts, numbers,
   * lists of them and null. A column that a JSON record lacks has no value.
   */
  readonly values: Readonly<Record<string, unknown>>;
};

/** A data file opened for reading. */
export type Table = {
  readonly path: string;
  readonly format: Format;
  /** Names of the columns; of JSON, those of the first {@link HEAD_RECORDS} records. */
  readonly columns: readonly string[];
  readonly unit: RowUnit;
  /** Remarks about the form of the file, such as its separator. */
  readonly notes: readonly string[];
  /** Class names that the file itself records for columns of integers (metadata of Hugging Face's parquet files). */
  readonly classNames: Readonly<Record<string, readonly string[]>>;
  /** Reads all rows in parts. */
  rows(): AsyncIterable<readonly TableRow[]>;
};

/** Formats of data files by the extensions of their names. */
export const FORMATS = {
  parquet: { says: "Parquet", extensions: ["parquet"] },
  csv: { says: "CSV", extensions: ["csv"] },
  tsv: { says: "tab-separated values", extensions: ["tsv", "tab"] },
  jsonl: { says: "JSON Lines", extensions: ["jsonl", "ndjson"] },
  json: { says: "JSON", extensions: ["json"] },
  conll: {
    says: "CoNLL columns",
    extensions: ["conll", "conll03", "conllu", "bio", "iob", "iob2"],
  },
} as const;
/** One of {@link FORMATS}. */
export type Format = keyof typeof FORMATS;

/** Number of records that determine the columns of a JSON file. */
export const HEAD_RECORDS = 1000;

const BY_EXTENSION: ReadonlyMap<string, Format> = new Map(
  (Object.keys(FORMATS) as Format[]).flatMap((format) =>
    FORMATS[format].extensions.map((extension) => [extension, format] as const)
  ),
);

/** The format that the name of a file states; null if its extension is not one of {@link FORMATS}. */
export function formatOfName(path: string): Format | null {
  return BY_EXTENSION.get(/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? "") ?? null;
}

/** The extensions of all formats, for errors: `.parquet, .csv, …`. */
export function listExtensions(): string {
  return [...BY_EXTENSION.keys()].map((extension) => `.${extension}`).join(", ");
}

/** The place of a row, for errors. */
export function placeOfRow({ path, unit }: Pick<Table, "path" | "unit">, at: number): string {
  return unit === "line" ? `line ${at} of ${path}` : `${unit} ${at} of ${path} (counted from 0)`;
}
