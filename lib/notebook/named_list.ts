/**
 * Lookups by name for notebooks. Each throws with the names that exist, so cells need no `?.` and no `??`.
 * @module
 */

import { Named } from "@/named.ts";

/** An array whose items also have names. */
export class NamedList<T> extends Array<T> {
  readonly #byName: Named<T>;

  /** `what` is the noun for one item in error messages, such as "run". */
  constructor(what: string, entries: Iterable<readonly [name: string, item: T]>) {
    super();
    this.#byName = new Named(what, entries);
    this.push(...this.#byName.values);
  }

  /** `map`, `filter` and the like return plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /**
   * The item with this name.
   *
   * @throws {RangeError} if there is none; the message lists the names that exist
   */
  get(name: string): T {
    return this.#byName.get(name);
  }
}

/**
 * The one row that has these values.
 *
 * @example
 * ```ts
 * import { pickRow } from "@/notebook/named_list.ts";
 * const rows = [{ pooling: "mean", norm: 2 }, { pooling: "max", norm: 3 }];
 * pickRow(rows, { pooling: "max" }).norm; // 3
 * ```
 *
 * @throws {RangeError} if no row or more than one row has them
 */
export function pickRow<T extends object>(rows: readonly T[], wanted: Partial<T>): T {
  const keys = Object.keys(wanted) as (keyof T & string)[];
  const found = rows.filter((row) => keys.every((key) => row[key] === wanted[key]));
  const [row] = found;
  if (row !== undefined && found.length === 1) return row;
  const describe = (values: Partial<T>) => keys.map((key) => `${key} ${values[key]}`).join(", ");
  throw new RangeError(
    `${found.length === 0 ? "No row has" : `${found.length} rows have`} ${describe(wanted)}; ` +
      `the rows have: ${rows.map(describe).join("; ") || "nothing, the table is empty"}`,
  );
}
