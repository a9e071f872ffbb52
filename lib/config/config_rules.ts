/**
 * Rules for untrusted values. A rule takes a value of any type and returns it typed, or throws an error that names the
 * key and the problem. A rule for objects lists the known keys.
 * @module
 */

import { didYouMean, suggest } from "@/suggest.ts";

/** Checks the value at `key` and returns it typed. */
export type Rule<T> = (value: unknown, key: string) => T;

/** The error for a value that violates its rule; `wanted` describes valid values. */
export function wrongValue(key: string, wanted: string, value: unknown): RangeError {
  const present = value === undefined ? "it is missing" : `current value is ${print(value)}`;
  return new RangeError(`config: ${key} must be ${wanted}: ${present}`);
}

/** The error for a value that is not one of `choices`. */
export function wrongChoice(key: string, choices: readonly string[], value: unknown): RangeError {
  const error = wrongValue(key, `one of ${choices.join(", ")}`, value);
  if (typeof value === "string") error.message += didYouMean(value, choices);
  return error;
}

/** The value as one line of JSON, shortened. */
function print(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** True for an object with keys, false for an array. */
export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The error for an unknown key.
 *
 * @param known Known keys at the same level.
 * @param path Path of the key that was probably meant, if it is at another level.
 */
export function unknownKey(
  key: string,
  known: readonly string[],
  path: string | null = null,
): RangeError {
  const parent = key.slice(0, key.lastIndexOf(".") + 1);
  const beside = suggest(key.slice(parent.length), known);
  const meant = path ?? (beside === null ? null : parent + beside);
  const name = JSON.stringify(key);
  return new RangeError(
    `config: unknown key ${name}` +
      (meant === null ? `: known keys are ${known.join(", ")}` : ` (did you mean ${meant}?)`),
  );
}

/** A nonempty string. */
export const text: Rule<string> = (value, key) => {
  if (typeof value !== "string" || value === "") throw wrongValue(key, "a nonempty string", value);
  return value;
};

/** A boolean. */
export const boolean: Rule<boolean> = (value, key) => {
  if (typeof value !== "boolean") throw wrongValue(key, "true or false", value);
  return value;
};

/** An integer from `least` to `most`. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Rule<number> {
  const range = most === Number.MAX_SAFE_INTEGER
    ? `an integer of at least ${least}`
    : `an integer from ${least} to ${most}`;
  return (value, key) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      throw wrongValue(key, range, value);
    }
    return value;
  };
}

/** A condition on a number and its description. */
export type Range = { readonly wanted: string; readonly holds: (value: number) => boolean };

/** A number above 0. */
export const POSITIVE: Range = { wanted: "a number above 0", holds: (value) => value > 0 };
/** A number of at least 0. */
export const NOT_NEGATIVE: Range = { wanted: "a number of at least 0", holds: (v) => v >= 0 };
/** A fraction in [0, 1). */
export const FRACTION: Range = {
  wanted: "a number from 0 to below 1",
  holds: (value) => value >= 0 && value < 1,
};
/** A factor in (0, 1]. */
export const FACTOR: Range = {
  wanted: "a number above 0 and at most 1",
  holds: (value) => value > 0 && value <= 1,
};

/** A finite number within a range. */
export function real({ wanted, holds }: Range): Rule<number> {
  return (value, key) => {
    if (typeof value !== "number" || !Number.isFinite(value) || !holds(value)) {
      throw wrongValue(key, wanted, value);
    }
    return value;
  };
}

/** One of the words in a table. */
export function oneOf<T extends string>(table: readonly T[]): Rule<T> {
  return (value, key) => {
    const found = table.find((word) => word === value);
    if (found === undefined) throw wrongChoice(key, table, value);
    return found;
  };
}

/** Null or a valid value of `rule`. */
export function nullable<T>(rule: Rule<T>): Rule<T | null> {
  return (value, key) => value === null ? null : rule(value, key);
}

/** An array of at least `least` items. */
export function list<T>(rule: Rule<T>, least = 0): Rule<readonly T[]> {
  return (value, key) => {
    if (!Array.isArray(value) || value.length < least) {
      throw wrongValue(
        key,
        least > 0 ? `a list of at least ${least} ${least === 1 ? "item" : "items"}` : "a list",
        value,
      );
    }
    return value.map((item: unknown, i) => rule(item, `${key}.${i}`));
  };
}

/** An object with exactly these keys; the rule of a missing key gets undefined. */
export function object<T extends object>(
  rules: { readonly [K in keyof T]-?: Rule<T[K]> },
): Rule<T> {
  const known = Object.keys(rules) as (keyof T & string)[];
  return (value, key) => {
    if (!isObject(value)) throw wrongValue(key || "it", "an object", value);
    const path = (name: string) => key === "" ? name : `${key}.${name}`;
    for (const name of Object.keys(value)) {
      if (!known.some((each) => each === name)) throw unknownKey(path(name), known);
    }
    return Object.fromEntries(
      known.map((name) => [name, rules[name](value[name], path(name))]),
    ) as T;
  };
}
