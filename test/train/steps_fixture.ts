/** The batches and recipe of `test/parity/train_parity.py`, and the model at its start. */
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
  /** Every parameter after the last step: its values as float32, in base64. */
  readonly final: Readonly<Record<string, string>>;
};

/** Reads a fixture of training. */
export async function readFixture<T>(name: string): Promise<T> {
  const url = new URL(`../fixtures/train/${name}`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(url));
}

/** `steps.json`. */
export const STEPS: StepsFixture = await readFixture("steps.json");

/** The tasks of the fixture. */
export const TASKS = Object.keys(STEPS.recipe.weights);

/** The batch of a task at a step: each has four, in turn. */
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

/** The tiny model with the fixture's starting values. */
export function createFixtureModel(): MultiTask {
  const model = createTinyModel();
  for (const { name, variable } of namedParameters(model)) {
    tf.tidy(() => variable.assign(tf.tensor(formulaValues(name, variable.shape), variable.shape)));
  }
  return model;
}

/** The programs of a model's steps by the fixture's recipe, dropout off. */
export function createFixtureStep(
  model: MultiTask,
  options: Partial<StepOptions> = {},
): TrainStep {
  const { recipe } = STEPS;
  return createTrainStep(model, {
    tasks: Object.entries(recipe.weights).map(([name, weight]) => ({ name, weight })),
    rates: recipe,
    weightDecay: recipe.weightDecay,
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    clipNorm: recipe.clipNorm,
    dropout: { hidden: 0, attention: 0, head: 0 },
    ...options,
  });
}

/** |a − b| in parts of |b|. */
export function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.abs(b);
}
