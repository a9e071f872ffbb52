/**
 * Measures training steps of a randomly initialized model on random tokens: a {@link StepJob}.
 * @module
 */
import { currentEngine } from "@/engine/engine.ts";
import { startProfile, stopProfile, takeProfile } from "@/engine/profile.ts";
import { readEngineTimes } from "@/engine/timing.ts";
import { createEncoder, createModel } from "@/model/initialize.ts";
import { disposeModel, type Encoder, type MultiTask } from "@/model/parameters.ts";
import { type Prng, stream } from "@/random.ts";
import type { Batch } from "@/text/example.ts";
import { createTrainState, createTrainStep } from "@/train/step.ts";
import { createTrainedParameters } from "@/train/trained_parameters.ts";
import type { BatchShape, Measurement, ModelShape, StepJob } from "./job.ts";
import { summarizeProfile } from "./step_profile.ts";

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const TASKS = [
  { name: "topic", kind: "classification", labels: [..."abcd"] },
  { name: "entities", kind: "tagging", labels: [..."abcdefghi"] },
] as const;

/** Creates a randomly initialized encoder of a shape, with BERT's defaults for all other settings. */
export function createBenchEncoder(
  { hiddenSize, layers, attentionHeads, intermediateSize }: ModelShape,
  { vocabularySize = 30522, maxPositions = 512 } = {},
): Encoder {
  return createEncoder({
    vocabularySize,
    hiddenSize,
    layers,
    attentionHeads,
    intermediateSize,
    maxPositions,
    typeVocabularySize: 2,
    layerNormEpsilon: 1e-12,
    initializerRange: 0.02,
    padId: 0,
    dropout: { hidden: 0.1, attention: 0.1 },
  }, { seed: 1 });
}

/** Creates a training step, the state before it, and a function that frees the state. */
function createStep(model: MultiTask, dropout: number) {
  const tasks = TASKS.map(({ name }) => ({ name, weight: 1 }));
  const { parameters, dispose } = createTrainedParameters(model, {
    tasks,
    learningRates: { top: 1e-5, decay: 1, heads: 1e-5 },
    weightDecay: 0.01,
  });
  const trainStep = createTrainStep(model, parameters, {
    tasks,
    schedule: () => 1,
    adam: ADAM,
    clipNorm: 1,
    dropout: { hidden: dropout, attention: dropout, head: dropout },
    seed: 1,
  });
  return { trainStep, start: createTrainState(parameters, {}), dispose };
}

/** Draws a batch of random tokens, with one label per row, or per token for tagging. */
function drawBatch(
  { rows, length, tokens }: BatchShape,
  { kind, labels }: typeof TASKS[number],
  prng: Prng,
): Batch {
  const count = kind === "tagging" ? rows * length : rows;
  return {
    rows,
    length,
    ids: Int32Array.from({ length: rows * length }, () => 1000 + prng.below(29000)),
    mask: new Int32Array(rows * length).fill(1),
    labels: Int32Array.from({ length: count }, () => prng.below(labels.length)),
    examples: [],
    tokens,
  };
}

/** Measures complete steps: forward and backward passes of both tasks and the update. */
export async function measureSteps(
  { model: shape, dropout, warmup, steps, profile }: StepJob,
  nowMs: () => number,
): Promise<readonly Measurement[]> {
  const [first] = steps;
  if (first === undefined) throw new RangeError("internal: a step job without steps");
  const name = currentEngine()?.name;
  if (profile && name !== "native") {
    throw new RangeError(`Cannot profile steps: the executor must be native, not ${name}`);
  }
  const model = createModel(createBenchEncoder(shape), {
    tasks: TASKS,
    pooling: "mean",
    embeddingSize: null,
    normalize: "none",
    seed: 1,
  });
  if (profile) startProfile(); // applies to programs compiled from here on
  const { trainStep, start, dispose } = createStep(model, dropout);
  let state = start;
  const prng = stream(1, "bench");
  const runStep = async (shapes: readonly BatchShape[]) => {
    const batches = TASKS.map((task, i) => {
      const shape = shapes[i];
      if (shape === undefined) throw new RangeError(`internal: no batch of ${task.name}`);
      return [task.name, [drawBatch(shape, task, prng)]] as const;
    });
    const startMs = nowMs();
    [state] = await trainStep(state, new Map(batches));
    return nowMs() - startMs;
  };
  for (let i = 0; i < warmup; i++) await runStep(first);
  takeProfile(); // discards the profile of the warm-up
  const prepared = readEngineTimes();
  const timesMs: number[] = [];
  for (const shapes of steps) timesMs.push(await runStep(shapes));
  const runMs = readEngineTimes().runMs - prepared.runMs;
  const programs = takeProfile();
  stopProfile();
  const totalMs = timesMs.reduce((sum, ms) => sum + ms, 0);
  const tokens = steps.flat().reduce((sum, { tokens }) => sum + tokens, 0);
  dispose();
  disposeModel(model);
  return [{
    label: "",
    timesMs,
    details: {
      tokensPerSecond: tokens / totalMs * 1000,
      javascriptShare: 1 - runMs / totalMs,
      compileMs: prepared.prepareMs,
    },
    ...(profile
      ? { profile: summarizeProfile(programs, { steps: steps.length, totalMs, runMs }) }
      : {}),
  }];
}
