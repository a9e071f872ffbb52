/**
 * Parses command-line arguments by a table of options. Returns typed values, or throws an error that explains what is
 * wrong.
 * @module
 */

import { parseArgs } from "node:util";
import { didYouMean, suggest } from "@/suggest.ts";

/** Command-line option of a task. */
export type Option = {
  readonly type: "string" | "boolean";
  /** Description in one line for `--help`. */
  readonly help: string;
  /** Placeholder of its value in `--help`, such as `DIR`. */
  readonly value?: string;
  /** If true, the option can be repeated and its value is a list. */
  readonly multiple?: true;
  /** Value if the option is omitted. */
  readonly default?: string;
  /** Description of the default for `--help`, if it depends on something else. */
  readonly byDefault?: string;
  /** Allowed values; any value if omitted. */
  readonly choices?: readonly string[];
};

/** Options of a task by name. */
export type Options = Readonly<Record<string, Option>>;

/** Values of options: a boolean, a list, or a string that is undefined if omitted without default. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { type: "boolean" } ? boolean
    : O[K] extends { multiple: true } ? readonly string[]
    : O[K] extends { default: string } ? string
    : string | undefined;
};

/** Positional arguments of a task. */
export type Positionals = {
  /** Placeholders in order, such as `["RUN", "TEXT"]`. */
  readonly names: readonly string[];
  /** Smallest number of arguments. */
  readonly min: number;
  /** Largest number of arguments. */
  readonly max: number;
};

/** Parsed arguments: typed option values and positional arguments. */
type ParsedArguments<O extends Options> = {
  readonly values: OptionValues<O>;
  readonly positionals: readonly string[];
};

/** Parses `args` by the table `options`; throws a RangeError that lists the valid choices. */
export function parseArguments<const O extends Options>(
  task: string,
  args: readonly string[],
  options: O,
  positionals: Positionals = { names: [], min: 0, max: 0 },
): ParsedArguments<O> {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type }]) => [name, { type }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | boolean | string[] | undefined> = {};
  for (const [name, option] of Object.entries(options)) {
    values[name] = option.type === "boolean" ? false : option.multiple ? [] : option.default;
  }
  const given: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") given.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) {
      throw unknownOption(task, args[token.index] ?? token.rawName, { options, positionals });
    }
    if (option.type === "boolean") {
      if (token.value !== undefined) {
        throw new RangeError(
          `Cannot run ${task}: --${token.name} takes no value, but ${token.value} was given`,
        );
      }
      values[token.name] = true;
      continue;
    }
    const value = token.value;
    if (value === undefined || (token.inlineValue !== true && /^-./.test(value))) {
      throw new RangeError(
        `Cannot run ${task}: --${token.name} needs a value; write --${token.name}=${
          option.value ?? "VALUE"
        }`,
      );
    }
    checkChoice(task, token.name, option, value);
    const before = values[token.name];
    if (Array.isArray(before)) before.push(value);
    else values[token.name] = value;
  }
  checkPositionals(task, given, positionals);
  return { values: values as OptionValues<O>, positionals: given };
}

function checkChoice(task: string, name: string, option: Option, value: string): void {
  if (option.choices && !option.choices.includes(value)) {
    throw new RangeError(
      `Cannot run ${task}: --${name} must be one of ${option.choices.join(", ")}, not ${value}${
        didYouMean(value, option.choices)
      }`,
    );
  }
}

/** Error for an unknown argument that starts with a dash: either a misspelled option or a text. */
function unknownOption(
  task: string,
  argument: string,
  { options, positionals }: { readonly options: Options; readonly positionals: Positionals },
): RangeError {
  const name = argument.split("=", 1)[0] ?? "";
  const known = Object.keys(options).map((each) => `--${each}`);
  const nearest = /^--?[a-z][\w-]*$/i.test(name) ? suggest(name, known) : null;
  if (nearest !== null) {
    return new RangeError(
      `Cannot run ${task}: there is no option ${name} (did you mean ${nearest}?)`,
    );
  }
  const hint = `write -- before ${
    positionals.names.includes("TEXT") ? "texts that start" : "an argument that starts"
  } with a dash`;
  if (!/^--[a-z][\w-]*$/i.test(name) && positionals.max > 0) {
    // without MODEL the text would be read as the model
    const before = positionals.names.includes("TEXT") ? positionals.names[0] : "…";
    return new RangeError(
      `Cannot run ${task}: ${JSON.stringify(argument)} starts with a dash and is read as an ` +
        `option; ${hint}: deno task ${task} ${before} -- ${JSON.stringify(argument)}`,
    );
  }
  const takesTexts = positionals.names.includes("TEXT");
  return new RangeError(
    `Cannot run ${task}: option ${name} is not one of ${known.join(", ")}${
      takesTexts ? `; ${hint}` : ""
    }`,
  );
}

function checkPositionals(task: string, given: readonly string[], expected: Positionals): void {
  const { names, min, max } = expected;
  if (given.length < min) {
    throw new RangeError(
      `Cannot run ${task}: ${names[given.length] ?? names.at(-1)} is missing; see --help`,
    );
  }
  if (given.length > max) {
    throw new RangeError(
      `Cannot run ${task}: unexpected argument ${given[max]}; the task takes ${
        max === 0 ? "no" : `at most ${max}`
      } positional argument${max === 1 ? "" : "s"}`,
    );
  }
}

/** Parses the value of `--option` as an integer of at least `least`. */
export function parseInteger(task: string, option: string, value: string, least = 0): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (number >= least) return number;
  throw new RangeError(
    `Cannot run ${task}: --${option} must be an integer of at least ${least}, not ${value}`,
  );
}

function formatDefault({ default: value, byDefault }: Option): string {
  if (byDefault !== undefined) return `default: ${byDefault}`;
  return value === undefined ? "" : `default ${value}`;
}

/** Formats the text for `--help`. */
export function formatUsage(
  task: {
    readonly name: string;
    readonly summary: string;
    readonly usage: string;
    readonly notes?: readonly string[];
  },
  options: Options,
): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const value = option.value ?? (option.choices ? option.choices.join("|") : "VALUE");
    const left = `--${name}${option.type === "string" ? ` ${value}` : ""}`;
    const notes = [
      option.multiple ? "may be repeated" : "",
      option.choices && option.value ? `one of ${option.choices.join(", ")}` : "",
      formatDefault(option),
    ].filter((note) => note !== "");
    return [left, option.help + (notes.length > 0 ? ` (${notes.join("; ")})` : "")] as const;
  });
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.map(([left, help]) =>
    left.length > width
      ? `  ${left}\n  ${"".padEnd(width)}  ${help}`
      : `  ${left.padEnd(width)}  ${help}`
  );
  const usage = `usage: deno task ${task.name} ${task.usage}`.trimEnd();
  return [task.summary, usage, lines.join("\n"), ...task.notes ?? []].join("\n\n");
}
