import { deepStrictEqual, ok, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { openEngine } from "@/engine/engine.ts";
import type { Node } from "@/engine/ir.ts";
import { Tape } from "@/engine/tape.ts";
import { erf, interpret } from "./interpreter.ts";
import { ALL_STEPS, areClose, followPlan, leafValues, plansOf } from "./random_graphs.ts";
import { recordNodes } from "./record_nodes.ts";

await openEngine({ threads: 2, executor: "onnx" });

Deno.test("interpret() agrees with matrix products, sums, gathers and top-k computed by hand", () => {
  const tape = new Tape();
  const a = tape.leaf(0, [2, 2], "float32"), at = tape.leaf(1, [3], "int32");
  const given = new Map([[a, [1, 2, 3, 4]], [at, [1, 0, 1]]]);
  const value = (node: Node) => [...interpret([node], given)[0] ?? []];
  deepStrictEqual(value(tape.matmul(a, a, false, false)), [7, 10, 15, 22]); // 1 · 1 + 2 · 3, …
  deepStrictEqual(value(tape.matmul(a, a, true, false)), [10, 14, 14, 20]); // columns with columns
  deepStrictEqual(value(tape.matmul(a, a, false, true)), [5, 11, 11, 25]); // rows with rows
  deepStrictEqual(value(tape.reduce("sum", a, [0], false)), [4, 6]);
  deepStrictEqual(value(tape.reduce("argmax", a, [1], false)), [1, 1]);
  const rows = tape.make({ kind: "gather" }, [a, at], [3, 2], "float32");
  deepStrictEqual(value(rows), [3, 4, 1, 2, 3, 4]);
  deepStrictEqual(
    value(tape.make({ kind: "scatter-add" }, [rows, at], [2, 2], "float32")),
    [1, 2, 6, 8], // index 1 occurs twice
  );
  deepStrictEqual(value(tape.make({ kind: "top", count: 2 }, [at], [2], "int32")), [0, 2]);
  const paddings = [[1, 0], [0, 1]] as const;
  deepStrictEqual(
    value(tape.make({ kind: "pad", paddings, value: 9 }, [a], [3, 3], "float32")),
    [9, 9, 9, 1, 2, 9, 3, 4, 9],
  );
  deepStrictEqual(
    value(tape.make({ kind: "concat", axis: 1 }, [a, a], [2, 4], "float32")),
    [1, 2, 1, 2, 3, 4, 3, 4],
  );
  deepStrictEqual(value(tape.cast(tape.binary("div", at, tape.constant(2, [], "int32")), "bool")), [
    0,
    0,
    0,
  ]);
  throws(() => interpret([tape.leaf(7, [], "float32")], given), {
    message: "Cannot interpret as leaf 7 is not given",
  });
});

Deno.test("erf() agrees with tabulated values", () => {
  // computed with Python's math.erf
  const table = [[0.5, 0.5204998778], [1, 0.8427007929], [2, 0.9953222650], [3, 0.9999779095]];
  for (const [x = 0, wanted = 0] of table) {
    ok(Math.abs(erf(x) - wanted) < 6e-11, `${x}: ${erf(x)}`);
    ok(Math.abs(erf(-x) + wanted) < 6e-11, `${-x}: ${erf(-x)}`);
  }
});

Deno.test("interpret() agrees with the backend on random graphs", () => {
  fc.assert(
    fc.property(plansOf(ALL_STEPS), (plan) => {
      const values = plan.shapes.map((shape, k) => leafValues(shape, k));
      const { leaves, results } = recordNodes(plan.shapes, (xs) => followPlan(plan, xs));
      const given = new Map(leaves.map((leaf, k) => [leaf, values[k] as Float32Array]));
      const expected = interpret(results, given);
      const computed = tf.tidy(() =>
        followPlan(plan, values.map((value, k) => tf.tensor(value, plan.shapes[k])))
          .map((x) => x.dataSync())
      );
      expected.forEach((e, i) =>
        ok(areClose(computed[i] ?? [], e, 1e-4), `result ${i}: ${computed[i]} ${e}`)
      );
    }),
    { numRuns: 150, seed: 4 },
  );
});
