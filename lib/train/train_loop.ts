/**
 * The loop of training: batches in, steps done, a line of metrics now and then. What else happens at a
 * step (evaluation, checkpoints, progress) is its caller's.
 * @module
 */
import type { TrainingConfig } from "@/config.ts";
import { stream } from "@/random.ts";
import type { TrainLine } from "@/train/run_folder.ts";
import type { BatchStream } from "@/text/batches.ts";
import type { Batch, Example } from "@/text/example.ts";
import { adamStep } from "@/train/adamw.ts";
import type { MetricSums, RunState } from "@/train/checkpoint.ts";
import type { MixingPlan } from "@/train/mixing.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import type { TrainStep } from "@/train/step.ts";

/** A task's examples and the stream that batches them. */
export type LoopTask = { readonly examples: readonly Example[]; readonly stream: BatchStream };

/** All that stays the same over a run. */
export type LoopSetup = {
  readonly step: TrainStep;
  /** By name. */
  readonly tasks: ReadonlyMap<string, LoopTask>;
  readonly mixing: MixingPlan;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly training: Pick<TrainingConfig, "schedule" | "warmup" | "adam" | "logEvery">;
  readonly seed: number;
  readonly nowMs: () => number;
};

/** What moves with the steps; a line of metrics empties `sums`. */
export type LoopState = Pick<RunState, "step" | "tokens" | "sums"> & {
  readonly trainSeconds: number;
};

/** What one step did. */
export type StepResult = {
  readonly state: LoopState;
  /** Mean loss a counted label, by task. */
  readonly losses: Readonly<Record<string, number>>;
  /** The line of metrics that is due, if one is. */
  readonly line: TrainLine | null;
};

/** Sums of no steps. */
export const NO_SUMS: MetricSums = { steps: 0, gradientNorm: 0, losses: {} };

/** Says which batch made a number that is not finite. */
function notFinite(what: string, value: number, step: number, rows: ReadonlyMap<string, number[]>) {
  const batches = [...rows].map(([task, rows]) => `${task} rows ${rows.join(", ")}`);
  return new RangeError(
    `Cannot continue training as ${what} must be finite: at step ${step} it is ${value}; ` +
      `batch: ${batches.join("; ")}`,
  );
}

/** The rows of a batch, as indices of the training split. */
function rowsOf(batch: Batch, examples: readonly Example[]): number[] {
  return batch.examples.map((index) => examples[index]?.row ?? -1);
}

/** Does step `state.step`, counted from 0: draws batches, moves the parameters in place. */
export async function runStep(setup: LoopSetup, state: LoopState): Promise<StepResult> {
  const { step: programs, tasks, mixing, steps, training, seed, nowMs } = setup;
  const startMs = nowMs();
  const { step } = state;
  const done = step + 1;
  const sums: Record<string, { sum: number; count: number }> = { ...state.sums.losses };
  const losses: Record<string, number> = {};
  const rows = new Map<string, number[]>();
  let tokens = state.tokens;
  for (const name of mixing.tasksOfStep(step)) {
    const task = tasks.get(name);
    if (task === undefined) throw new TypeError(`internal: no task ${name}`);
    const batch = task.stream.next();
    const own = rowsOf(batch, task.examples);
    const dropoutSeed = stream(seed, "dropout", name, step).uint32() | 0;
    const { loss, count } = await programs.accumulate(name, batch, dropoutSeed);
    if (!Number.isFinite(loss)) {
      throw notFinite(`the loss of ${name}`, loss, done, new Map([[name, own]]));
    }
    const before = sums[name] ?? { sum: 0, count: 0 };
    sums[name] = { sum: before.sum + loss * count, count: before.count + count };
    losses[name] = loss;
    rows.set(name, own);
    tokens += batch.tokens;
  }
  const rate = scheduleFactor(training.schedule, step, { steps, warmup: training.warmup });
  const { gradientNorm } = await programs.update(adamStep(done, rate, training.adam));
  if (!Number.isFinite(gradientNorm)) {
    throw notFinite("the gradient's norm", gradientNorm, done, rows);
  }
  const summed: MetricSums = {
    steps: state.sums.steps + 1,
    gradientNorm: state.sums.gradientNorm + gradientNorm,
    losses: sums,
  };
  const trainSeconds = state.trainSeconds + (nowMs() - startMs) / 1000;
  const due = done % training.logEvery === 0 || done === steps;
  return {
    state: { step: done, tokens, trainSeconds, sums: due ? NO_SUMS : summed },
    losses,
    line: due
      ? {
        kind: "train",
        step: done,
        epoch: done / mixing.stepsPerEpoch,
        losses: averageLosses(summed),
        gradientNorm: summed.gradientNorm / summed.steps,
        rate,
        tokens,
        seconds: trainSeconds,
      }
      : null,
  };
}

/** Mean loss a counted label, by task. A task without any counted label has none. */
export function averageLosses({ losses }: MetricSums): Record<string, number> {
  return Object.fromEntries(
    Object.entries(losses).flatMap(([task, { sum, count }]) =>
      count > 0 ? [[task, sum / count] as const] : []
    ),
  );
}
