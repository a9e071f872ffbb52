/**
 * What a run was given to learn from, as digests: a run is taken up again over the same data only.
 * @module
 */
import { createHash } from "node:crypto";
import { digestExamples } from "@/text/encoded_file.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import type { RunTask } from "@/train/run_data.ts";

/** Digests by what they are of, in words for errors: `the tokenizer`, `the train rows of ag_news`, … */
export type RunInputs = Readonly<Record<string, string>>;

/** Digests of tokenizer and encoded rows. */
export function digestInputs(tokenizer: Tokenizer, tasks: readonly RunTask[]): RunInputs {
  const vocabulary = createHash("sha256").update(JSON.stringify(tokenizer.json)).digest("hex");
  const rows = tasks.flatMap(({ task: { name }, train, evaluation }) => [
    [`the train rows of ${name}`, digestExamples(train)] as const,
    ...[...evaluation].map(([split, { examples }]) =>
      [`the ${split} rows of ${name}`, digestExamples(examples)] as const
    ),
  ]);
  return { "the tokenizer": vocabulary, ...Object.fromEntries(rows) };
}

/**
 * Refuses to go on with other inputs than those that a run was begun with.
 *
 * @throws {TypeError} naming what has changed
 */
export function checkInputs(current: RunInputs, saved: RunInputs): void {
  const names = new Set([...Object.keys(saved), ...Object.keys(current)]);
  const changed = [...names].filter((name) => saved[name] !== current[name]);
  // What rows are encoded by explains that they differ.
  const what = changed.includes("the tokenizer") ? "the tokenizer" : changed.join(", ");
  if (changed.length === 0) return;
  throw new TypeError(
    `Cannot resume run as its inputs must be those that it was begun with: changed ${what}; put them ` +
      "back, or begin a new run",
  );
}
