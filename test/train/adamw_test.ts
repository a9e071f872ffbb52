import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { stream } from "@/random.ts";
import { adamStep, adamUpdate, traceAdamStep } from "@/train/adamw.ts";
import { clipFactor, globalNorm } from "@/train/clip.ts";
import { testOnBackends } from "../backend.ts";

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** One step of PyTorch 2.13's `_single_tensor_adamw`, line by line in float64; updates `state` in place. */
function torchStepInto(
  state: { w: number; m: number; v: number },
  g: number,
  { t, rate, decay, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: {
    t: number;
    rate: number;
    decay: number;
    beta1?: number;
    beta2?: number;
    epsilon?: number;
  },
): void {
  state.w *= 1 - rate * decay;
  state.m += (g - state.m) * (1 - beta1);
  state.v = state.v * beta2 + (1 - beta2) * g * g;
  const denominator = Math.sqrt(state.v) / Math.sqrt(1 - beta2 ** t) + epsilon;
  state.w -= rate / (1 - beta1 ** t) * state.m / denominator;
}

testOnBackends("adamUpdate() matches PyTorch's AdamW within 1e-6 over 30 steps", () => {
  const { normal } = stream(1, "adamw");
  const rate = 1e-2, decay = 0.1, size = 8;
  const states = Array.from({ length: size }, () => ({ w: normal(), m: 0, v: 0 }));
  let [weight, first, second] = [
    Float32Array.from(states, ({ w }) => w),
    new Float32Array(size),
    new Float32Array(size),
  ];
  for (let t = 1; t <= 30; t++) {
    const factor = t / 30;
    const gradient = Float32Array.from({ length: size }, (_, i) => normal() * 10 ** (i - 6));
    states.forEach((state, i) =>
      torchStepInto(state, gradient[i] ?? NaN, { t, rate: rate * factor, decay })
    );
    [weight, first, second] = tf.tidy(() => {
      const step = adamStep(t, factor, ADAM);
      const updated = adamUpdate({
        weight: tf.tensor1d(weight),
        gradient: tf.tensor1d(gradient),
        first: tf.tensor1d(first),
        second: tf.tensor1d(second),
      }, {
        factor: tf.scalar(step.factor),
        scale: tf.scalar(step.scale),
        epsilon: tf.scalar(step.epsilon),
        clip: tf.scalar(1),
      }, { ...ADAM, learningRate: rate, weightDecay: decay });
      return [updated.weight, updated.first, updated.second].map((tensor) =>
        Float32Array.from(tensor.dataSync())
      ) as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
    });
  }
  states.forEach(({ w, m, v }, i) => {
    ok(Math.abs((weight[i] ?? NaN) - w) < 1e-6 * Math.max(1, Math.abs(w)), `w ${i}`);
    ok(Math.abs((first[i] ?? NaN) - m) < 1e-5 * Math.abs(m) + 1e-12, `m ${i}`);
    ok(Math.abs((second[i] ?? NaN) - v) < 1e-5 * v, `v ${i}`);
  });
});

Deno.test("adamStep() corrects the bias of the first step: the update equals the learning rate", () => {
  // t = 1: √(1 − 0.999) / (1 − 0.9); g / |g| remains of m/√v
  const { scale, epsilon, factor } = adamStep(1, 0.5, ADAM);
  ok(Math.abs(scale - 0.5 * Math.sqrt(0.001) / 0.1) < 1e-15);
  ok(Math.abs(epsilon - 1e-8 * Math.sqrt(0.001)) < 1e-20);
  deepStrictEqual(factor, 0.5);
});

testOnBackends(
  "traceAdamStep() matches adamStep() within 1e-6 from the first to the millionth update",
  () => {
    for (const t of [1, 2, 3, 10, 100, 1000, 10_000, 1_000_000]) {
      const wanted = adamStep(t, 0.7, ADAM);
      const found = tf.tidy(() => {
        const { scale, epsilon } = traceAdamStep(tf.scalar(t), tf.scalar(0.7), ADAM);
        return { scale: scale.dataSync()[0] ?? NaN, epsilon: epsilon.dataSync()[0] ?? NaN };
      });
      ok(Math.abs(found.scale - wanted.scale) < 1e-6 * wanted.scale, `scale at ${t}`);
      ok(Math.abs(found.epsilon - wanted.epsilon) < 1e-6 * wanted.epsilon, `epsilon at ${t}`);
    }
  },
);

testOnBackends(
  "clipFactor() scales gradients above the clipping norm and leaves shorter ones",
  () => {
    const found: number[] = [];
    tf.tidy(() => {
      // √(3² + 4² + 12²) = 13 over two tensors
      const norm = globalNorm([tf.tensor1d([3, 4]), tf.tensor2d([[12]])]);
      for (const each of [norm, clipFactor(norm, 6.5), clipFactor(norm, 20)]) {
        found.push(...each.dataSync());
      }
    });
    const [norm, long, short] = found;
    deepStrictEqual(norm, 13);
    ok(Math.abs((long ?? NaN) - 6.5 / (13 + 1e-6)) < 1e-7);
    deepStrictEqual(short, 1);
  },
);
