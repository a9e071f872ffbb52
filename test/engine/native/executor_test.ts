import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { BACKEND } from "@/engine/backend.ts";
import { computeDropoutMask } from "@/engine/dropout_mask.ts";
import { openEngine } from "@/engine/engine.ts";
import { listFallbacks } from "@/engine/fallbacks.ts";
import { jit } from "@/engine/jit.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { dropout, dropoutMask, gelu } from "@/engine/neural.ts";
import { assertClose, runOn } from "./compare_outputs.ts";
import { CASES, tensor } from "./executor_cases.ts";

const ignore = findCompiler() === null;

for (const [name, { inputs, run }] of Object.entries(CASES)) {
  Deno.test({
    name: `native agrees with onnx on ${name}`,
    ignore,
    fn: async () =>
      assertClose(await runOn("native", inputs, run), await runOn("onnx", inputs, run), 2e-5),
  });
}

Deno.test({
  name: "native matrix products in bfloat16 agree with onnx's on rounded operands",
  ignore,
  async fn() {
    const inputs = () => ({ x: tensor([33, 70]), w: tensor([41, 70], 1), bias: tensor([41], 2) });
    const run = ({ x, w, bias }: Record<string, tf.Tensor>) => {
      const hidden = tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true), bias!);
      return {
        hidden: tf.mul(hidden, 1),
        scores: tf.matMul(gelu(hidden), gelu(hidden), false, true),
      };
    };
    const native = await runOn("native", inputs, run, "mixed-bfloat16");
    const onnx = await runOn("onnx", inputs, run, "mixed-bfloat16");
    // Another order of summation may round to the adjacent bfloat16: 2⁻⁸ of the value.
    assertClose(native, onnx, 2 ** -8);
    const exact = await runOn("native", inputs, run);
    const apart = exact.scores!.some((x, i) =>
      Math.abs(x - native.scores![i]!) > 1e-3 * Math.abs(x)
    );
    ok(apart, "the mixed run gave float32's numbers");
  },
});

Deno.test({
  name: "native widens rounded matrix products for operations that read float32",
  ignore,
  async fn() {
    const inputs = () => ({
      x: tensor([4, 5, 24]),
      w: tensor([24, 24], 1),
      table: tensor([7, 24], 2),
      rows: tf.tensor1d([3, 0, 6, 3], "int32"),
    });
    const run = ({ x, w, table, rows }: Record<string, tf.Tensor>) => {
      const project = (x: tf.Tensor) => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D);
      // the first vector of every row, like pooling by [CLS]: its gradient is padded with zeros
      const first = (x: tf.Tensor) => tf.reshape(tf.slice(x, [0, 0, 0], [4, 1, 24]), [4, 24]);
      const looked = (t: tf.Tensor) => project(tf.gather(t, rows as tf.Tensor1D));
      return {
        padded: tf.grad((x) => tf.sum(tf.square(project(first(x)))))(x!),
        joined: tf.concat([project(first(x!)), project(first(x!)).neg()], 0),
        scattered: tf.grad((t) => tf.sum(tf.square(looked(t))))(table!),
      };
    };
    const native = await runOn("native", inputs, run, "mixed-bfloat16");
    assertClose(native, await runOn("onnx", inputs, run, "mixed-bfloat16"), 2 ** -8);
  },
});

Deno.test({
  name: "native adds a rounded matrix product to every row of another one",
  ignore,
  async fn() {
    const inputs = () => ({
      x: tf.tensor2d([1, 2, 3, 4], [2, 2]),
      w: tf.tensor2d([1, 0, 2, 0, 1, 1], [2, 3]),
      row: tf.tensor2d([1, 3], [1, 2]),
      u: tf.tensor2d([1, 2, 3, 1, 0, 2], [2, 3]),
    });
    const run = ({ x, w, row, u }: Record<string, tf.Tensor>) => ({
      sum: tf.add(tf.matMul(x!, w!), tf.matMul(row!, u!)), // [1 2 4; 3 4 10] + [4 2 9]
    });
    const expected = { sum: [5, 4, 13, 7, 6, 19] };
    deepStrictEqual(await runOn("native", inputs, run, "mixed-bfloat16"), expected);
  },
});

Deno.test({
  name: "gathering by computed indices from a table without rows is an error",
  ignore,
  async fn() {
    const inputs = () => ({ x: tf.zeros([0, 3]), i: tf.tensor1d([1, 2]) });
    const run = ({ x, i }: Record<string, tf.Tensor>) => ({
      rows: tf.gather(x!, tf.cast(tf.mul(i!, 0), "int32")),
    });
    await rejects(() => runOn("native", inputs, run), {
      name: "RangeError",
      message: "Cannot gather from a table without rows: its shape is [0,3]",
    });
  },
});

Deno.test({
  name: "native reduces rounded matrix products along all axes",
  ignore,
  async fn() {
    // integers below 2⁸, which are exact in bfloat16
    const inputs = () => ({
      x: tf.tensor3d([1, 2, 0, 3, 1, 2, 0, 4], [2, 2, 2]),
      w: tf.tensor3d([1, 2, 3, 4, 0, 1, 2, 1, 3, 5, 1, 0], [2, 2, 3]),
    });
    const run = ({ x, w }: Record<string, tf.Tensor>) => {
      const matmul = tf.matMul(x!, w!); // [9 2 5; 12 0 3], [12 3 3; 20 4 0]
      return {
        rows: tf.prod(matmul, 2),
        inner: tf.max(matmul, 1),
        places: tf.argMax(matmul, 2),
        lowest: tf.argMin(matmul, 1),
        top: tf.topk(matmul, 2).indices,
        apart: tf.sum(matmul, [0, 2]),
        leading: tf.min(matmul, [0, 1]),
      };
    };
    deepStrictEqual(await runOn("native", inputs, run, "mixed-bfloat16"), {
      rows: [90, 0, 108, 0],
      inner: [12, 2, 5, 20, 4, 3],
      places: [0, 0, 0, 0],
      lowest: [0, 1, 1, 0, 0, 1],
      top: [0, 2, 0, 2, 0, 1, 0, 1],
      apart: [34, 39],
      leading: [9, 0, 0],
    });
  },
});

for (const executor of ["native", "onnx"] as const) {
  Deno.test({
    name: `${executor} computes integer matrix products exactly under mixed-bfloat16`,
    ignore,
    async fn() {
      const inputs = () => ({
        x: tf.tensor2d([1001, 1], [1, 2], "int32"),
        y: tf.tensor2d([1, 0, 0, 1], [2, 2], "int32"),
        bias: tf.tensor1d([100_000, 3], "int32"),
      });
      const run = ({ x, y, bias }: Record<string, tf.Tensor>) => ({
        plain: tf.matMul(x!, y!),
        biased: tf.add(tf.matMul(x!, y!, false, true), bias!),
      });
      const expected = { plain: [1001, 1], biased: [101_001, 4] };
      deepStrictEqual(await runOn(executor, inputs, run, "mixed-bfloat16"), expected);
    },
  });
}

Deno.test({
  name: "native computes the dropout mask of computeDropoutMask(), forward and backward",
  ignore,
  async fn() {
    await openEngine({ executor: "native" });
    const site = "somewhere", rate = 0.25, shape = [37, 3, 21];
    const run = jit("masks", ({ x, seed }: { x: tf.Tensor; seed: tf.Scalar }) => {
      const drop = (x: tf.Tensor) => dropout(x, { rate, site, seed });
      return {
        mask: dropoutMask(shape, { rate, site, seed }),
        dropped: drop(x),
        gradient: tf.grad((x) => tf.sum(drop(x)))(x),
      };
    });
    for (const seed of [5, -123456789]) {
      const inputs = { x: tf.ones(shape), seed: tf.scalar(seed, "int32") };
      const outputs = await run(inputs);
      const expected = [...computeDropoutMask(seed, { shape, rate, site })];
      for (const output of Object.values(outputs)) {
        deepStrictEqual([...await output.data()], expected);
      }
      tf.dispose([inputs, outputs]);
    }
  },
});

const INDICES = {
  "constant": {
    rowsOf: (rows: tf.Tensor1D) => rows,
    message: "Cannot run look up as indices must be from 0 to 9: index 1 is 10",
  },
  "computed": {
    rowsOf: (rows: tf.Tensor1D) => tf.maximum(rows, tf.scalar(1, "int32")) as tf.Tensor1D,
    message: /^Cannot run instruction \d+ as an index is out of range for its table/,
  },
};
for (const [kind, { rowsOf, message }] of Object.entries(INDICES)) {
  Deno.test({
    name: `native rejects a ${kind} index out of range`,
    ignore,
    async fn() {
      await openEngine({ executor: "native" });
      const table = tensor([10, 4]);
      const look = jit(
        "look up",
        ({ rows }: { rows: tf.Tensor1D }) => ({ found: tf.mul(tf.gather(table, rowsOf(rows)), 2) }),
      );
      const rows = tf.tensor1d([1, 10, 2], "int32");
      await rejects(look({ rows }), { name: "RangeError", message });
      tf.dispose([table, rows]);
    },
  });
}

Deno.test({
  name: "native falls back to onnx with a reason for operations that it cannot compile",
  ignore,
  async fn() {
    const notes: string[] = [];
    await openEngine({
      executor: "native",
      threads: 2,
      isa: "native",
      onNote: (note) => notes.push(note),
    });
    // The engine's own kernels record only operations that C supports, so this kernel rounds integers.
    registerKernel(
      "RoundInteger",
      ({ tape, input }) => tape.cast(tape.unary("round-bfloat16", input("n")), "float32"),
    );
    const n = tf.tensor1d([3, 257], "int32"); // 2⁸ + 1 is between two bfloat16 numbers
    const round = jit("rounding", ({ n }: { n: tf.Tensor }) => ({
      y: tf.engine().runKernel("RoundInteger", { n }) as tf.Tensor,
    }));
    const { y } = await round({ n });
    tf.unregisterKernel("RoundInteger", BACKEND);
    deepStrictEqual([...await y.data()], [3, 256]);
    deepStrictEqual(notes, [
      "rounding falls back to onnx because native cannot compile the operation round-bfloat16 on integers",
    ]);
    deepStrictEqual(listFallbacks().filter(({ subject }) => subject === "rounding"), [{
      subject: "rounding",
      to: "onnx",
      reason: "native cannot compile the operation round-bfloat16 on integers",
    }]);
    tf.dispose([n, y]);
  },
});

Deno.test({
  name: "native gathers by the valid part of an input whose other part is out of range",
  ignore,
  async fn() {
    const inputs = () => ({
      table: tf.tensor1d([10, 20, 30]),
      ids: tf.tensor1d([1, 2, 99, 0], "int32"),
    });
    const take = (first: number, size: number) => ({ table, ids }: Record<string, tf.Tensor>) => ({
      rows: tf.mul(tf.gather(table!, tf.slice(ids!, [first], [size])), 1),
    });
    deepStrictEqual(await runOn("native", inputs, take(0, 2)), { rows: [20, 30] });
    deepStrictEqual(await runOn("native", inputs, take(3, 1)), { rows: [10] });
    await rejects(
      runOn("native", inputs, take(1, 2)),
      /an index is out of range for its table/,
    );
  },
});

Deno.test({
  name: "native computes integers exactly and gathers from views, compared with results by hand",
  ignore,
  async fn() {
    const inputs = () => ({
      x: tf.tensor2d([[1, 2, 3], [4, 5, 6]]),
      n: tf.tensor1d([16777217, -7], "int32"), // 2²⁴ + 1 is not a float32
      at: tf.tensor1d([1, 0], "int32"),
    });
    const found = await runOn("native", inputs, ({ x, n, at }) => ({
      same: tf.maximum(n!, tf.scalar(3, "int32")),
      sum: tf.sum(tf.add(n!, tf.scalar(2147483640, "int32"))), // wraps around at 2³²
      rest: tf.mod(n!, tf.scalar(4, "int32")),
      column: tf.mul(tf.gather(tf.transpose(x!), at as tf.Tensor1D), 10),
      below: tf.mul(tf.gather(tf.slice(x!, [1, 0]), tf.tensor1d([0], "int32")), 10),
    }));
    deepStrictEqual(found, {
      same: [16777217, 3],
      sum: [(16777217 - 7 + 2 * 2147483640) | 0],
      rest: [1, 1], // −7 = −2 · 4 + 1
      column: [20, 50, 10, 40],
      below: [40, 50, 60],
    });
  },
});
