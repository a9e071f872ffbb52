/** The batches, the recipe and the initial model of `test/parity/train_parity.py`. */
import * as tf from "@tensorflow/tfjs";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";
import {
  createTrainState,
  createTrainStep,
  type StepBatches,
  type StepMetrics,
  type StepOptions,
  type TrainState,
  type TrainStep,
} from "@/train/step.ts";
import {
  createTrainedParameters,
  type LearningOptions,
  type TrainedParameters,
} from "@/train/trained_parameters.ts";
import { createTinyModel, formulaValues } from "./tiny_model.ts";

type Numbers = readonly number[];
type StoredBatch = {
  readonly rows: number;
  readonly length: number;
  readonly ids: Numbers;
  readonly mask: Numbers;
  readonly labels: Numbers;
};
export type StepsFixture = {
  readonly recipe: {
    readonly steps: number;
    readonly top: number;
    readonly decay: number;
    readonly heads: number;
    readonly weightDecay: number;
    readonly warmup: number;
    readonly clipNorm: number;
    readonly weights: Readonly<Record<string, number>>;
  };
  readonly batches: Readonly<Record<string, readonly StoredBatch[]>>;
  readonly steps: readonly {
    readonly losses: Readonly<Record<string, number>>;
    readonly gradientNorm: number;
  }[];
  /** Values of every parameter after the last step, as base64 of float32. */
  readonly final: Readonly<Record<string, string>>;
};

/** Reads a training fixture. */
export async function readFixture<T>(name: string): Promise<T> {
  const url = new URL(`../fixtures/train/${name}`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(url));
}

/** The fixture `steps.json`. */
export const STEPS: StepsFixture = await readFixture("steps.json");

/** The tasks of the fixture. */
export const TASKS = Object.keys(STEPS.recipe.weights);

/** The batch of a task at a step; each task cycles through four batches. */
export function batchOf(task: string, step: number): Batch {
  const stored = STEPS.batches[task]?.[step % 4];
  if (stored === undefined) throw new RangeError(`the fixture has no batch of ${task}`);
  const { rows, length, ids, mask, labels } = stored;
  return {
    rows,
    length,
    ids: Int32Array.from(ids),
    mask: Int32Array.from(mask),
    labels: Int32Array.from(labels),
    examples: [],
    tokens: 0,
  };
}

/** The tiny model with the fixture's initial values. */
export function createFixtureModel(): MultiTask {
  const model = createTinyModel();
  for (const { name, variable } of namedParameters(model)) {
    tf.tidy(() => variable.assign(tf.tensor(formulaValues(name, variable.shape), variable.shape)));
  }
  return model;
}

/** The batches of step `step`: of each task, the next `count`. */
export function batchesOf(step: number, tasks: readonly string[] = TASKS, count = 1): StepBatches {
  return new Map(
    tasks.map((task) => [
      task,
      Array.from({ length: count }, (_, i) => batchOf(task, step * count + i)),
    ]),
  );
}

/** Mean loss per label of a task in a step. */
export function meanLoss({ losses }: StepMetrics, task: string): number {
  const { sum, count } = losses[task] ?? { sum: NaN, count: NaN };
  return sum / count;
}

/** Options of a training with the fixture's recipe; by default without dropout, at the peak learning rates. */
export type FixtureOptions = Partial<StepOptions & LearningOptions>;

/** A training before its first step. */
export type FixtureTraining = TrainedParameters & {
  readonly state: TrainState;
  readonly trainStep: TrainStep;
};

/** Creates the training of a model with the fixture's recipe. */
export function createFixtureTraining(
  model: MultiTask,
  options: FixtureOptions = {},
): FixtureTraining {
  const { weights, weightDecay, clipNorm, ...learningRates } = STEPS.recipe;
  const tasks = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
  const trained = createTrainedParameters(model, { tasks, learningRates, weightDecay, ...options });
  const trainStep = createTrainStep(model, trained.parameters, {
    tasks,
    schedule: () => 1,
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    clipNorm,
    dropout: { hidden: 0, attention: 0, head: 0 },
    seed: 1,
    ...options,
  });
  return { ...trained, trainStep, state: createTrainState(trained.parameters, options) };
}

/** Relative difference |a − b| / |b|. */
export function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.abs(b);
}
