import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { openEngine } from "@/engine/engine.ts";
import { computeDropoutMask, keepThreshold } from "@/engine/dropout_mask.ts";
import { jit } from "@/engine/jit.ts";
import { dropoutMask, gelu, layerNorm } from "@/engine/neural.ts";

await openEngine({ threads: 2 });

type Step = (tensors: tf.Tensor[], pick: (count: number) => number) => tf.Tensor | null;

/** Two tensors whose shapes broadcast. */
function pair(
  tensors: tf.Tensor[],
  pick: (count: number) => number,
): [tf.Tensor, tf.Tensor] | null {
  const a = tensors[pick(tensors.length)] as tf.Tensor;
  const fits = tensors.filter((b) => {
    try {
      tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
      return tf.util.sizeFromShape(tf.broadcastTo(tf.zeros(b.shape), b.shape).shape) > 0;
    } catch {
      return false;
    }
  });
  const b = fits[pick(fits.length)];
  return b === undefined ? null : [a, b];
}

const binary = (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Step => (tensors, pick) => {
  const operands = pair(tensors, pick);
  return operands && run(...operands);
};
const unary = (run: (x: tf.Tensor) => tf.Tensor): Step => (tensors, pick) =>
  run(tensors[pick(tensors.length)] as tf.Tensor);

/** Operations that keep values moderate, so that graphs of them stay comparable. */
const STEPS: Record<string, Step> = {
  add: binary((a, b) => tf.add(a, b)),
  sub: binary((a, b) => tf.sub(a, b)),
  mul: binary((a, b) => tf.mul(tf.tanh(a), b)),
  div: binary((a, b) => tf.div(a, tf.add(tf.square(tf.tanh(b)), 1))),
  maximum: binary((a, b) => tf.maximum(a, b)),
  where: binary((a, b) => tf.where(tf.greater(a, b), a, tf.sub(b, 1))),
  exp: unary((x) => tf.exp(tf.tanh(x))),
  erf: unary((x) => tf.erf(x)),
  sqrt: unary((x) => tf.sqrt(tf.abs(x))),
  scale: unary((x) => tf.mul(x, 0.5)),
  transpose: unary((x) => tf.transpose(x)),
  reshape: unary((x) => tf.reshape(x, [...x.shape].reverse())),
  flatten: unary((x) => tf.reshape(x, [-1])),
  slice: unary((x) => x.rank === 0 || x.shape[0]! < 2 ? x : tf.slice(x, 1)),
  tile: unary((x) =>
    x.rank === 0 || x.size > 200 ? x : tf.tile(x, x.shape.map((_, i) => i === 0 ? 2 : 1))
  ),
  pad: unary((x) =>
    x.rank === 0 ? x : tf.pad(x, x.shape.map((_, i) => i === 0 ? [1, 0] : [0, 0]), 0.25)
  ),
  sumLast: unary((x) => x.rank === 0 ? x : tf.mul(tf.sum(x, -1, true), 0.3)),
  sumFirst: unary((x) => x.rank === 0 ? x : tf.mul(tf.sum(x, 0), 0.3)),
  meanAll: unary((x) => tf.mean(x)),
  max: unary((x) => x.rank === 0 ? x : tf.max(x, -1, true)),
  softmax: unary((x) => x.rank === 0 ? x : tf.softmax(x)),
  product: unary((x) => x.rank !== 2 ? x : tf.mul(tf.matMul(x, x, false, true), 0.2)),
  productOfTransposed: unary((x) => x.rank !== 2 ? x : tf.mul(tf.matMul(x, x, true, false), 0.2)),
  productPlusRow: unary((x) =>
    x.rank !== 2 ? x : tf.add(tf.matMul(x, tf.ones([x.shape[1]!, 3])), tf.tensor1d([1, 2, 3]))
  ),
  gather: unary((x) =>
    x.rank === 0 ? x : tf.gather(x, tf.tensor1d([0, x.shape[0]! - 1, 0], "int32"))
  ),
  scatter: unary((x) =>
    x.rank === 0 ? x : tf.unsortedSegmentSum(
      x,
      tf.tensor1d(Array.from({ length: x.shape[0]! }, (_, i) => i % 2), "int32"),
      3,
    )
  ),
  concat: unary((x) => x.rank === 0 ? x : tf.concat([x, tf.mul(x, 2)], 0)),
  layerNorm: unary((x) =>
    x.rank !== 2 || x.shape[1]! < 2
      ? x
      : layerNorm(x as tf.Tensor2D, tf.ones([x.shape[1]!]), tf.zeros([x.shape[1]!]), 0.1)
  ),
  gelu: unary((x) => gelu(x)),
};

/** TensorFlow.js has no gradient of comparisons, nor of a maximum that broadcasts. */
const DIFFERENTIABLE = Object.keys(STEPS).filter((name) => name !== "where" && name !== "maximum");

type Plan = { readonly shapes: number[][]; readonly steps: { name: string; picks: number[] }[] };

const plansOf = (names: string[]): fc.Arbitrary<Plan> =>
  fc.record({
    shapes: fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    }),
    steps: fc.array(
      fc.record({
        name: fc.constantFrom(...names),
        picks: fc.array(fc.nat(100), { minLength: 2, maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  });

/** Runs a plan's steps on given leaves; the result is the sum of all tensors' means. */
function follow({ steps }: Plan, leaves: tf.Tensor[]): tf.Tensor[] {
  const tensors = [...leaves];
  for (const { name, picks } of steps) {
    let drawn = 0;
    const result = STEPS[name]?.(tensors, (count) => (picks[drawn++ % 2] as number) % count) ??
      null;
    if (result !== null && result.size < 5000) tensors.push(result);
  }
  return tensors.slice(leaves.length);
}

/** Leaf values as a function of position, so that both backends get the same. */
const leafValues = (shape: number[], k: number) =>
  Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(1.7 * i + k + 1));

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): boolean {
  return actual.length === expected.length &&
    Array.from(expected).every((e, i) =>
      Object.is(actual[i], e) ||
      Math.abs((actual[i] as number) - e) <= tolerance * (1 + Math.abs(e))
    );
}

Deno.test("random graphs agree with TensorFlow.js's cpu backend, eagerly and through jit", async () => {
  await fc.assert(
    fc.asyncProperty(plansOf(Object.keys(STEPS)), async (plan) => {
      const run = async () =>
        await Promise.all(
          tf.tidy(() => follow(plan, plan.shapes.map((s, k) => tf.tensor(leafValues(s, k), s))))
            .map(async (t) => {
              const data = await t.data();
              t.dispose();
              return data;
            }),
        );
      await tf.setBackend("cpu");
      const expected = await run();
      await tf.setBackend("recorded");
      const eager = await run();
      expected.forEach((e, i) =>
        ok(close(eager[i]!, e, 1e-4), `eager step ${i}: ${eager[i]} ${e}`)
      );
      const compiled = jit(
        "random",
        (leaves: Record<string, tf.Tensor>) =>
          Object.fromEntries(follow(plan, Object.values(leaves)).map((t, i) => [`t${i}`, t])),
      );
      const leaves = Object.fromEntries(
        plan.shapes.map((s, k) => [`x${k}`, tf.tensor(leafValues(s, k), s)]),
      );
      const outputs = Object.values(await compiled(leaves));
      for (const [i, e] of expected.entries()) {
        const actual = await outputs[i]!.data();
        ok(close(actual, e, 1e-4), `compiled step ${i}: ${actual} ${e}`);
      }
      tf.dispose([leaves, outputs]);
    }),
    { numRuns: 200 },
  );
});

Deno.test("gradients of random graphs agree with TensorFlow.js's cpu backend", async () => {
  await fc.assert(
    fc.asyncProperty(plansOf(DIFFERENTIABLE), async (plan) => {
      const shape = plan.shapes[0] ?? [];
      const loss = (x: tf.Tensor) => {
        const rest = plan.shapes.slice(1).map((s, k) => tf.tensor(leafValues(s, k + 1), s));
        const results = follow(plan, [x, ...rest]);
        return results.map((t) => tf.mean(t) as tf.Scalar)
          .reduce((a, b) => tf.add(a, b) as tf.Scalar, tf.sum(tf.mul(x, 0.1)) as tf.Scalar);
      };
      const run = () =>
        tf.tidy(() => tf.grad(loss)(tf.tensor(leafValues(shape, 0), shape)).dataSync());
      await tf.setBackend("cpu");
      const expected = run();
      await tf.setBackend("recorded");
      const actual = run();
      ok(close(actual, expected, 1e-3), `${JSON.stringify(plan)}: ${actual} ${expected}`);
    }),
    { numRuns: 200 },
  );
});

Deno.test("the compiled dropout mask is the one computed here, bit for bit", async () => {
  await openEngine();
  for (const [seed, shape] of [[7, [3, 4, 5]], [-2_000_000_000, [64, 33]], [0, [9]]] as const) {
    const attributes = { shape: [...shape], rate: 0.3, site: "layer.0" };
    const mask = tf.tidy(() =>
      dropoutMask([...shape], { rate: 0.3, site: "layer.0", seed: tf.scalar(seed, "int32") })
        .dataSync()
    );
    deepStrictEqual([...mask], [...computeDropoutMask(seed, attributes)]);
  }
});

Deno.test("dropout masks keep the right share and no pattern of neighbors", () => {
  const rate = 0.1, rows = 512, columns = 384;
  for (const seed of [0, 1, 2, 3]) {
    const mask = computeDropoutMask(seed, { shape: [rows, columns], rate, site: "a" });
    const kept = Float64Array.from(mask, (m) => m > 0 ? 1 - (1 - rate) : -(1 - rate));
    const n = mask.length, variance = rate * (1 - rate);
    // Each statistic is a sum of n terms of mean 0 and known variance; 5 standard deviations.
    const z = (sum: number, power: number) =>
      Math.abs(sum) / Math.sqrt(n) / variance ** (power / 2);
    const at = (i: number) => kept[i] as number;
    let share = 0, along = 0, down = 0, square = 0;
    for (let i = 0; i < n - columns - 1; i++) {
      share += at(i);
      along += at(i) * at(i + 1);
      down += at(i) * at(i + columns);
      square += at(i) * at(i + 1) * at(i + columns) * at(i + columns + 1);
    }
    ok(z(share, 1) < 5, `share of kept elements: ${z(share, 1)} standard deviations`);
    ok(z(along, 2) < 5, `neighbors in a row: ${z(along, 2)}`);
    ok(z(down, 2) < 5, `neighbors in a column: ${z(down, 2)}`);
    ok(z(square, 4) < 5, `squares of four: ${z(square, 4)}`);
  }
  strictEqual(keepThreshold(0.5), 0);
});
