/**
 * What may change when a run is resumed. A checkpoint contains the configuration that it was saved with. It is compared
 * with the current one key by key, and only the keys in {@link MAY_CHANGE} may differ. The tokenizer and the data are
 * compared by their digests and must be the same.
 * @module
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { RunConfig } from "@/config/config.ts";
import { isObject } from "@/schema.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { digestExamples } from "@/text/encoded_file.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import type { RunState } from "@/train/checkpoint.ts";
import type { RunTask } from "@/train/run_data.ts";

/** Training was interrupted. */
export class TrainingInterrupted extends Deno.errors.Interrupted {
  /**
   * @param when Point in the run, such as `after step 3 of 8`.
   * @param then State of the run folder, such as `it is saved in outputs/run/checkpoint`.
   * @param resumable True if `resume` can continue the run.
   */
  constructor(readonly when: string, then: string, readonly resumable: boolean) {
    super(`Training was interrupted ${when}: ${then}`);
  }
}

/** A note about the step from which the run resumes. */
export function describeResume({ saved, setup: { steps } }: PreparedRun): string {
  return saved === null
    ? "no checkpoint: starting from step 0"
    : `resuming from step ${saved.step} of ${steps}`;
}

/** Throws if more steps are completed than the current configuration has. */
export function checkStepsLeft({ saved, setup: { steps } }: PreparedRun): void {
  if (saved === null || saved.step <= steps) return;
  throw new RangeError(
    `Cannot resume run: it has completed ${saved.step} steps, but training.epochs and ` +
      `training.maxSteps allow only ${steps}; increase them`,
  );
}

/** A configuration key that was changed when a run was resumed. */
export type ConfigChange = {
  /** Number of steps completed before the change. */
  readonly step: number;
  readonly key: string;
  /** The values before and after the change; null if the key was missing, for example for an additional task. */
  readonly before: unknown;
  readonly now: unknown;
};

const STEPS = "learning rates and mixing follow the new number of steps";
const ROUNDING = "numbers may be rounded differently";

/** Keys that may change when a run is resumed, each with a consequence that the user should know, if any. */
export const MAY_CHANGE: Readonly<Record<string, string | null>> = {
  "training.epochs": STEPS,
  "training.maxSteps": STEPS,
  "training.logEvery": null,
  "training.evaluateEvery": null,
  "training.checkpointEvery": null,
  "training.keepCheckpoints": null,
  "data.dir": null, // rows are compared by their digests
  "data.scoreTest": null,
  "data.baselines": null,
  "model.source": null, // the checkpoint has the weights; see mayChange() for frozen ones
  device: ROUNDING,
  executor: ROUNDING,
  "native.isa": ROUNDING,
  "native.threads": ROUNDING,
  "tensorflow.library": ROUNDING,
};

/** Keys that, if changed, give a finished run more work. */
const EXTENDING = ["training.epochs", "training.maxSteps", "data.scoreTest"];

/** Values by dotted key. Objects and lists of objects are flattened; other lists are one value. */
function flatten(value: unknown, key = ""): readonly (readonly [key: string, value: unknown])[] {
  const below = Array.isArray(value) && value.some(isObject) ? { ...value } : value;
  if (!isObject(below)) return [[key, value]];
  return Object.entries(below).flatMap(([name, each]) =>
    flatten(each, key === "" ? name : `${key}.${name}`)
  );
}

/** True if `key` may change when a run with this configuration is resumed. */
function mayChange(key: string, { training: { freeze } }: RunConfig): boolean {
  // Frozen weights are not in the checkpoint; they are loaded from the source again.
  if (key === "model.source" && freeze.length > 0) return false;
  return Object.hasOwn(MAY_CHANGE, key);
}

/** A value on one line, shortened. */
function print(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * Lists the differences between the configuration of the checkpoint and `config`.
 *
 * @throws {RangeError} if a key differs that must not change; the message lists all such keys with both values
 */
export function compareConfigs(
  { step, config: original }: Pick<RunState, "step" | "config">,
  config: RunConfig,
): readonly ConfigChange[] {
  if (original === undefined) return []; // checkpoint of an older version
  const before = new Map(flatten(resolveConfig({ file: original }))),
    now = new Map(flatten(config));
  const changes = [...new Set([...before.keys(), ...now.keys()])]
    .map((key) => ({ step, key, before: before.get(key), now: now.get(key) }))
    .filter((change) => !isDeepStrictEqual(change.before, change.now));
  const refused = changes.filter(({ key }) => !mayChange(key, config));
  if (refused.length > 0) {
    const list = refused.map(({ key, before, now }) =>
      `${key} (was ${print(before)}, is now ${print(now)})`
    );
    throw new RangeError(
      `Cannot resume run: its configuration has changed since step ${step}: ${list.join(", ")}; ` +
        "undo the change, or start a new run. Only these keys may change: " +
        Object.keys(MAY_CHANGE).join(", "),
    );
  }
  return changes.map(({ before = null, now = null, ...change }) => ({ ...change, before, now }));
}

/** True if a finished run has more work after these changes. */
export function extendsRun(changes: readonly ConfigChange[]): boolean {
  return changes.some(({ key, now }) =>
    EXTENDING.includes(key) && !(key === "data.scoreTest" && now === false)
  );
}

/** Describes a change in a sentence, for the terminal and the report. */
export function describeChange({ step, key, before, now }: ConfigChange): string {
  const consequence = MAY_CHANGE[key] ?? null;
  return `Resumed at step ${step} with ${key} = ${print(now)} (was ${print(before)})` +
    (consequence === null ? "" : `: ${consequence}`);
}

/** True if a note is from {@link describeChange} and says that the number of steps changed. */
export function isScheduleChangeNote(note: string): boolean {
  return note.startsWith("Resumed at step ") && note.endsWith(STEPS);
}

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
