/**
 * Digests of a run's tokenizer and data. A run can only be resumed with the same inputs.
 * @module
 */
import { createHash } from "node:crypto";
import { digestExamples } from "@/text/encoded_file.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import type { RunTask } from "@/train/run_data.ts";

/** Digests by name of the input, as used in error messages: `the tokenizer`, `the train rows of ag_news`, … */
export type RunInputs = Readonly<Record<string, string>>;

/** Computes the digests of the tokenizer and the encoded rows. */
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
 * Throws if the inputs differ from those of the checkpoint.
 *
 * @throws {TypeError} naming the inputs that changed
 */
export function checkInputs(current: RunInputs, saved: RunInputs): void {
  const names = new Set([...Object.keys(saved), ...Object.keys(current)]);
  const changed = [...names].filter((name) => saved[name] !== current[name]);
  // Another tokenizer changes all rows, so naming it is enough.
  const what = changed.includes("the tokenizer") ? "the tokenizer" : changed.join(", ");
  if (changed.length === 0) return;
  throw new TypeError(
    `Cannot resume run: these inputs have changed since it was started: ${what}; restore them, or ` +
      "start a new run",
  );
}
