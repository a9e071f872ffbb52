/**
 * Values by name, whose accessor throws with the names that exist.
 * @module
 */
import { describeUnknown } from "@/suggest.ts";

/**
 * Values by name, in the order in which they were given.
 *
 * @example
 * ```ts
 * import { Named } from "@/named.ts";
 * const runs = new Named("run", { mean: 0.91, max: 0.9 });
 * runs.get("mean"); // 0.91
 * runs.names; // ["mean", "max"]
 * // runs.get("mena") throws "there is no run mena (did you mean mean?)"
 * ```
 */
export class Named<T> implements Iterable<[name: string, value: T]> {
  readonly #what: string;
  readonly #values: ReadonlyMap<string, T>;

  /** Collects the values; `what` is the noun for one of them in errors, such as "run". */
  constructor(
    what: string,
    values: Readonly<Record<string, T>> | Iterable<readonly [string, T]>,
  ) {
    this.#what = what;
    this.#values = new Map(Symbol.iterator in values ? values : Object.entries(values));
  }

  /**
   * The value called `name`.
   *
   * @throws {RangeError} if there is none; the message lists the names that exist
   */
  get(name: string): T {
    if (!this.#values.has(name)) throw new RangeError(this.#describeMissing(name));
    return this.#values.get(name) as T;
  }

  #describeMissing(name: string): string {
    return this.#values.size === 0
      ? `there is no ${this.#what} ${name}: there are none`
      : describeUnknown(name, { what: this.#what, known: this.names });
  }

  /** True if there is a value called `name`. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** All names. */
  get names(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** All values. */
  get values(): readonly T[] {
    return [...this.#values.values()];
  }

  /** Number of values. */
  get size(): number {
    return this.#values.size;
  }

  /** Pairs of name and value. */
  [Symbol.iterator](): IterableIterator<[name: string, value: T]> {
    return this.#values.entries();
  }
}
