/**
 * Statistics of the columns of data files, by which a task's columns and kind are recognized.
 * @module
 */

import { placeOfRow, type Table } from "@/data/tables/table.ts";

/** Number of distinct values that are counted; a column with more has free values, not classes. */
const MAX_CLASSES = 10_000;

/** Statistics of one column. */
export type ColumnStatistics = {
  readonly name: string;
  /** Number of rows with a value: not null, not empty. */
  readonly filled: number;
  /** Places of the first rows without a value, at most three. */
  readonly missing: readonly string[];
  /** Type of all values; `mixed` if they differ. Integral floats are integers; texts of digits are numbers. */
  readonly type:
    | "text"
    | "integer"
    | "real"
    | "boolean"
    | "texts"
    | "integers"
    | "other"
    | "mixed"
    | "none";
  /** Values with their numbers of rows in order of occurrence, of lists their items, of character spans their labels; null beyond {@link MAX_CLASSES}. */
  readonly counts: ReadonlyMap<string, number> | null;
  /** Mean number of words of a text. */
  readonly meanWords: number;
  /** Class names that the file records. */
  readonly classNames: readonly string[] | null;
};

/** Statistics of a data set's columns. */
export type TableStatistics = {
  readonly rows: number;
  readonly columns: readonly ColumnStatistics[];
};

type Draft = {
  filled: number;
  readonly missing: string[];
  readonly types: Set<string>;
  counts: Map<string, number> | null;
  words: number;
  classNames: readonly string[] | null;
};

/** Reads tables row by row and computes the statistics of their columns. */
export async function computeColumnStatistics(tables: readonly Table[]): Promise<TableStatistics> {
  const drafts = new Map<string, Draft>();
  let rows = 0;
  for (const table of tables) {
    for (const name of table.columns) {
      const draft = drafts.get(name) ??
        { filled: 0, missing: [], types: new Set(), counts: new Map(), words: 0, classNames: null };
      draft.classNames ??= table.classNames[name] ?? null;
      drafts.set(name, draft);
    }
    for await (const group of table.rows()) {
      for (const { at, values } of group) {
        rows++;
        for (const [name, draft] of drafts) {
          addValue(draft, values[name], () => placeOfRow(table, at));
        }
      }
    }
  }
  return {
    rows,
    columns: [...drafts].map(([name, { types, words, filled, ...rest }]) => ({
      name,
      filled,
      type: joinTypes(types),
      meanWords: filled === 0 ? 0 : words / filled,
      ...rest,
    })),
  };
}

function addValue(draft: Draft, value: unknown, place: () => string): void {
  if (value === undefined || value === null || (typeof value === "string" && value.trim() === "")) {
    if (draft.missing.length < 3) draft.missing.push(place());
    return;
  }
  draft.filled++;
  if (typeof value === "string") draft.words += value.trim().split(/\s+/).length;
  draft.types.add(typeOf(value));
  if (draft.counts === null) return;
  for (const item of Array.isArray(value) ? value : [value]) {
    const key = labelOf(item);
    if (key === null) continue;
    draft.counts.set(key, (draft.counts.get(key) ?? 0) + 1);
  }
  if (draft.counts.size > MAX_CLASSES) draft.counts = null;
}

/** The text of a value by which it is counted, of a character span its label; null for other objects. */
function labelOf(item: unknown): string | null {
  if (typeof item === "string") return item.trim();
  if (typeof item !== "object" || item === null) return String(item);
  return "label" in item && typeof item.label === "string" ? item.label : null;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) {
    const types = new Set(value.map((item) => typeof item === "string" ? "text" : typeOf(item)));
    if (types.size === 0) return "empty";
    const [type] = types;
    return types.size === 1 && (type === "text" || type === "integer") ? `${type}s` : "other";
  }
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "real";
  if (typeof value !== "string") return "other";
  const number = value.trim();
  if (/^[-+]?\d+(\.0+)?$/.test(number)) return "integer";
  if (/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(number)) return "real";
  return "text";
}

function joinTypes(found: ReadonlySet<string>): ColumnStatistics["type"] {
  const types = new Set([...found].filter((type) => type !== "empty"));
  if (types.size === 0) return found.size > 0 ? "texts" : "none";
  const only = (...allowed: readonly string[]) =>
    [...types].every((type) => allowed.includes(type));
  for (const type of ["integer", "boolean", "texts", "integers", "other"] as const) {
    if (only(type)) return type;
  }
  if (only("integer", "real")) return "real";
  return only("text", "integer", "real") ? "text" : "mixed";
}
