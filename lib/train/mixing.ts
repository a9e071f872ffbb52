/**
 * How tasks share the steps of training, and what an epoch covers.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import type { Mixing } from "@/config.ts";

/** Batches in one pass over each task's rows. */
export type TaskBatches = { readonly name: string; readonly batchesPerEpoch: number };

/** Which tasks a step takes a batch of. */
export type MixingPlan = {
  /** Steps of an epoch: no task's rows are dropped in it. */
  readonly stepsPerEpoch: number;
  /** Tasks of step `step`, counted from 0, each once. */
  tasksOfStep(step: number): readonly string[];
  /** What an epoch covers, for a reader of the run. */
  readonly note: string;
};

/** The plan of a mixing over tasks of the given sizes. */
export function planMixing(mixing: Mixing, tasks: readonly TaskBatches[]): MixingPlan {
  switch (mixing) {
    case "both": {
      const stepsPerEpoch = Math.max(...tasks.map(({ batchesPerEpoch }) => batchesPerEpoch));
      const names = tasks.map(({ name }) => name);
      const rounds = tasks.map(({ name, batchesPerEpoch }) => {
        const times = stepsPerEpoch / batchesPerEpoch;
        return times === 1
          ? `every row of ${name} once`
          : `${name} ${times.toFixed(1)} times round`;
      });
      return {
        stepsPerEpoch,
        tasksOfStep: () => names,
        note: `An epoch is ${stepsPerEpoch} steps: ${rounds.join(", ")}.`,
      };
    }
    default:
      return assertNever(mixing, "mixing");
  }
}

/** Steps of a run: whole steps of its epochs, at least one, at most `maxSteps`. */
export function countSteps(
  stepsPerEpoch: number,
  { epochs, maxSteps }: { readonly epochs: number; readonly maxSteps: number | null },
): number {
  return Math.min(Math.max(1, Math.floor(epochs * stepsPerEpoch)), maxSteps ?? Infinity);
}
