/**
 * The first steps of a real run with its own batches, and the shapes of those batches.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { readEngineTimes } from "@/engine/timing.ts";
import { LOOP_START, type LoopSetup, runStep } from "@/train/train_loop.ts";
import { type PreparedRun, prepareRun } from "@/train/prepare_run.ts";
import { garbageCollector } from "@/process_memory.ts";
import { median } from "@/bench/statistics.ts";
import type { Batch, Example } from "@/text/example.ts";
import type { BatchShape, EpochJob, Measurement, ModelShape } from "@/bench/job.ts";

/** What PyTorch needs to do steps of the same shapes. */
export type EpochShape = {
  readonly model: ModelShape;
  readonly steps: readonly (readonly BatchShape[])[];
};

const MIB = 2 ** 20;

/** Share of the steps after which every padded length has most likely been met. */
const SETTLED = 0.5;

/**
 * Every so many of the steps after that are followed by one of a fixed shape, `step-mini`'s, so that both meet
 * the same machine.
 */
const FIXED = { every: 4, rows: 32, length: 64 } as const;

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

/** A batch whose rows are full, made of what examples hold, over and over. */
export function fillBatch(
  examples: readonly Example[],
  { rows, length }: { readonly rows: number; readonly length: number },
): Batch {
  const size = rows * length;
  const repeat = (values: readonly number[], count: number) =>
    Int32Array.from({ length: count }, (_, i) => values[i % values.length] ?? 0);
  const ids = examples.flatMap(({ ids }) => [...ids]);
  const labels = examples.flatMap(({ labels }) => [...labels]);
  return {
    rows,
    length,
    ids: repeat(ids, size),
    mask: new Int32Array(size).fill(1),
    labels: repeat(labels, labels.length === ids.length ? size : rows),
    examples: [],
    tokens: size,
  };
}

/**
 * A step of a fixed shape over the tasks of the first step, its learning rate zero: weights stay, AdamW's
 * moments move. Programs and the time of compiling count with those of the run.
 */
function createFixedStep(
  { step, tasks, mixing }: LoopSetup,
  shape: { readonly rows: number; readonly length: number },
): { readonly tokens: number; readonly run: () => Promise<void> } {
  const batches = [...new Set(mixing.tasksOfStep(0))].flatMap((name) => {
    const examples = tasks.get(name)?.examples.slice(0, shape.rows) ?? [];
    return examples.length === 0 ? [] : [{ name, batch: fillBatch(examples, shape) }];
  });
  return {
    tokens: batches.reduce((sum, { batch }) => sum + batch.tokens, 0),
    async run() {
      for (const [i, { name, batch }] of batches.entries()) await step.accumulate(name, batch, i);
      await step.update({ factor: 0 });
    },
  };
}

/**
 * Measures steps without the time of compiling. Speeds are of the settled half, when memory is there for every
 * length; memory is compared between that half's beginning and end, each after a full collection.
 */
export async function measureEpoch(
  { config, steps, paddedTokens }: EpochJob,
  nowMs: () => number,
): Promise<readonly Measurement[]> {
  const run = await prepareRun(config, null);
  const setup = { ...run.setup, steps, nowMs };
  const { maxLength } = config.model;
  const fixed = createFixedStep(setup, {
    rows: config.training.batchRows ?? FIXED.rows,
    length: Math.min(FIXED.length, maxLength),
  });
  const begun = readEngineTimes();
  const collect = garbageCollector();
  const residentMiB = () => {
    collect(); // JavaScript's heap takes what it is given and would count as growth
    return Deno.memoryUsage().rss / MIB;
  };
  /** Milliseconds that work takes beside compiling, and those of them in programs. */
  const time = async (work: () => Promise<void>) => {
    const before = readEngineTimes(), startMs = nowMs();
    await work();
    const after = readEngineTimes();
    const ms = nowMs() - startMs - (after.prepareMs - before.prepareMs);
    return { ms, runMs: after.runMs - before.runMs };
  };
  const settled = Math.floor(SETTLED * (steps - 1));
  let state = LOOP_START, settledMiB = NaN, settledTokens = 0;
  const taken: { readonly ms: number; readonly runMs: number }[] = [];
  const tensors: number[] = [];
  const fixedMs: number[] = [];
  for (let step = 0; step < steps; step++) {
    taken.push(await time(async () => void ({ state } = await runStep(setup, state))));
    tensors.push(tf.memory().numTensors);
    if (step === settled) {
      settledTokens = state.tokens;
      await fixed.run(); // compiles and takes its memory
      settledMiB = residentMiB();
    } else if (step > settled && (step - settled) % FIXED.every === 1) {
      fixedMs.push((await time(fixed.run)).ms);
    }
  }
  const ended = readEngineTimes();
  const sum = (of: (step: typeof taken[number]) => number, from = 0) =>
    taken.slice(from).reduce((total, step) => total + of(step), 0);
  const totalMs = sum(({ ms }) => ms), settledMs = sum(({ ms }) => ms, settled + 1);
  const residentGrowthMiB = residentMiB() - settledMiB;
  run.dispose();
  const tokensPerSecond = (state.tokens - settledTokens) / settledMs * 1000;
  const fixedTokensPerSecond = fixed.tokens / median(fixedMs) * 1000;
  return [{
    label: "",
    timesMs: taken.map(({ ms }) => ms),
    details: {
      tokensPerSecond,
      padding: 1 - state.tokens / paddedTokens,
      fixedTokensPerSecond,
      ofFixedShape: tokensPerSecond / fixedTokensPerSecond,
      javascriptShare: 1 - sum(({ runMs }) => runMs) / totalMs,
      compileMs: ended.prepareMs - begun.prepareMs,
      programs: ended.prepared - begun.prepared,
      tensorGrowth: (tensors.at(-1) ?? NaN) - (tensors[0] ?? NaN),
      residentMiB: settledMiB,
      residentGrowthMiB,
    },
  }];
}
