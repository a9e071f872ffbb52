/**
 * Checks of values read from a run's files. Error messages contain the file and the key.
 * @module
 */

/** Location of a value: a file (and line) and a path of keys. */
export type Place = { readonly file: string; readonly key: string };

/** Checks a value and returns it with its type. */
export type Reader<T> = (value: unknown, place: Place) => T;

/** Location of `key` inside `place`. */
export function at({ file, key: parent }: Place, key: string | number): Place {
  return { file, key: parent === "" ? String(key) : `${parent}.${key}` };
}

/** Error for a value that is not as `wanted` describes. */
export function wrongShape({ file, key }: Place, wanted: string, value: unknown): SyntaxError {
  const what = key === "" ? file : `${key} of ${file}`;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const present = text === undefined
    ? "is missing"
    : `is ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
  return new SyntaxError(`Cannot read run: ${what} must be ${wanted}, but ${present}`);
}

/** Reads a finite number. */
export function readNumber(value: unknown, place: Place): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw wrongShape(place, "a number", value);
  }
  return value;
}

/** Reads a string. */
export function readString(value: unknown, place: Place): string {
  if (typeof value !== "string") throw wrongShape(place, "a string", value);
  return value;
}

/** Reads an object with arbitrary keys. */
export function readObject(value: unknown, place: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongShape(place, "an object", value);
  }
  return { ...value };
}

/** Reads an object whose values all have the same type. */
export function readRecord<T>(value: unknown, place: Place, read: Reader<T>): Record<string, T> {
  const entries = Object.entries(readObject(value, place));
  return Object.fromEntries(entries.map(([key, item]) => [key, read(item, at(place, key))]));
}

/** Reads a list whose items all have the same type. */
export function readList<T>(value: unknown, place: Place, read: Reader<T>): T[] {
  if (!Array.isArray(value)) throw wrongShape(place, "a list", value);
  return value.map((item: unknown, index) => read(item, at(place, index)));
}
