/**
 * Validation of values from outside: configurations, run files, declarations of experiments, requests. Schemas are Zod's.
 * This module states what is wrong with a value in one sentence, which it derives from the schema.
 * @module
 */
import * as z from "zod";
import { didYouMean, suggest } from "@/suggest.ts";

/** A nonempty string. */
export const text = z.string().min(1);

/** An integer from `least` to `most`. */
export const integer = (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  z.int().min(least).max(most);

/** True for an object with keys, false for an array. */
export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Where the value comes from, in errors. */
export type Origin = {
  /** Beginning of the error, such as `config: `. */
  readonly where: string;
  /** Name of the whole value, for errors that concern no single key. */
  readonly root?: string;
};

/**
 * The value with the type of its schema.
 *
 * @throws {RangeError} with one sentence: the key, the valid values and the present value
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown, origin: Origin): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  // an unknown key is often the misspelled name of one that is missing
  const unknown = error.issues.find(({ code }) => code === "unrecognized_keys");
  const issue = unknown ?? error.issues[0];
  if (issue === undefined) throw new Error("internal: a value is invalid without an issue");
  throw explain(issue, { schema, value, origin });
}

/** The error for a value that is not as `wanted` describes; `name` begins the sentence. */
export function wrongValue(name: string, wanted: string, value: unknown): RangeError {
  const present = value === undefined ? "it is missing" : `current value is ${print(value)}`;
  return new RangeError(`${name} must be ${wanted}: ${present}`);
}

/** The error for a value that is not one of `choices`. */
export function wrongChoice(name: string, choices: readonly string[], value: unknown): RangeError {
  const error = wrongValue(name, `one of ${choices.join(", ")}`, value);
  if (typeof value === "string") error.message += didYouMean(shorten(value), choices);
  return error;
}

/**
 * The error for an unknown key.
 *
 * @param options.known Known keys at the same level.
 * @param options.meant Path of the key that was probably meant, if it is at another level.
 */
export function unknownKey(
  key: string,
  { where, known, meant = null }: {
    readonly where: string;
    readonly known: readonly string[];
    readonly meant?: string | null;
  },
): RangeError {
  const parent = key.slice(0, key.lastIndexOf(".") + 1);
  const beside = suggest(shorten(key.slice(parent.length)), known);
  const path = meant ?? (beside === null ? null : parent + beside);
  return new RangeError(
    `${where}unknown key ${JSON.stringify(shorten(key))}` +
      (path === null ? `: known keys are ${known.join(", ")}` : ` (did you mean ${path}?)`),
  );
}

/** The value as one line of JSON, shortened. */
const print = (value: unknown) => shorten(JSON.stringify(value) ?? String(value));

/** Long words are neither quoted nor compared whole. */
const shorten = (text: string) => text.length > 80 ? `${text.slice(0, 77)}...` : text;

/** The part of JSON Schema (draft 2020-12) that this module reads. */
type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * The JSON Schema of values that a schema accepts. A `title` says what a value is if its pattern does not. Conditions that
 * JSON Schema cannot express are left out.
 */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // Zod's limits of every integer
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
}

function explain(
  issue: z.core.$ZodIssue,
  { schema, value, origin }: {
    readonly schema: z.ZodType;
    readonly value: unknown;
    readonly origin: Origin;
  },
): RangeError {
  const { where, root = "it" } = origin;
  const path = issue.path.map(String);
  const node = nodeAt(toJsonSchema(schema), path, value);
  if (issue.code === "unrecognized_keys") {
    const key = [...path, ...issue.keys.slice(0, 1)].join(".");
    return unknownKey(key, { where, known: choicesBelow(node) });
  }
  const name = where + (path.length === 0 ? root : path.join("."));
  const present = path.reduce(valueBelow, value);
  if (issue.code === "custom") return wrongValue(name, issue.message, present);
  const wanted = describe(node);
  // a long value is better described by its length
  if (issue.code === "too_big" && (typeof present === "string" || Array.isArray(present))) {
    const unit = typeof present === "string" ? "characters" : "items";
    return new RangeError(`${name} must be ${wanted}: it has ${present.length} ${unit}`);
  }
  const error = wrongValue(name, wanted, present);
  if (typeof present === "string") error.message += didYouMean(shorten(present), wordsOf(node));
  return error;
}

function valueBelow(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Alternatives of a schema; of objects with a discriminator those that fit `value`, or all if none fits. */
function alternatives({ anyOf, oneOf, ...node }: JsonSchema, value?: unknown): JsonSchema[] {
  const options = (anyOf ?? oneOf)?.flatMap((each) => alternatives(each as JsonSchema, value));
  if (options === undefined) return [node as JsonSchema];
  const fitting = options.filter(({ properties = {} }) =>
    Object.entries(properties).every(([key, each]) =>
      typeof each !== "object" || !("const" in each) || each.const === valueBelow(value, key)
    )
  );
  return fitting.length > 0 ? fitting : options;
}

/** The schema at a path below `node`, for the value that was given. */
function nodeAt(node: JsonSchema, path: readonly string[], value: unknown): JsonSchema {
  const [key, ...rest] = path;
  if (key === undefined) return node;
  const below = alternatives(node, value).flatMap((each) => {
    const { properties, additionalProperties, prefixItems, items } = each;
    const next = properties?.[key] ?? prefixItems?.[Number(key)] ?? items ?? additionalProperties;
    return typeof next === "object" && !Array.isArray(next) ? [next as JsonSchema] : [];
  });
  const [first = {}] = below;
  const inner = below.length === 1 ? first : { anyOf: below };
  return nodeAt(inner, rest, valueBelow(value, key));
}

/** Known keys of an object. */
const choicesBelow = (node: JsonSchema) => [
  ...new Set(alternatives(node).flatMap(({ properties = {} }) => Object.keys(properties))),
];

/** Words that a schema accepts. */
const wordsOf = (node: JsonSchema): string[] =>
  alternatives(node).flatMap((each) => each.enum ?? ("const" in each ? [each.const] : []))
    .filter((word) => typeof word === "string");

/** The valid values of a schema in words, such as "an integer of at least 1 or null". */
function describe(node: JsonSchema): string {
  const options = alternatives(node);
  const words = wordsOf(node);
  const phrases = new Set([
    ...(words.length > 1 ? [`one of ${words.join(", ")}`] : words.map((w) => JSON.stringify(w))),
    ...options.filter((each) => wordsOf(each).length === 0 && each.type !== "null").map(phrase),
    ...(options.some(({ type }) => type === "null") ? ["null"] : []),
  ]);
  return [...phrases].join(words.length > 1 ? ", or " : " or ");
}

function phrase(node: JsonSchema): string {
  const { title, type } = node;
  if (title !== undefined) return title;
  switch (type) {
    case "string": {
      const { minLength = 0, maxLength } = node;
      const limit = maxLength === undefined ? "" : ` of at most ${maxLength} characters`;
      return `a ${minLength > 0 ? "nonempty " : ""}string${limit}`;
    }
    case "integer":
    case "number":
      return (type === "integer" ? "an integer" : "a number") + describeRange(node);
    case "boolean":
      return "true or false";
    case "array": {
      const { minItems = 0, maxItems, prefixItems } = node;
      const count = (items: number) => `${items} ${items === 1 ? "item" : "items"}`;
      if (prefixItems !== undefined) return `a list of ${count(prefixItems.length)}`;
      if (maxItems !== undefined) return `a list of ${minItems} to ${count(maxItems)}`;
      return minItems > 0 ? `a list of at least ${count(minItems)}` : "a list";
    }
    case "object":
      return "an object";
    default:
      return JSON.stringify(node);
  }
}

function describeRange(node: JsonSchema): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = node;
  const high = maximum !== undefined
    ? `${maximum}`
    : exclusiveMaximum !== undefined
    ? `below ${exclusiveMaximum}`
    : null;
  if (minimum !== undefined) {
    return high === null ? ` of at least ${minimum}` : ` from ${minimum} to ${high}`;
  }
  const limits = [
    ...(exclusiveMinimum !== undefined ? [`above ${exclusiveMinimum}`] : []),
    ...(high !== null ? [maximum !== undefined ? `at most ${high}` : high] : []),
  ];
  return limits.length === 0 ? "" : ` ${limits.join(" and ")}`;
}
