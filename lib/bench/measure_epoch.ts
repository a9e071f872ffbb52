/**
 * The first steps of a real run with its own batches, and the shapes of those batches.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { readEngineTimes } from "@/engine/timing.ts";
import { LOOP_START, runStep } from "@/train/train_loop.ts";
import { type PreparedRun, prepareRun } from "@/train/prepare_run.ts";
import { garbageCollector } from "@/process_memory.ts";
import type { BatchShape, EpochJob, Measurement, ModelShape } from "@/bench/job.ts";

/** What PyTorch needs to do steps of the same shapes. */
export type EpochShape = {
  readonly model: ModelShape;
  readonly steps: readonly (readonly BatchShape[])[];
};

const MIB = 2 ** 20;

/** Share of the steps after which every padded length has most likely been met. */
const SETTLED = 0.5;

/** The shapes of a run's first batches; draws them from its streams. */
export function drawShapes({ setup, model }: PreparedRun, steps: number): EpochShape {
  const { hiddenSize, layers, attentionHeads, intermediateSize } = model.encoder.config;
  return {
    model: { hiddenSize, layers, attentionHeads, intermediateSize },
    steps: Array.from(
      { length: steps },
      (_, step) =>
        setup.mixing.tasksOfStep(step).flatMap((name) => {
          const task = setup.tasks.get(name);
          if (task === undefined) return [];
          const { rows, length, tokens } = task.stream.next();
          return [{ rows, length, tokens }];
        }),
    ),
  };
}

/**
 * Measures steps without the time of compiling; memory is compared between the later steps' beginning and
 * end, each after a full collection.
 */
export async function measureEpoch(
  { config, steps, paddedTokens }: EpochJob,
  nowMs: () => number,
): Promise<readonly Measurement[]> {
  const run = await prepareRun(config, null);
  const setup = { ...run.setup, steps, nowMs };
  let state = LOOP_START;
  const begun = readEngineTimes();
  const timesMs: number[] = [];
  const tensors: number[] = [];
  const collect = garbageCollector();
  const residentMiB = () => {
    collect(); // JavaScript's heap takes what it is given and would count as growth
    return Deno.memoryUsage().rss / MIB;
  };
  const settled = Math.floor(SETTLED * (steps - 1));
  let settledMiB = NaN;
  for (let step = 0; step < steps; step++) {
    const before = readEngineTimes().prepareMs;
    const startMs = nowMs();
    state = (await runStep(setup, state)).state;
    timesMs.push(nowMs() - startMs - (readEngineTimes().prepareMs - before));
    tensors.push(tf.memory().numTensors);
    if (step === settled) settledMiB = residentMiB();
  }
  const ended = readEngineTimes();
  const totalMs = timesMs.reduce((sum, ms) => sum + ms, 0);
  const residentGrowthMiB = residentMiB() - settledMiB;
  run.dispose();
  return [{
    label: "",
    timesMs,
    details: {
      tokensPerSecond: state.tokens / totalMs * 1000,
      paddedTokensPerSecond: paddedTokens / totalMs * 1000,
      javascriptShare: 1 - (ended.runMs - begun.runMs) / totalMs,
      compileMs: ended.prepareMs - begun.prepareMs,
      programs: ended.prepared - begun.prepared,
      tensorGrowth: (tensors.at(-1) ?? NaN) - (tensors[0] ?? NaN),
      residentMiB: settledMiB,
      residentGrowthMiB,
    },
  }];
}
