/**
 * Built-in functions to inspect: small ones that each show one thing, and the programs of a training step and of
 * encoding. Shapes: B rows, T tokens, N = B·T, D columns, A heads.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import {
  type InspectableFunction,
  type Inspection,
  onProgram,
} from "@/engine/inspect/inspection.ts";
import { jit, type TensorMap } from "@/engine/jit.ts";
import { gelu, layerNorm } from "@/engine/neural.ts";
import { startProfile, stopProfile, takeProfile } from "@/engine/profile.ts";
import { createEncoder, createModel } from "@/model/initialize.ts";
import { dynamicBatchDimensions, type InputTensors } from "@/model/bert.ts";
import { embed } from "@/model/multi_task.ts";
import { disposeModel, type MultiTask } from "@/model/parameters.ts";
import { stream } from "@/random.ts";
import { didYouMean } from "@/suggest.ts";
import {
  addDecayedWeights,
  chain,
  scaleByAdam,
  scaleByLearningRate,
  updateAlone,
} from "@/train/optimizer.ts";
import { createTrainState, createTrainStep } from "@/train/step.ts";
import { createTrainedParameters } from "@/train/trained_parameters.ts";

/** A function with inputs of its own, ready to be called. */
type Started = { readonly call: () => Promise<void>; readonly release: () => void };

/** A built-in function: what it shows, and `start`, which creates its tensors. */
type BuiltIn = { readonly what: string; readonly start: () => Started };

/** Random numbers of a shape; equal shapes give equal numbers. */
function draw(...shape: number[]): tf.Tensor {
  const { normal } = stream(1, "inspect", `${shape}`);
  const size = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => normal()), shape);
}

/** A function of random inputs with these shapes, compiled by `jit`. */
function compiled<const Name extends string>(
  name: string,
  shapes: { readonly [K in Name]: readonly number[] },
  run: (inputs: { readonly [K in Name]: tf.Tensor }) => TensorMap,
): Started {
  const inputs = Object.fromEntries(
    Object.entries<readonly number[]>(shapes).map(([name, shape]) => [name, draw(...shape)]),
  ) as { readonly [K in Name]: tf.Tensor };
  const program = jit<typeof inputs, TensorMap>(name, run);
  return {
    call: async () => void tf.dispose(await program(inputs)),
    release() {
      program.release();
      tf.dispose(inputs);
    },
  };
}

/** Shapes of the small functions: N rows of D columns. */
const N = 64, D = 128;

/** The functions by name. */
export const FUNCTIONS = {
  softmax: {
    what: "one loop nest with two row reductions",
    start: () => compiled("softmax", { x: [N, D] }, ({ x }) => ({ y: tf.softmax(x) })),
  },
  layer_norm: {
    what: "mean, variance and result in three loops over a row",
    start: () =>
      compiled("layer_norm", { x: [N, D], gain: [D], bias: [D] }, ({ x, gain, bias }) => ({
        y: layerNorm(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D, 1e-12),
      })),
  },
  layer_norm_gradient: {
    what: "row and column sums in one nest, and partial sums of threads that are combined",
    start: () =>
      compiled(
        "layer_norm_gradient",
        { x: [N, D], gain: [D], bias: [D], dy: [N, D] },
        ({ x, gain, bias, dy }) => {
          const norm = (x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor) =>
            layerNorm(x as tf.Tensor2D, gain as tf.Tensor1D, bias as tf.Tensor1D, 1e-12);
          const [dx, dgain, dbias] = tf.grads(norm)([x, gain, bias], dy) as [
            tf.Tensor,
            tf.Tensor,
            tf.Tensor,
          ];
          return { dx, dgain, dbias };
        },
      ),
  },
  gelu: {
    what: "elementwise operations without rows, cut anywhere",
    start: () => compiled("gelu", { x: [N, 4 * D] }, ({ x }) => ({ y: gelu(x) })),
  },
  matmul_bias: {
    what: "a matrix product that absorbs its bias, with ReLU as epilogue",
    start: () =>
      compiled("matmul_bias", { x: [N, D], weight: [D, D], bias: [D] }, ({ x, weight, bias }) => ({
        y: tf.relu(tf.add(tf.matMul(x, weight), bias)),
      })),
  },
  attention: {
    what: "batched matrix products, and a softmax as epilogue of the first",
    start: () =>
      compiled(
        "attention",
        { q: [2, 4, 32, 32], k: [2, 4, 32, 32], v: [2, 4, 32, 32] }, // [B, A, T, D / A]
        ({ q, k, v }) => {
          const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(32));
          return { y: tf.matMul(tf.softmax(scores), v) };
        },
      ),
  },
  adamw: {
    what: "variables that are updated in place",
    start: startAdamw,
  },
  "step-mini": {
    what: "a training step of a small model: the gradients of a task, and the update",
    start: startStep,
  },
  encode: {
    what: "sentence embeddings of a small model, compiled once for all batch shapes",
    start: startEncode,
  },
} as const satisfies { readonly [name: string]: BuiltIn };

/** Name of a built-in function. */
export type FunctionName = keyof typeof FUNCTIONS;

/** The name of a built-in function; throws an error that lists those that exist. */
export function readFunctionName(name: string): FunctionName {
  const known = Object.keys(FUNCTIONS) as FunctionName[];
  const found = known.find((each) => each === name);
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot inspect: there is no function ${name}${didYouMean(name, known)}; the functions are ${
      known.join(", ")
    }`,
  );
}

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

function startAdamw(): Started {
  const [weight, first, second] = ["weight", "first", "second"].map((name) =>
    tf.tidy(() => tf.variable(tf.zeros([N, D]), false, `inspect.${name}`))
  ) as [tf.Variable, tf.Variable, tf.Variable];
  const adamW = chain(scaleByAdam(ADAM), addDecayedWeights(), scaleByLearningRate());
  const plan = { learningRate: 1e-3, weightDecay: 0.01 };
  const scalars = { rate: 1, corrected: 1, epsilon: 1e-8 };
  const names = Object.keys(scalars) as (keyof typeof scalars)[];
  const inputs = {
    gradient: draw(N, D),
    ...Object.fromEntries(names.map((name) => [name, tf.scalar(scalars[name])])),
  } as { readonly [K in keyof typeof scalars]: tf.Scalar } & { readonly gradient: tf.Tensor };
  const program = jit("adamw", ({ gradient, ...scalars }: typeof inputs) => {
    const updated = updateAlone(adamW, { plan, weight, gradient, first, second }, scalars);
    weight.assign(updated.weight);
    first.assign(updated.first);
    second.assign(updated.second);
    return {};
  });
  return {
    call: async () => void await program(inputs),
    release() {
      program.release();
      tf.dispose([inputs, weight, first, second]);
    },
  };
}

const TASK = { name: "topic", kind: "classification", labels: ["a", "b", "c", "d"] } as const;
const B = 16, T = 32;

/** A randomly initialized model: the shape of the preset `quickstart` with one layer. */
function createMini(): MultiTask {
  const encoder = createEncoder({
    ...{ vocabularySize: 2000, hiddenSize: 128, layers: 1, attentionHeads: 4 },
    ...{ intermediateSize: 256, maxPositions: 128, typeVocabularySize: 2 },
    ...{ layerNormEpsilon: 1e-12, initializerRange: 0.02, padId: 0 },
    dropout: { hidden: 0.1, attention: 0.1 },
  }, { seed: 1 });
  return createModel(encoder, {
    ...{ tasks: [TASK], pooling: "mean", embeddingSize: null, normalize: "none", seed: 1 },
  });
}

function startStep(): Started {
  const model = createMini();
  const tasks = [{ name: TASK.name, weight: 1 }];
  const { parameters, dispose } = createTrainedParameters(model, {
    tasks,
    learningRates: { top: 1e-4, decay: 1, heads: 1e-4 },
    weightDecay: 0.01,
  });
  const trainStep = createTrainStep(model, parameters, {
    tasks,
    schedule: () => 1,
    adam: ADAM,
    clipNorm: 1,
    dropout: { hidden: 0.1, attention: 0.1, head: 0.1 },
    seed: 1,
  });
  let state = createTrainState(parameters, {});
  const batch = {
    ...{ rows: B, length: T, tokens: B * T, examples: [] },
    ids: Int32Array.from({ length: B * T }, (_, i) => 5 + i),
    mask: new Int32Array(B * T).fill(1),
    labels: Int32Array.from({ length: B }, (_, i) => i % TASK.labels.length),
  };
  return {
    async call() {
      [state] = await trainStep(state, new Map([[TASK.name, [batch]]]));
    },
    release() {
      dispose();
      disposeModel(model);
    },
  };
}

function startEncode(): Started {
  const model = createMini();
  const inputs = {
    ids: tf.tensor2d(Int32Array.from({ length: B * T }, (_, i) => 5 + i), [B, T], "int32"),
    mask: tf.ones([B, T], "int32") as tf.Tensor2D,
  };
  const program = jit("encode", (inputs: InputTensors) => ({ embeddings: embed(model, inputs) }), {
    dynamic: dynamicBatchDimensions(model),
  });
  return {
    call: async () => void tf.dispose(await program(inputs)),
    release() {
      program.release();
      tf.dispose(inputs);
      disposeModel(model);
    },
  };
}

/** Calls before the time is taken, which compile and fill caches; rounds of later calls, and the time of a round. */
const WARM_UP = 3, ROUNDS = 5, ROUND_MS = 60;

/** Compiles and runs a built-in function on the open engine; gives its programs at every stage. */
export async function inspectBuiltIn(name: FunctionName): Promise<readonly Inspection[]> {
  return await inspectCalls(FUNCTIONS[name].start);
}

/**
 * The programs that are compiled while `start` and its calls run. Their times are the means of the fastest of several
 * rounds of calls, since other processes may disturb some.
 */
export async function inspectCalls(start: () => Started): Promise<readonly Inspection[]> {
  const programs: InspectableFunction[] = [];
  startProfile(); // so that times can be reset
  const stop = onProgram((program) => programs.push(program));
  let started: Started | null = null;
  try {
    started = start();
    for (let i = 0; i < WARM_UP; i++) await started.call();
    let best: readonly Inspection[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      takeProfile();
      const startMs = performance.now();
      do await started.call(); while (performance.now() - startMs < ROUND_MS);
      best = programs.map(({ inspect }, i) => {
        const now = inspect(), before = best[i];
        return before === undefined || secondsOf(now) < secondsOf(before) ? now : before;
      });
    }
    return best;
  } finally {
    stop();
    stopProfile();
    started?.release();
  }
}

/** Seconds of a run of a program. */
function secondsOf({ groups, runs }: Inspection): number {
  return groups.reduce((sum, { seconds }) => sum + seconds, 0) / runs;
}
