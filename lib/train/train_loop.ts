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
import type { MetricSums, RunState } from "@/train/checkpoint.ts";
import { stageOfStep } from "@/train/freezing.ts";
import { LEAST_LOSS_SCALE } from "@/train/loss_scale.ts";
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
  /** After so many steps one more group learns; null: all do from the first. */
  readonly stepsPerStage: number | null;
  readonly training: Pick<TrainingConfig, "schedule" | "warmup" | "accumulate" | "logEvery">;
  readonly seed: number;
  readonly nowMs: () => number;
};

/** What moves with the steps; a line of metrics empties `sums`. */
export type LoopState = Pick<RunState, "step" | "skipped" | "tokens" | "sums" | "best"> & {
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

/** Before the first step. */
export const LOOP_START: LoopState = {
  step: 0,
  skipped: 0,
  tokens: 0,
  sums: NO_SUMS,
  best: null,
  trainSeconds: 0,
};

/** Says which batch made a number that is not finite. */
function notFinite(
  what: string,
  value: number,
  step: number,
  rows: ReadonlyMap<string, readonly number[]>,
): RangeError {
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

/** Labels of a batch that count. */
function countLabels({ labels }: Batch): number {
  let count = 0;
  for (const label of labels) if (label >= 0) count++;
  return count;
}

/**
 * The part of a task's loss that each of its batches in a step is: in proportion to their labels, so that
 * several batches are one large one, however unlike they are.
 */
export function shareLoss(batches: readonly Batch[]): readonly number[] {
  if (batches.length === 1) return [1];
  const counts = batches.map(countLabels);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => total > 0 ? count / total : 1 / counts.length);
}

/** What the batches of one task in one step came to. */
type TaskResult = {
  /** Mean over all counted labels. */
  readonly loss: number;
  /** Of finite losses. */
  readonly sum: number;
  readonly count: number;
  readonly tokens: number;
  readonly rows: readonly number[];
};

/** Draws the batches of one task that belong to step `step` and adds up their gradients in place. */
async function accumulateTask(
  { step: programs, tasks, training, seed, stepsPerStage }: LoopSetup,
  name: string,
  step: number,
): Promise<TaskResult> {
  const task = tasks.get(name);
  if (task === undefined) throw new TypeError(`internal: no task ${name}`);
  const stage = stageOfStep(step, stepsPerStage);
  const batches = Array.from({ length: training.accumulate }, () => task.stream.next());
  const shares = shareLoss(batches);
  let result: TaskResult = { loss: 0, sum: 0, count: 0, tokens: 0, rows: [] };
  for (const [i, batch] of batches.entries()) {
    const rows = rowsOf(batch, task.examples);
    const path = i === 0 ? [name, step] : [name, step, i];
    const dropoutSeed = stream(seed, "dropout", ...path).uint32() | 0;
    const share = shares[i] ?? 1;
    const { loss, count } = await programs.accumulate(name, batch, dropoutSeed, { share, stage });
    const finite = Number.isFinite(loss);
    // Under a loss scale the step is skipped: the gradient is not finite either.
    if (!finite && !programs.scalesLoss) {
      throw notFinite(`the loss of ${name}`, loss, step + 1, new Map([[name, rows]]));
    }
    result = {
      loss: result.loss + share * loss,
      sum: result.sum + (finite ? loss * count : 0),
      count: result.count + (finite ? count : 0),
      tokens: result.tokens + batch.tokens,
      rows: [...result.rows, ...rows],
    };
  }
  return result;
}

/** Does step `state.step`, counted from 0: draws batches, moves the parameters in place. */
export async function runStep(setup: LoopSetup, state: LoopState): Promise<StepResult> {
  const { step: programs, mixing, steps, training, nowMs } = setup;
  const startMs = nowMs();
  const { step } = state;
  const done = step + 1;
  const sums: Record<string, { sum: number; count: number }> = { ...state.sums.losses };
  const losses: Record<string, number> = {};
  const rows = new Map<string, readonly number[]>();
  let tokens = state.tokens;
  for (const name of mixing.tasksOfStep(step)) {
    const result = await accumulateTask(setup, name, step);
    const before = sums[name] ?? { sum: 0, count: 0 };
    sums[name] = { sum: before.sum + result.sum, count: before.count + result.count };
    losses[name] = result.loss;
    rows.set(name, result.rows);
    tokens += result.tokens;
  }
  const rate = scheduleFactor(training.schedule, step, { steps, warmup: training.warmup });
  const { gradientNorm, skipped, lossScale } = await programs.update({
    factor: rate,
    stage: stageOfStep(step, setup.stepsPerStage),
  });
  if (!skipped && !Number.isFinite(gradientNorm)) {
    throw notFinite("the gradient's norm", gradientNorm, done, rows);
  }
  if (lossScale !== null && lossScale < LEAST_LOSS_SCALE) {
    throw notFinite("the gradient under the least loss scale", NaN, done, rows);
  }
  const summed: MetricSums = {
    steps: state.sums.steps + Number(!skipped),
    gradientNorm: state.sums.gradientNorm + (skipped ? 0 : gradientNorm),
    losses: sums,
  };
  const due = done % training.logEvery === 0 || done === steps;
  const next: LoopState = {
    ...state,
    step: done,
    skipped: state.skipped + Number(skipped),
    tokens,
    trainSeconds: state.trainSeconds + (nowMs() - startMs) / 1000,
    sums: due ? NO_SUMS : summed,
  };
  return {
    state: next,
    losses,
    line: due
      ? composeLine({ state: next, summed, rate, lossScale }, {
        epoch: done / mixing.stepsPerEpoch,
        logVariances: await programs.readLogVariances(),
      })
      : null,
  };
}

/** The line of metrics on the steps that `summed` is of. */
function composeLine(
  { state: { step, skipped, tokens, trainSeconds: seconds }, summed, rate, lossScale }: {
    readonly state: LoopState;
    readonly summed: MetricSums;
    readonly rate: number;
    readonly lossScale: number | null;
  },
  { epoch, logVariances }: {
    readonly epoch: number;
    readonly logVariances: Readonly<Record<string, number>>;
  },
): TrainLine {
  return {
    kind: "train",
    step,
    epoch,
    losses: averageLosses(summed),
    gradientNorm: summed.gradientNorm / Math.max(1, summed.steps),
    rate,
    tokens,
    seconds,
    ...(lossScale !== null && { lossScale, skipped }),
    ...(Object.keys(logVariances).length > 0 && { logVariances }),
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
