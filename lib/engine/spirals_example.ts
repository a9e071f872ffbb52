/**
 * The engine by itself: a network that separates three spirals, in plain TensorFlow.js, trained by compiled programs and
 * by TensorFlow.js's own `cpu` backend. Run it with `deno run -A lib/engine/spirals_example.ts`.
 *
 * Shapes: N points, H hidden units, C classes (the arms of the spiral).
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { jit, openEngine } from "./library.ts";

const N = 1536, H = 128, C = 3;
const LEARNING_RATE = 0.1, MOMENTUM = 0.9;

/** One training by one backend. */
type Training = {
  /** Loss before each step. */
  readonly losses: readonly number[];
  /** Share of the points that the trained network classifies correctly. */
  readonly accuracy: number;
  /** Time of a step after the first one, which compiles. */
  readonly stepMs: number;
};

/** Points on C arms of a spiral, `points` [N, 2], and their arm as `labels` [N, C]. */
function makeSpirals() {
  const index = tf.range(0, N);
  const arm = tf.mod(index, C).toInt();
  const radius = tf.add(0.05, tf.div(tf.floorDiv(index, C), N / C)); // [N], 0.05 … 1.05
  const angle = tf.add(tf.mul(radius, 5), tf.mul(arm, 2 * Math.PI / C));
  const points = tf.stack([tf.mul(radius, tf.cos(angle)), tf.mul(radius, tf.sin(angle))], 1);
  return { points: points as tf.Tensor2D, labels: tf.oneHot(arm, C) as tf.Tensor2D };
}

/** Random weights of a dense layer; equal seeds give equal weights on every backend. */
function makeLayer(inputs: number, outputs: number, seed: number) {
  const deviation = Math.sqrt(2 / inputs); // He et al., arXiv 1502.01852
  return {
    kernel: tf.variable(
      tf.randomNormal<tf.Rank.R2>([inputs, outputs], 0, deviation, "float32", seed),
    ),
    bias: tf.variable(tf.zeros<tf.Rank.R1>([outputs])),
  };
}

/** Trains a network on the current backend of TensorFlow.js. */
async function train(steps: number): Promise<Training> {
  const { points, labels } = tf.tidy(makeSpirals);
  const layers = tf.tidy(() => [makeLayer(2, H, 1), makeLayer(H, H, 2), makeLayer(H, C, 3)]);
  const weights = layers.flatMap(({ kernel, bias }) => [kernel, bias]) as tf.Variable[];
  const parameters = weights.map((weight) => {
    return { weight, velocity: tf.tidy(() => tf.variable(tf.zeros(weight.shape))) };
  });
  const classify = (x: tf.Tensor2D) =>
    layers.reduce((x, { kernel, bias }, layer) => {
      const sum = tf.add(tf.matMul(x, kernel), bias) as tf.Tensor2D;
      return layer === layers.length - 1 ? sum : tf.relu(sum);
    }, x); // [N, C]

  const step = jit("step", ({ x, y }: { x: tf.Tensor2D; y: tf.Tensor2D }) => {
    const { value: loss, grads } = tf.variableGrads(
      () => tf.losses.softmaxCrossEntropy(y, classify(x)) as tf.Scalar,
      weights,
    );
    for (const { weight, velocity } of parameters) {
      const gradient = grads[weight.name] as tf.Tensor;
      velocity.assign(tf.sub(tf.mul(velocity, MOMENTUM), tf.mul(gradient, LEARNING_RATE)));
      weight.assign(tf.add(weight, velocity));
    }
    return { loss };
  });
  const score = jit("score", ({ x, y }: { x: tf.Tensor2D; y: tf.Tensor2D }) => ({
    accuracy: tf.mean(tf.cast(tf.equal(tf.argMax(classify(x), 1), tf.argMax(y, 1)), "float32")),
  }));

  const losses: number[] = [];
  let startMs = 0;
  for (let i = 0; i < steps; i++) {
    if (i === 1) startMs = performance.now();
    const { loss } = await step({ x: points, y: labels });
    losses.push((await loss.data())[0] ?? NaN);
    loss.dispose();
  }
  const stepMs = (performance.now() - startMs) / (steps - 1);
  const { accuracy } = await score({ x: points, y: labels });
  const [share = NaN] = await accuracy.data();
  step.release();
  score.release();
  tf.dispose([points, labels, accuracy, parameters]);
  return { losses, accuracy: share, stepMs };
}

/** Trains the same network for `steps` steps by compiled programs and by TensorFlow.js's `cpu` backend. */
export async function runExample(steps: number) {
  await openEngine();
  const compiled = await train(steps);
  await tf.setBackend("cpu");
  return { compiled, plain: await train(steps) };
}

if (import.meta.main) {
  const { compiled, plain } = await runExample(60);
  for (
    const [name, { losses, accuracy, stepMs }] of [["compiled", compiled], [
      "TensorFlow.js cpu",
      plain,
    ]] as const
  ) {
    console.log(
      `${name.padEnd(18)} ${stepMs.toFixed(2).padStart(8)} ms per step, loss ${
        losses.at(-1)?.toFixed(6)
      }, ` +
        `accuracy ${(100 * accuracy).toFixed(1)} %`,
    );
  }
  const differences = compiled.losses.map((loss, i) => Math.abs(loss - (plain.losses[i] ?? NaN)));
  console.log(
    `${(plain.stepMs / compiled.stepMs).toFixed(0)} times as fast; losses differ by at most ${
      Math.max(...differences).toExponential(1)
    }`,
  );
}
