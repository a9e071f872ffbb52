import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { openEngine } from "@/engine/engine.ts";
import { isAvailable } from "../backend.ts";
import { computeDropoutMask, keepThreshold } from "@/engine/dropout_mask.ts";
import { dropoutMask } from "@/engine/neural.ts";
import { compareGraphs } from "./compare_graphs.ts";
import { areClose, followPlan, leafValues, plansOf, SMOOTH_STEPS } from "./random_graphs.ts";

await openEngine({ threads: 2, executor: "onnx" });

/**
 * Number of graphs that are compared on each executor; `native` compiles C for each of them. To run more:
 * `deno task conformance --graphs N`.
 */
const GRAPHS = { onnx: 300, native: 60 } as const;

for (const executor of ["onnx", "native"] as const) {
  Deno.test({
    name:
      `random graphs agree with TensorFlow.js's cpu backend, eagerly and through jit [${executor}]`,
    ignore: !isAvailable(executor),
    async fn() {
      await openEngine({ executor });
      await compareGraphs({ count: GRAPHS[executor], seed: 4 });
      await openEngine({ executor: "onnx" });
    },
  });
}

Deno.test("gradients of random graphs agree with TensorFlow.js's cpu backend", async () => {
  await fc.assert(
    fc.asyncProperty(plansOf(SMOOTH_STEPS, 1), async (plan) => {
      const shape = plan.shapes[0] ?? [];
      const loss = (x: tf.Tensor) => {
        const rest = plan.shapes.slice(1).map((s, k) => tf.tensor(leafValues(s, k + 1), s));
        return followPlan(plan, [x, ...rest]).map((t) => tf.mean(t) as tf.Scalar)
          .reduce((a, b) => tf.add(a, b) as tf.Scalar, tf.sum(tf.mul(x, 0.1)) as tf.Scalar);
      };
      const run = () =>
        tf.tidy(() => tf.grad(loss)(tf.tensor(leafValues(shape, 0), shape)).dataSync());
      await tf.setBackend("cpu");
      const expected = run();
      await tf.setBackend("recorded");
      const actual = run();
      ok(areClose(actual, expected, 1e-3), `${JSON.stringify(plan)}: ${actual} ${expected}`);
    }),
    { numRuns: 200, seed: 4 },
  );
});

Deno.test("the compiled dropout mask equals computeDropoutMask() bit for bit", async () => {
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

Deno.test("dropout masks keep the right fraction and have no correlation of neighbors", () => {
  const rate = 0.1, rows = 512, columns = 384;
  for (const seed of [0, 1, 2, 3]) {
    const mask = computeDropoutMask(seed, { shape: [rows, columns], rate, site: "a" });
    const kept = Float64Array.from(mask, (m) => m > 0 ? 1 - (1 - rate) : -(1 - rate));
    const n = mask.length, variance = rate * (1 - rate);
    // Each statistic is a sum of n terms with mean 0 and known variance; the limit is 5 standard deviations.
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
