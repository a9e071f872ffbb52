/**
 * The training loop: takes batches, runs steps and composes lines of metrics. The caller evaluates, saves checkpoints
 * and shows progress.
 * @module
 */
import type { TrainingConfig } from "@/config/config.ts";
import type { Progress } from "@/progress.ts";
import type { BatchStream } from "@/text/batches.ts";
import type { Example } from "@/text/example.ts";
import type { MetricSums, RunState } from "@/train/checkpoint.ts";
import type { MixingPlan } from "@/train/mixing.ts";
import type { TrainLine } from "@/train/run_folder.ts";
import type { StepBatches, TrainState, TrainStep } from "@/train/step.ts";
import { readLogVariances } from "@/train/trained_parameters.ts";

/** A task's training examples and batch stream. */
export type LoopTask = { readonly examples: readonly Example[]; readonly stream: BatchStream };

/** Everything that is constant during a run. */
export type LoopSetup = {
  readonly trainStep: TrainStep;
  /** Tasks by name. */
  readonly tasks: ReadonlyMap<string, LoopTask>;
  readonly mixing: MixingPlan;
  /** Number of steps in the run. */
  readonly steps: number;
  readonly training: Pick<TrainingConfig, "accumulate" | "logEvery">;
  readonly nowMs: () => number;
};

/** State that changes with every step; `sums` starts again after each line of metrics. */
export type LoopState = Pick<RunState, "tokens" | "sums" | "best"> & {
  readonly train: TrainState;
  readonly trainSeconds: number;
};

/** Result of one step. */
type StepResult = {
  readonly state: LoopState;
  /** Mean loss per label, by task. */
  readonly losses: Readonly<Record<string, number>>;
  /** The line of metrics if one is due at this step, else null. */
  readonly line: TrainLine | null;
};

/** Sums over zero steps. */
const NO_SUMS: MetricSums = { steps: 0, gradientNorm: 0, losses: {} };

/** The state of the loop before the first step. */
export function startLoop(train: TrainState): LoopState {
  return { train, tokens: 0, sums: NO_SUMS, best: null, trainSeconds: 0 };
}

/** Takes the next batches of the tasks in step `step`, counted from 0. */
function takeBatches({ tasks, mixing, training }: LoopSetup, step: number): StepBatches {
  return new Map(
    mixing.tasksOfStep(step).map((name) => {
      const task = tasks.get(name);
      if (task === undefined) throw new TypeError(`internal: no task ${name}`);
      return [name, Array.from({ length: training.accumulate }, () => task.stream.next())] as const;
    }),
  );
}

/** Runs one step of the loop, which consumes `state.train`. */
export async function runStep(setup: LoopSetup, state: LoopState): Promise<StepResult> {
  const { trainStep, mixing, steps, training, nowMs } = setup;
  const startMs = nowMs();
  const [train, metrics] = await trainStep(state.train, takeBatches(setup, state.train.step));
  const { skipped, gradientNorm, losses, tokens, rate } = metrics;
  const { step, lossScaler } = train;
  const sums: MetricSums = {
    steps: state.sums.steps + Number(!skipped),
    gradientNorm: state.sums.gradientNorm + (skipped ? 0 : gradientNorm),
    losses: addLosses(state.sums.losses, losses),
  };
  const due = step % training.logEvery === 0 || step === steps;
  const next: LoopState = {
    ...state,
    train,
    tokens: state.tokens + tokens,
    trainSeconds: state.trainSeconds + (nowMs() - startMs) / 1000,
    sums: due ? NO_SUMS : sums,
  };
  if (!due) return { state: next, losses: averageLosses(losses), line: null };
  const logVariances = await readLogVariances(train.parameters);
  const line: TrainLine = {
    kind: "train",
    step,
    epoch: step / mixing.stepsPerEpoch,
    losses: averageLosses(sums.losses),
    gradientNorm: sums.gradientNorm / Math.max(1, sums.steps),
    rate,
    tokens: next.tokens,
    seconds: next.trainSeconds,
    ...(lossScaler !== null && { lossScale: lossScaler.scale, skipped: train.skipped }),
    ...(Object.keys(logVariances).length > 0 && { logVariances }),
  };
  return { state: next, losses: averageLosses(losses), line };
}

/** Adds the losses of a step to the sums before it. */
function addLosses(sums: MetricSums["losses"], losses: MetricSums["losses"]): MetricSums["losses"] {
  const added = Object.entries(losses).map(([task, { sum, count }]) => {
    const before = sums[task] ?? { sum: 0, count: 0 };
    return [task, { sum: before.sum + sum, count: before.count + count }] as const;
  });
  return { ...sums, ...Object.fromEntries(added) };
}

/** Mean loss per label, by task; tasks without labels are omitted. */
export function averageLosses(losses: MetricSums["losses"]): Record<string, number> {
  return Object.fromEntries(
    Object.entries(losses).flatMap(([task, { sum, count }]) =>
      count > 0 ? [[task, sum / count] as const] : []
    ),
  );
}

/** Progress of training. */
type StepStatus = {
  readonly step: number;
  readonly steps: number;
  /** Loss by task. */
  readonly losses: Readonly<Record<string, number>>;
  /** Tokens processed, without padding. */
  readonly tokens: number;
  /** Seconds spent training. */
  readonly seconds: number;
};

/** Formats losses and tokens per second as details; the view adds steps per second and the remaining time. */
export function describeStep(status: StepStatus): Progress {
  const { step, steps, losses, tokens, seconds } = status;
  const details = Object.entries(losses).map(([task, loss]) => `${task} ${loss.toFixed(3)}`);
  if (seconds > 0) details.push(`${formatCount(tokens / seconds)} tokens/s`);
  return { label: "train", done: step, total: steps, details };
}

/** Formats a count with at most three digits: `812`, `2.5k`, `31k`. */
function formatCount(count: number): string {
  if (count < 1000) return count.toFixed(0);
  return count < 9950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1000).toFixed(0)}k`;
}
