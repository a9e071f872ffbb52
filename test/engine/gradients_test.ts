import { ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { openEngine } from "@/engine/engine.ts";
import type { Node } from "@/engine/ir.ts";
import { interpret } from "./interpreter.ts";
import { followPlan, leafValues, type Plan, plansOf, SMOOTH_STEPS } from "./random_graphs.ts";
import { recordNodes } from "./record_nodes.ts";

await openEngine({ threads: 2, executor: "onnx" });

/** Step of finite differences; in float64 the error is about WIDTH² times the third derivative. */
const WIDTH = 1e-5;

/** One-sided and central difference quotients. */
type Slopes = { readonly left: number; readonly right: number; readonly central: number };

/** Difference quotients of `loss` with respect to element `i` of leaf `k`, in float64. */
function differences(
  loss: Node,
  given: ReadonlyMap<Node, Float64Array>,
  leaf: Node,
  i: number,
): Slopes {
  const value = given.get(leaf) as Float64Array;
  const lossAt = (step: number) => {
    const moved = value.with(i, value[i] as number + step);
    return interpret([loss], new Map([...given, [leaf, moved]]))[0]?.[0] ?? NaN;
  };
  const [before, here, after] = [lossAt(-WIDTH), lossAt(0), lossAt(WIDTH)];
  return {
    left: (here - before) / WIDTH,
    right: (after - here) / WIDTH,
    central: (after - before) / (2 * WIDTH),
  };
}

/** The sum of the means of all results and leaves of a plan. */
function lossOf(plan: Plan, leaves: tf.Tensor[]): tf.Scalar {
  const terms = [...leaves.map((x) => tf.mul(x, 0.1)), ...followPlan(plan, leaves)];
  return terms.map((x) => tf.mean(x)).reduce((a, b) => tf.add(a, b)) as tf.Scalar;
}

Deno.test("recorded gradients agree with finite differences in float64", () => {
  let checked = 0, kinks = 0;
  fc.assert(
    fc.property(plansOf(SMOOTH_STEPS, 1), (plan) => {
      const { leaves, results } = recordNodes(plan.shapes, (xs) => {
        const { value, grads } = tf.valueAndGrads((...ys) => lossOf(plan, ys))(xs);
        return [value, ...grads];
      });
      const [loss, ...gradients] = results as [Node, ...Node[]];
      const given = new Map(
        leaves.map((leaf, k) => [leaf, Float64Array.from(leafValues(leaf.shape, k))]),
      );
      const slopes = interpret(gradients, given);
      leaves.forEach((leaf, k) => {
        const size = given.get(leaf)?.length ?? 0;
        for (let i = 0; i < size; i += Math.ceil(size / 5)) {
          const { left, right, central } = differences(loss, given, leaf, i);
          // If the one-sided slopes differ, there is a kink and no gradient to compare with.
          if (Math.abs(left - right) > 1e-3 * (1 + Math.abs(central))) {
            kinks++;
            continue;
          }
          const actual = slopes[k]?.[i] as number;
          ok(
            Math.abs(actual - central) <= 1e-6 * (1 + Math.abs(central)),
            `leaf ${k}, element ${i}: gradient ${actual}, slope ${central}`,
          );
          checked++;
        }
      });
    }),
    { numRuns: 300, seed: 4 },
  );
  ok(checked > 1000, `slopes compared: ${checked}`);
  ok(kinks < 0.05 * checked, `kinks: ${kinks} of ${checked}`);
});

Deno.test("differences() computes the slopes of a cubic and detects the kink of |x|", () => {
  const { leaves: [x], results: [cubic, absolute] } = recordNodes(
    [[2]],
    ([x]) => [tf.sum(tf.pow(x as tf.Tensor, 3)), tf.sum(tf.abs(x as tf.Tensor))],
  ) as { leaves: [Node]; results: [Node, Node] };
  const given = new Map([[x, Float64Array.of(2, 0)]]);
  const { central } = differences(cubic, given, x, 0);
  ok(Math.abs(central - 12) < 1e-8, `3 · 2²: ${central}`);
  const { left, right } = differences(absolute, given, x, 1);
  ok(Math.abs(left + 1) < 1e-9 && Math.abs(right - 1) < 1e-9, `beside 0: ${left} and ${right}`);
});
