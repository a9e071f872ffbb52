/**
 * The training loop: takes batches, runs steps and composes lines of metrics. The caller evaluates, saves checkpoints
 * and shows progress.
 * @module
 */
import type { TrainingConfig } from "@/config/config.ts";
import { stream } from "@/random.ts";
import type { TrainLine } from "@/train/run_folder.ts";
import type { BatchStream } from "@/text/batches.ts";
import type { Batch, Example } from "@/text/example.ts";
import type { MetricSums, RunState } from "@/train/checkpoint.ts";
import { stageOfStep } from "@/train/freezing.ts";
import { MIN_LOSS_SCALE } from "@/train/loss_scale.ts";
import type { MixingPlan } from "@/train/mixing.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import type { TrainStep } from "@/train/step.ts";

/** A task's training examples and batch stream. */
export type LoopTask = { readonly examples: readonly Example[]; readonly stream: BatchStream };

/** Everything that is constant during a run. */
export type LoopSetup = {
  readonly step: TrainStep;
  /** Tasks by name. */
  readonly tasks: ReadonlyMap<string, LoopTask>;
  readonly mixing: MixingPlan;
  /** Number of steps in the run. */
  readonly steps: number;
  /** Interval in steps at which one more parameter group is unfrozen; null if all learn from the start. */
  readonly stepsPerStage: number | null;
  readonly training: Pick<TrainingConfig, "schedule" | "warmup" | "accumulate" | "logEvery">;
  readonly seed: number;
  readonly nowMs: () => number;
};

/** State that changes with every step; `sums` starts again after each line of metrics. */
export type LoopState = Pick<RunState, "step" | "skipped" | "tokens" | "sums" | "best"> & {
  readonly trainSeconds: number;
};

/** Result of one step. */
export type StepResult = {
  readonly state: LoopState;
  /** Mean loss per label, by task. */
  readonly losses: Readonly<Record<string, number>>;
  /** The line of metrics if one is due at this step, else null. */
  readonly line: TrainLine | null;
};

/** Sums over zero steps. */
export const NO_SUMS: MetricSums = { steps: 0, gradientNorm: 0, losses: {} };

/** State before the first step. */
export const LOOP_START: LoopState = {
  step: 0,
  skipped: 0,
  tokens: 0,
  sums: NO_SUMS,
  best: null,
  trainSeconds: 0,
};

/** The error for a non-finite number, with the rows of the batches that caused it. */
function notFinite(
  what: string,
  value: number,
  step: number,
  rows: ReadonlyMap<string, readonly number[]>,
): RangeError {
  const batches = [...rows].map(([task, rows]) => `${task} rows ${rows.join(", ")}`);
  return new RangeError(
    `Cannot continue training: at step ${step} ${what} is ${value}; try a lower learning rate. ` +
      `Batch: ${batches.join("; ")}`,
  );
}

/** Indices of a batch's rows in the training split. */
function rowsOf(batch: Batch, examples: readonly Example[]): number[] {
  return batch.examples.map((index) => examples[index]?.row ?? -1);
}

/** Number of labels in a batch. */
function countLabels({ labels }: Batch): number {
  let count = 0;
  for (const label of labels) if (label >= 0) count++;
  return count;
}

/**
 * Weights of a task's micro-batches in the loss of a step, proportional to their label counts. Several micro-batches
 * thus have the same gradient as one large batch.
 */
export function weighMicroBatches(batches: readonly Batch[]): readonly number[] {
  if (batches.length === 1) return [1];
  const counts = batches.map(countLabels);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => total > 0 ? count / total : 1 / counts.length);
}

/** Result of one task in one step. */
type TaskResult = {
  /** Mean over all labels. */
  readonly loss: number;
  /** Sum over the labels of micro-batches with a finite loss. */
  readonly sum: number;
  readonly count: number;
  readonly tokens: number;
  readonly rows: readonly number[];
};

/** Takes the micro-batches of one task for step `step` and accumulates their gradients in place. */
async function accumulateTask(
  { step: programs, tasks, training, seed, stepsPerStage }: LoopSetup,
  name: string,
  step: number,
): Promise<TaskResult> {
  const task = tasks.get(name);
  if (task === undefined) throw new TypeError(`internal: no task ${name}`);
  const stage = stageOfStep(step, stepsPerStage);
  const batches = Array.from({ length: training.accumulate }, () => task.stream.next());
  const weights = weighMicroBatches(batches);
  let result: TaskResult = { loss: 0, sum: 0, count: 0, tokens: 0, rows: [] };
  for (const [i, batch] of batches.entries()) {
    const rows = rowsOf(batch, task.examples);
    const path = i === 0 ? [name, step] : [name, step, i];
    const dropoutSeed = stream(seed, "dropout", ...path).uint32() | 0;
    const batchWeight = weights[i] ?? 1;
    const { loss, count } = await programs.accumulate(name, batch, dropoutSeed, {
      batchWeight,
      stage,
    });
    const finite = Number.isFinite(loss);
    // With loss scaling the update skips this step, because its gradient is not finite either.
    if (!finite && !programs.scalesLoss) {
      throw notFinite(`the loss of ${name}`, loss, step + 1, new Map([[name, rows]]));
    }
    result = {
      loss: result.loss + batchWeight * loss,
      sum: result.sum + (finite ? loss * count : 0),
      count: result.count + (finite ? count : 0),
      tokens: result.tokens + batch.tokens,
      rows: [...result.rows, ...rows],
    };
  }
  return result;
}

/** Runs step `state.step`, counted from 0: takes batches and updates the parameters in place. */
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
    throw notFinite("the gradient norm", gradientNorm, done, rows);
  }
  if (lossScale !== null && lossScale < MIN_LOSS_SCALE) {
    throw notFinite("the gradient norm at the minimum loss scale", NaN, done, rows);
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

/** Composes a line of metrics from the sums since the previous line. */
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

/** Mean loss per label, by task; tasks without labels are omitted. */
export function averageLosses({ losses }: MetricSums): Record<string, number> {
  return Object.fromEntries(
    Object.entries(losses).flatMap(([task, { sum, count }]) =>
      count > 0 ? [[task, sum / count] as const] : []
    ),
  );
}
