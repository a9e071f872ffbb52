/**
 * What a run may change when it is resumed. A checkpoint holds the configuration that it was saved with;
 * the run's own is compared with it key by key, and only keys of {@link MAY_CHANGE} may differ.
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { RunConfig } from "@/config.ts";
import { isObject } from "@/config_rules.ts";
import { resolveConfig } from "@/resolve_config.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import type { RunState } from "@/train/checkpoint.ts";

/** A run that was interrupted. */
export class TrainingInterrupted extends Deno.errors.Interrupted {
  /**
   * @param when such as `after step 3 of 8`
   * @param then what became of the run
   * @param resumable true if the run's folder holds what `resume` goes on from
   */
  constructor(readonly when: string, then: string, readonly resumable: boolean) {
    super(`Training was interrupted ${when}: ${then}`);
  }
}

/** What a run that is resumed goes on from. */
export function describeResume({ saved, setup: { steps } }: PreparedRun): string {
  return saved === null
    ? "no checkpoint: from the start"
    : `resuming from step ${saved.step} of ${steps}`;
}

/** Refuses to resume a run that has done more steps than it is configured to have now. */
export function checkStepsLeft({ saved, setup: { steps } }: PreparedRun): void {
  if (saved === null || saved.step <= steps) return;
  throw new RangeError(
    `Cannot resume run as it must have at least the ${saved.step} steps that are done: ` +
      `training.epochs and training.maxSteps give ${steps}`,
  );
}

/** A key that a run was resumed with another value of. */
export type ConfigChange = {
  /** Steps done before. */
  readonly step: number;
  readonly key: string;
  /** Both null where the key was missing, as of a task that is new. */
  readonly before: unknown;
  readonly now: unknown;
};

const STEPS = "learning rates and mixing follow the new number of steps";
const ROUNDING = "numbers may be rounded differently";

/** Keys that may change between two parts of a run, each with the consequence that a reader should know. */
export const MAY_CHANGE: Readonly<Record<string, string | null>> = {
  "training.epochs": STEPS,
  "training.maxSteps": STEPS,
  "training.logEvery": null,
  "training.evaluateEvery": null,
  "training.checkpointEvery": null,
  "training.keepCheckpoints": null,
  "data.dir": null, // rows are compared by their digests
  "data.scoreTest": null,
  "model.source": null, // the weights are those of the checkpoint; see NEEDS_SOURCE
  device: ROUNDING,
  executor: ROUNDING,
  "native.isa": ROUNDING,
  "native.threads": ROUNDING,
  "tensorflow.library": ROUNDING,
};

/** Keys whose change gives an ended run something left to do. */
const EXTENDING = ["training.epochs", "training.maxSteps", "data.scoreTest"];

/** Values by dotted key: objects and lists of objects are taken apart, other lists are one value. */
function flatten(value: unknown, key = ""): readonly (readonly [key: string, value: unknown])[] {
  const below = Array.isArray(value) && value.some(isObject) ? { ...value } : value;
  if (!isObject(below)) return [[key, value]];
  return Object.entries(below).flatMap(([name, each]) =>
    flatten(each, key === "" ? name : `${key}.${name}`)
  );
}

/** True if `key` may differ in a run of this configuration. */
function mayChange(key: string, { training: { freeze } }: RunConfig): boolean {
  // a checkpoint lacks frozen weights, which come from the source again
  if (key === "model.source" && freeze.length > 0) return false;
  return Object.hasOwn(MAY_CHANGE, key);
}

/** A value in one line, shortened. */
function print(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * The keys that differ between the configuration that `saved` was saved with and `config`.
 *
 * @throws {RangeError} naming all keys that must not differ, each with both values
 */
export function compareConfigs(
  { step, config: begun }: Pick<RunState, "step" | "config">,
  config: RunConfig,
): readonly ConfigChange[] {
  if (begun === undefined) return []; // a checkpoint of older code
  const before = new Map(flatten(resolveConfig({ file: begun }))), now = new Map(flatten(config));
  const changes = [...new Set([...before.keys(), ...now.keys()])]
    .map((key) => ({ step, key, before: before.get(key), now: now.get(key) }))
    .filter((change) => !isDeepStrictEqual(change.before, change.now));
  const refused = changes.filter(({ key }) => !mayChange(key, config));
  if (refused.length > 0) {
    const list = refused.map(({ key, before, now }) =>
      `${key} is ${print(now)} and was ${print(before)}`
    );
    throw new RangeError(
      `Cannot resume run as its configuration has changed since step ${step}: ${
        list.join(", ")
      }; ` +
        "put it back, or begin a new run. Only these keys may change: " +
        Object.keys(MAY_CHANGE).join(", "),
    );
  }
  return changes.map(({ before = null, now = null, ...change }) => ({ ...change, before, now }));
}

/** True if an ended run has something left to do after these changes. */
export function extendsRun(changes: readonly ConfigChange[]): boolean {
  return changes.some(({ key, now }) =>
    EXTENDING.includes(key) && !(key === "data.scoreTest" && now === false)
  );
}

/** A change in a sentence, for the terminal and the report. */
export function describeChange({ step, key, before, now }: ConfigChange): string {
  const consequence = MAY_CHANGE[key] ?? null;
  return `Resumed at step ${step} with ${key} ${print(now)}, before ${print(before)}` +
    (consequence === null ? "" : `: ${consequence}`);
}

/** True if a note is by {@link describeChange} and tells of another course of training. */
export function tellsOfOtherSteps(note: string): boolean {
  return note.startsWith("Resumed at step ") && note.endsWith(STEPS);
}
