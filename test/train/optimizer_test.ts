import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { stream } from "@/random.ts";
import {
  addDecayedWeights,
  applyUpdate,
  type Bias,
  chain,
  clipByGlobalNorm,
  computeBias,
  scaleByAdam,
  scaleByLearningRate,
  startUpdates,
  traceBias,
  type Transform,
  unscale,
} from "@/train/optimizer.ts";
import { testOnBackends } from "../backend.ts";

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** A parameter in float64 or float32 numbers. */
type Slot = { w: number[]; g: number[]; m: number[]; v: number[] };
type Plan = { readonly learningRate: number; readonly weightDecay: number };

/** Applies an optimizer to parameters and returns their weights and moments, and the norm of the gradients. */
function update(
  optimizer: Transform,
  slots: readonly (Slot & { readonly plan: Plan })[],
  { rate, corrected, epsilon }: Bias<number> & { readonly rate: number },
): { readonly slots: readonly Omit<Slot, "g">[]; readonly norm: number } {
  return tf.tidy(() => {
    const parameters = slots.map(({ plan, w, g, m, v }) => ({
      plan,
      weight: tf.tensor1d(w),
      gradient: tf.tensor1d(g),
      first: tf.tensor1d(m),
      second: tf.tensor1d(v),
    }));
    const schedule = tf.scalar(rate);
    const scalars = {
      rate: schedule,
      corrected: tf.scalar(corrected),
      epsilon: tf.scalar(epsilon),
    };
    const updates = optimizer(startUpdates(parameters));
    const read = (tensor: tf.Tensor) => [...tensor.dataSync()];
    return {
      slots: parameters.map((parameter) => {
        const next = applyUpdate(parameter.weight, updates.of(parameter, scalars), schedule);
        return { w: read(next.weight), m: read(next.first), v: read(next.second) };
      }),
      norm: updates.norm.dataSync()[0] ?? NaN,
    };
  });
}

/** A new parameter. */
const slot = (w: number[], g: number[], plan: Plan) => ({
  w,
  g,
  m: w.map(() => 0),
  v: w.map(() => 0),
  plan,
});

const close = (found: readonly number[] | undefined, wanted: readonly number[], within = 1e-6) => {
  deepStrictEqual(found?.length, wanted.length);
  wanted.forEach((value, i) => {
    const off = Math.abs((found?.[i] ?? NaN) - value);
    ok(off <= within * Math.max(1e-3, Math.abs(value)), `${found} is not ${wanted}`);
  });
};

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

testOnBackends("AdamW matches PyTorch's within 1e-6 over 30 steps", () => {
  const { normal } = stream(1, "adamw");
  const rate = 1e-2, decay = 0.1, size = 8;
  const states = Array.from({ length: size }, () => ({ w: normal(), m: 0, v: 0 }));
  const adamW = chain(scaleByAdam(ADAM), addDecayedWeights(), scaleByLearningRate());
  const plan = { learningRate: rate, weightDecay: decay };
  let found = slot(states.map(({ w }) => w), [], plan);
  for (let t = 1; t <= 30; t++) {
    const factor = t / 30;
    const g = Array.from({ length: size }, (_, i) => normal() * 10 ** (i - 6));
    states.forEach((state, i) =>
      torchStepInto(state, g[i] ?? NaN, { t, rate: rate * factor, decay })
    );
    const scalars = { rate: factor, ...computeBias(t, factor, ADAM) };
    const { slots: [next] } = update(adamW, [{ ...found, g }], scalars);
    found = { ...found, ...next };
  }
  states.forEach(({ w, m, v }, i) => {
    ok(Math.abs((found.w[i] ?? NaN) - w) < 1e-6 * Math.max(1, Math.abs(w)), `w ${i}`);
    ok(Math.abs((found.m[i] ?? NaN) - m) < 1e-5 * Math.abs(m) + 1e-12, `m ${i}`);
    ok(Math.abs((found.v[i] ?? NaN) - v) < 1e-5 * v, `v ${i}`);
  });
});

testOnBackends("AdamW has hand-worked results for two parameters over two steps", () => {
  // β₁ = 1/2, β₂ = 3/4, ε = 0. The matrix has rate 0.1 and decay 0.5, the bias rate 0.2 and no decay.
  const options = { beta1: 0.5, beta2: 0.75, epsilon: 0 };
  const adamW = chain(
    clipByGlobalNorm(2.5),
    scaleByAdam(options),
    addDecayedWeights(),
    scaleByLearningRate(),
  );
  const matrix = slot([1], [3], { learningRate: 0.1, weightDecay: 0.5 });
  const bias = slot([2], [4], { learningRate: 0.2, weightDecay: 0 });
  // Step 1: the norm 5 is clipped to 2.5, so g is 1.5 and 2. m = g/2, v = g²/4, √v = g/2, m/√v = 1.
  // s = √(1 − 3/4)/(1 − 1/2) = 1: the weights move by their rates. Decay 0.1 · 0.5 = 0.05 of the weight 1.
  const first = update(adamW, [matrix, bias], { rate: 1, ...computeBias(1, 1, options) });
  close([first.norm], [5]);
  close(first.slots[0]?.w, [1 - 0.05 - 0.1]);
  close(first.slots[1]?.w, [2 - 0.2]);
  close([...first.slots[0]?.m ?? [], ...first.slots[0]?.v ?? []], [0.75, 0.5625]);
  // Step 2, half the rate: g is 0 and −2, of norm 2, which is not clipped.
  // matrix: m = 0.375, v = 0.421875, √v = 0.649519; bias: m = 0.5 − 1 = −0.5, v = 0.75 + 1 = 1.75, √v = 1.322876.
  // s = √(1 − 9/16)/(1 − 1/4) = 0.881917. Matrix 0.85·(1 − 0.025) − 0.05·s·0.577350, bias 1.8 + 0.1·s·0.377964.
  const second = update(adamW, [
    { ...matrix, ...first.slots[0], g: [0] },
    { ...bias, ...first.slots[1], g: [-2] },
  ], { rate: 0.5, ...computeBias(2, 0.5, options) });
  close([second.norm], [2]);
  close(second.slots[0]?.w, [0.82875 - 0.0254588], 1e-6);
  close(second.slots[1]?.w, [1.8 + 0.0333333], 1e-6);
  close(second.slots[1]?.v, [1.75]);
});

// One parameter of two numbers with gradient [3, 4], of norm 5; the schedule's factor is 0.5.
const ALONE = slot([1, -1], [3, 4], { learningRate: 0.1, weightDecay: 0.2 });
const HALF = { rate: 0.5, corrected: 0.25, epsilon: 0 };

testOnBackends(
  "without any transform, the weight moves by the schedule's factor times the gradient",
  () => {
    const { slots: [found], norm } = update(chain(), [ALONE], HALF);
    close(found?.w, [1 - 1.5, -1 - 2]);
    deepStrictEqual([found?.m, found?.v, norm], [[0, 0], [0, 0], 5]);
  },
);

testOnBackends("clipByGlobalNorm() scales long gradients and leaves shorter ones", () => {
  const clipped = (maxNorm: number) =>
    update(chain(clipByGlobalNorm(maxNorm), scaleByLearningRate()), [ALONE], HALF);
  close(clipped(2.5).slots[0]?.w, [1 - 0.05 * 1.5, -1 - 0.05 * 2]);
  close(clipped(20).slots[0]?.w, [1 - 0.05 * 3, -1 - 0.05 * 4]);
  deepStrictEqual(clipped(2.5).norm, 5); // before clipping
});

testOnBackends("clipByGlobalNorm() takes the norm over all parameters", () => {
  // √(3² + 4² + 12²) = 13
  const other = slot([0], [12], ALONE.plan);
  const { slots, norm } = update(
    chain(clipByGlobalNorm(6.5), scaleByLearningRate()),
    [ALONE, other],
    HALF,
  );
  deepStrictEqual(norm, 13);
  close(slots[1]?.w, [-0.05 * 6]);
});

testOnBackends("unscale() divides gradients and norm by the loss scale, before clipping", () => {
  const { slots: [found], norm } = update(
    chain((updates) => unscale(tf.scalar(4))(updates), clipByGlobalNorm(1), scaleByLearningRate()),
    [{ ...ALONE, g: [12, 16] }],
    HALF,
  );
  close([norm], [5]);
  close(found?.w, [1 - 0.05 * 0.6, -1 - 0.05 * 0.8], 1e-5);
});

testOnBackends("scaleByAdam() alone moves the weight by the corrected rate times m / √v", () => {
  const { slots: [found] } = update(chain(scaleByAdam(ADAM)), [ALONE], HALF);
  close(found?.m, [0.3, 0.4]);
  close(found?.v, [0.009, 0.016]);
  const step = 0.25 * 0.1 / Math.sqrt(0.001); // m / √v = 0.1·g / √(0.001·g²)
  close(found?.w, [1 - step, -1 - step], 1e-5);
});

testOnBackends("addDecayedWeights() adds decay to the update, and 0 leaves it out", () => {
  const decay = chain(addDecayedWeights(), scaleByLearningRate());
  const still = { ...ALONE, g: [0, 0] };
  close(update(decay, [still], HALF).slots[0]?.w, [1 - 0.5 * 0.1 * 0.2, -1 + 0.5 * 0.1 * 0.2]);
  const undecayed = { ...still, plan: { ...still.plan, weightDecay: 0 } };
  deepStrictEqual(update(decay, [undecayed], HALF).slots[0]?.w, [1, -1]);
  // After the learning rate it is not multiplied by it, as in optax.
  const late = chain(scaleByLearningRate(), addDecayedWeights());
  close(update(late, [still], HALF).slots[0]?.w, [1 - 0.5 * 0.2, -1 + 0.5 * 0.2]);
});

testOnBackends("scaleByLearningRate() gives each parameter the rate of its group", () => {
  const fast = { ...ALONE, plan: { learningRate: 0.4, weightDecay: 0 } };
  const { slots } = update(scaleByLearningRate(), [ALONE, fast], HALF);
  close(slots[0]?.w, [1 - 0.05 * 3, -1 - 0.05 * 4]);
  close(slots[1]?.w, [1 - 0.2 * 3, -1 - 0.2 * 4]);
});

Deno.test("computeBias() corrects the first step: the update equals the learning rate", () => {
  // t = 1: √(1 − 0.999) / (1 − 0.9); g / |g| remains of m/√v
  const { corrected, epsilon } = computeBias(1, 0.5, ADAM);
  ok(Math.abs(corrected - 0.5 * Math.sqrt(0.001) / 0.1) < 1e-15);
  ok(Math.abs(epsilon - 1e-8 * Math.sqrt(0.001)) < 1e-20);
});

testOnBackends(
  "traceBias() matches computeBias() within 1e-6 from the first to the millionth update",
  () => {
    for (const t of [1, 2, 3, 10, 100, 1000, 10_000, 1_000_000]) {
      const wanted = computeBias(t, 0.7, ADAM);
      const found = tf.tidy(() => {
        const { corrected, epsilon } = traceBias(tf.scalar(t), tf.scalar(0.7), ADAM);
        return { corrected: corrected.dataSync()[0] ?? NaN, epsilon: epsilon.dataSync()[0] ?? NaN };
      });
      const off = Math.abs(found.corrected - wanted.corrected);
      ok(off < 1e-6 * wanted.corrected, `corrected at ${t}`);
      ok(Math.abs(found.epsilon - wanted.epsilon) < 1e-6 * wanted.epsilon, `epsilon at ${t}`);
    }
  },
);
