/**
 * Checks of values that were read from a run's files. An error names the file and the key.
 * @module
 */

/** Where a value stands: a file (and line) and the path of keys to it. */
export type Place = { readonly file: string; readonly key: string };

/** Takes a value found at a place and gives it back typed. */
export type Reader<T> = (value: unknown, place: Place) => T;

/** The place of `key` inside `place`. */
export function at({ file, key: parent }: Place, key: string | number): Place {
  return { file, key: parent === "" ? String(key) : `${parent}.${key}` };
}

/** The error for a value that is not what `wanted` says. */
export function wrongShape({ file, key }: Place, wanted: string, value: unknown): SyntaxError {
  const what = key === "" ? file : `${key} of ${file}`;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const present = text === undefined
    ? "it is missing"
    : `current value is ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
  return new SyntaxError(`Cannot read run as ${what} must be ${wanted}: ${present}`);
}

/** A finite number. */
export function readNumber(value: unknown, place: Place): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw wrongShape(place, "a number", value);
  }
  return value;
}

/** A text. */
export function readString(value: unknown, place: Place): string {
  if (typeof value !== "string") throw wrongShape(place, "a text", value);
  return value;
}

/** An object with any keys. */
export function readObject(value: unknown, place: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongShape(place, "an object", value);
  }
  return { ...value };
}

/** An object whose values are all alike. */
export function readRecord<T>(value: unknown, place: Place, read: Reader<T>): Record<string, T> {
  const entries = Object.entries(readObject(value, place));
  return Object.fromEntries(entries.map(([key, item]) => [key, read(item, at(place, key))]));
}

/** A list whose items are all alike. */
export function readList<T>(value: unknown, place: Place, read: Reader<T>): T[] {
  if (!Array.isArray(value)) throw wrongShape(place, "a list", value);
  return value.map((item: unknown, index) => read(item, at(place, index)));
}
