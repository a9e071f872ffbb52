/** The batches, the recipe and the initial model of `test/parity/train_parity.py`. */
import * as tf from "@tensorflow/tfjs";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";
import { createTrainStep, type StepOptions, type TrainStep } from "@/train/step.ts";
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

/** Creates the step programs of a model with the fixture's recipe, without dropout. */
export function createFixtureStep(
  model: MultiTask,
  options: Partial<StepOptions> = {},
): TrainStep {
  const { recipe } = STEPS;
  return createTrainStep(model, {
    tasks: Object.entries(recipe.weights).map(([name, weight]) => ({ name, weight })),
    learningRates: recipe,
    weightDecay: recipe.weightDecay,
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    clipNorm: recipe.clipNorm,
    dropout: { hidden: 0, attention: 0, head: 0 },
    ...options,
  });
}

/** Relative difference |a − b| / |b|. */
export function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.abs(b);
}
