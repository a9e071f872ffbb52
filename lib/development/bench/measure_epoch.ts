/**
 * Measures the first steps of a real run with its own batches: an {@link EpochJob}.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { readEngineTimes } from "@/engine/timing.ts";
import { type LoopSetup, type LoopState, runStep } from "@/train/train_loop.ts";
import { type PreparedRun, prepareRun } from "@/train/prepare_run.ts";
import { garbageCollector } from "@/system/process_memory.ts";
import { median } from "@/statistics.ts";
import type { Batch, Example } from "@/text/example.ts";
import type { BatchShape, EpochJob, Measurement, ModelShape } from "./job.ts";

/** Shapes that PyTorch needs to run equivalent steps. */
export type EpochShape = {
  readonly model: ModelShape;
  readonly steps: readonly (readonly BatchShape[])[];
};

const MIB = 2 ** 20;

/** Fraction of the steps after which most padded lengths have occurred; the rest is measured. */
const WARM_UP_FRACTION = 0.5;

/**
 * Fixed-shape reference steps (the shape of `step-mini`), interleaved every few steps of the measured part, so
 * that both run under the same conditions of the machine.
 */
const FIXED = { every: 4, rows: 32, length: 64 } as const;

/** Shapes of the first batches of a run. Advances the run's data streams. */
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

/** Fills a batch without padding by repeating the tokens and labels of examples. */
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
 * Creates a training step of fixed shape over the tasks of the first step. It trains the run's parameters, but does
 * not count as a step. Its programs and compile time count as those of the run.
 */
function createFixedStep(
  { trainStep, tasks, mixing }: LoopSetup,
  shape: { readonly rows: number; readonly length: number },
): { readonly tokens: number; readonly run: (state: LoopState) => Promise<LoopState> } {
  const batches = [...new Set(mixing.tasksOfStep(0))].flatMap((name) => {
    const examples = tasks.get(name)?.examples.slice(0, shape.rows) ?? [];
    return examples.length === 0 ? [] : [[name, [fillBatch(examples, shape)]] as const];
  });
  return {
    tokens: batches.reduce((sum, [, [batch]]) => sum + (batch?.tokens ?? 0), 0),
    async run(state) {
      const [train] = await trainStep(state.train, new Map(batches));
      return { ...state, train: { ...train, step: state.train.step } };
    },
  };
}

/**
 * Measures steps, excluding compile time. Throughput is that of the second half, when memory is allocated for
 * every length. Memory growth is measured over the same half, after a full garbage collection at both ends.
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
    collect(); // otherwise uncollected JavaScript objects would count as growth
    return Deno.memoryUsage().rss / MIB;
  };
  /** Milliseconds of `work` without compilation, and the part of them spent in compiled programs. */
  const time = async (work: () => Promise<void>) => {
    const before = readEngineTimes(), startMs = nowMs();
    await work();
    const after = readEngineTimes();
    const ms = nowMs() - startMs - (after.prepareMs - before.prepareMs);
    return { ms, runMs: after.runMs - before.runMs };
  };
  const lastWarmUp = Math.floor(WARM_UP_FRACTION * (steps - 1));
  let state = run.start, warmMiB = NaN, warmTokens = 0;
  const taken: { readonly ms: number; readonly runMs: number }[] = [];
  const tensors: number[] = [];
  const fixedMs: number[] = [];
  for (let step = 0; step < steps; step++) {
    taken.push(await time(async () => void ({ state } = await runStep(setup, state))));
    tensors.push(tf.memory().numTensors);
    if (step === lastWarmUp) {
      warmTokens = state.tokens;
      state = await fixed.run(state); // warm-up: compiles and allocates
      warmMiB = residentMiB();
    } else if (step > lastWarmUp && (step - lastWarmUp) % FIXED.every === 1) {
      fixedMs.push((await time(async () => void (state = await fixed.run(state)))).ms);
    }
  }
  const ended = readEngineTimes();
  const sum = (of: (step: typeof taken[number]) => number, from = 0) =>
    taken.slice(from).reduce((total, step) => total + of(step), 0);
  const totalMs = sum(({ ms }) => ms), warmMs = sum(({ ms }) => ms, lastWarmUp + 1);
  const residentGrowthMiB = residentMiB() - warmMiB;
  run.dispose();
  const tokensPerSecond = (state.tokens - warmTokens) / warmMs * 1000;
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
      residentMiB: warmMiB,
      residentGrowthMiB,
    },
  }];
}
