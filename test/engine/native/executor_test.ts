import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { computeDropoutMask } from "@/engine/dropout_mask.ts";
import { openEngine } from "@/engine/engine.ts";
import { jit, type TensorMap } from "@/engine/jit.ts";
import { findCompiler } from "@/engine/native/find_compiler.ts";
import { dropout, dropoutMask, gelu, layerNorm } from "@/engine/neural.ts";

/** Numbers that look like noise, the same everywhere. */
const noise = (size: number, k = 0) =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * k) * 1.5);
const tensor = (shape: number[], k = 0) =>
  tf.tensor(noise(shape.reduce((a, b) => a * b, 1), k), shape);

/** Runs a function on an executor through jit and gives all output values. */
async function runOn(
  executor: "onnx" | "native",
  inputs: () => TensorMap,
  run: (inputs: Record<string, tf.Tensor>) => TensorMap,
  precision: "float32" | "mixed-bfloat16" = "float32",
): Promise<Record<string, number[]>> {
  const notes: string[] = [];
  await openEngine({ executor, precision, onNote: (note) => notes.push(note) });
  const given = inputs();
  const outputs = await jit("case", run)(given as Record<string, tf.Tensor>);
  const values: Record<string, number[]> = {};
  for (const [name, output] of Object.entries(outputs)) values[name] = [...await output.data()];
  tf.dispose([given, outputs]);
  if (executor === "native") deepStrictEqual(notes, []); // nothing fell back to onnx
  return values;
}

function assertClose(
  actual: Record<string, number[]>,
  expected: Record<string, number[]>,
  tolerance: number,
) {
  deepStrictEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, wanted] of Object.entries(expected)) {
    const got = actual[name] ?? [];
    strictEqual(got.length, wanted.length, name);
    const scale = Math.max(1e-6, ...wanted.map(Math.abs).filter(Number.isFinite));
    wanted.forEach((w, i) => {
      const g = got[i] as number;
      ok(
        Object.is(g, w) || Math.abs(g - w) <= tolerance * scale,
        `${name}[${i}] is ${g}, not ${w}`,
      );
    });
  }
}

type Case = { inputs: () => TensorMap; run: (inputs: Record<string, tf.Tensor>) => TensorMap };
const CASES: Record<string, Case> = {};
for (const [rows, columns] of [[1, 1], [5, 3], [7, 17], [64, 33], [33, 64]] as const) {
  CASES[`rows of ${columns}, ${rows} of them: softmax, layer norm, GELU and their gradients`] = {
    inputs: () => ({
      x: tensor([rows, columns]),
      g: tensor([columns], 1),
      b: tensor([columns], 2),
    }),
    run: ({ x, g, b }) => {
      const loss = (x: tf.Tensor, g: tf.Tensor, b: tf.Tensor) => {
        const y = layerNorm(x as tf.Tensor2D, g as tf.Tensor1D, b as tf.Tensor1D, 1e-2);
        return tf.sum(tf.mul(tf.softmax(gelu(y)), tf.logSoftmax(y))) as tf.Scalar;
      };
      const { value, grads } = tf.valueAndGrads(loss)([x!, g!, b!]);
      return { value, dx: grads[0]!, dg: grads[1]!, db: grads[2]! };
    },
  };
}
for (const [a, b] of [[false, false], [false, true], [true, false], [true, true]] as const) {
  CASES[`products with transposes ${a}, ${b}: plain, with bias, summed, batched`] = {
    inputs: () => ({
      x: tensor(a ? [19, 37] : [37, 19]),
      y: tensor(b ? [21, 19] : [19, 21], 1),
      bias: tensor([21], 2),
      u: tensor(a ? [3, 2, 8, 9] : [3, 2, 9, 8], 3),
      v: tensor(b ? [3, 2, 7, 8] : [3, 2, 8, 7], 4),
    }),
    run: ({ x, y, bias, u, v }) => {
      const product = tf.matMul(x!, y!, a, b);
      return {
        biased: tf.maximum(tf.add(product, bias!), 0),
        summed: tf.add(product, tf.matMul(tf.mul(x!, 2), y!, a, b)),
        batched: tf.matMul(u!, v!, a, b),
        permuted: tf.mul(
          tf.reshape(tf.transpose(tf.matMul(u!, v!, a, b), [0, 2, 1, 3]), [27, 14]),
          3,
        ),
      };
    },
  };
}
CASES["reductions over leading, inner, last and all axes"] = {
  inputs: () => ({ x: tensor([6, 70, 20]) }),
  run: ({ x }) => ({
    leading: tf.sum(tf.mul(x!, 2), 0),
    twoLeading: tf.sum(tf.mul(x!, 2), [0, 1]),
    inner: tf.sum(tf.mul(x!, 2), 1),
    innerMax: tf.max(x!, 1),
    last: tf.max(tf.abs(x!), -1),
    all: tf.sum(tf.square(x!)), // 8,400 elements: by columns first
    mean: tf.mean(x!),
    least: tf.min(x!, 2),
    where: tf.argMax(x!, 2),
  }),
};
CASES["look-ups and their gradients"] = {
  inputs: () => ({
    table: tensor([50, 12]),
    rows: tf.tensor1d([3, 49, 0, 3, 3, 17], "int32"),
    weights: tensor([6, 12], 1),
  }),
  run: ({ table, rows, weights }) => {
    const loss = (t: tf.Tensor) =>
      tf.sum(tf.mul(tf.gather(t, rows as tf.Tensor1D), weights!)) as tf.Scalar;
    return {
      found: tf.mul(tf.gather(table!, rows as tf.Tensor1D), 1.5),
      gradient: tf.grad(loss)(table!),
    };
  },
};
CASES["choices, comparisons, truth values and whole numbers"] = {
  inputs: () => ({
    x: tensor([9, 21]),
    y: tensor([9, 21], 1),
    labels: tf.tensor1d([0, 3, -1, 2], "int32"),
  }),
  run: ({ x, y, labels }) => ({
    chosen: tf.where(tf.greater(x!, y!), x!, tf.mul(y!, -1)),
    truth: tf.logicalAnd(tf.less(x!, 0), tf.lessEqual(y!, 0.5)),
    not: tf.logicalNot(tf.greaterEqual(x!, 0)),
    whole: tf.cast(tf.mul(x!, 10), "int32"),
    hot: tf.oneHot(labels as tf.Tensor1D, 4),
    sign: tf.sign(x!),
    padded: tf.pad(x as tf.Tensor2D, [[1, 2], [0, 3]], 0.5),
    joined: tf.concat([x!, tf.mul(y!, 2)], 1),
    sliced: tf.mul(tf.slice(x!, [2, 3], [5, 7]), 2),
    tiled: tf.add(tf.tile(y!, [2, 1]), 1),
  }),
};
CASES["constants where memory is read: factors, row numbers, rows, paddings"] = {
  inputs: () => ({ x: tensor([5, 1]), y: tensor([4, 3], 1) }),
  run: ({ x, y }) => ({
    product: tf.add(tf.matMul(x as tf.Tensor2D, tf.ones([1, 3])), tf.tensor1d([1, 2, 3])),
    found: tf.mul(tf.gather(y!, tf.tensor1d([2, 2], "int32")), 2),
    counted: tf.unsortedSegmentSum(tf.ones([4, 3]), tf.tensor1d([1, 0, 1, 1], "int32"), 2),
    fromComputed: tf.gather(tf.mul(y!, 3), tf.tensor1d([3, 0, 1, 2], "int32")),
    added: tf.unsortedSegmentSum(y as tf.Tensor2D, tf.tensor1d([1, 1, 1, 1], "int32"), 3),
    joined: tf.concat([tf.zeros([2, 3]), y as tf.Tensor2D], 0),
  }),
};
CASES["numbers that are not finite"] = {
  inputs: () => ({ x: tf.tensor1d([NaN, Infinity, -Infinity, 0, -0, 1e-40, 3e38, -200, 100]) }),
  run: ({ x }) => ({
    exp: tf.exp(x!),
    erf: tf.erf(x!),
    tanh: tf.tanh(x!),
    max: tf.maximum(x!, 1),
    abs: tf.abs(x!),
    sum: tf.add(x!, 1),
  }),
};

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
  name: "native multiplies in bfloat16 as onnx does with operands rounded",
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
    // A sum in another order may round to the neighbor: 2⁻⁸ of the value.
    assertClose(native, onnx, 2 ** -8);
    const exact = await runOn("native", inputs, run);
    const apart = exact.scores!.some((x, i) =>
      Math.abs(x - native.scores![i]!) > 1e-3 * Math.abs(x)
    );
    ok(apart, "the mixed run gave float32's numbers");
  },
});

Deno.test({
  name: "native draws the dropout mask that is computed here, forward and backward",
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

Deno.test({
  name: "native updates variables in place, clears them, and gives the same bits every time",
  ignore,
  async fn() {
    await openEngine({ executor: "native" });
    const results: number[][] = [];
    for (let round = 0; round < 3; round++) {
      const w = tf.tidy(() => tf.variable(tensor([130, 70])));
      const gradient = tf.tidy(() => tf.variable(tf.zeros([130, 70]), false));
      const accumulate = jit("accumulate", ({ x }: { x: tf.Tensor2D }) => {
        const { value, grads } = tf.variableGrads(
          () => tf.sum(tf.square(tf.matMul(x, w as tf.Tensor2D))) as tf.Scalar,
          [w],
        );
        gradient.assign(tf.add(gradient, grads[w.name] as tf.Tensor));
        return { value };
      });
      const update = jit("descend", () => {
        const norm = tf.sqrt(tf.sum(tf.square(gradient)));
        w.assign(tf.sub(w, tf.mul(tf.div(gradient, norm), 0.01)));
        gradient.assign(tf.zerosLike(gradient));
        return { norm };
      });
      const x = tensor([64, 130], 3) as tf.Tensor2D;
      for (let step = 0; step < 2; step++) {
        const outputs = [await accumulate({ x }), await accumulate({ x }), await update({})];
        tf.dispose(outputs);
      }
      ok((await gradient.data()).every((g) => g === 0), "the gradient was not cleared");
      results.push([...await w.data()]);
      tf.dispose([w, gradient, x]);
    }
    deepStrictEqual(results[1], results[0]);
    deepStrictEqual(results[2], results[0]);
  },
});

Deno.test({
  name: "native refuses a row number that a table does not have",
  ignore,
  async fn() {
    await openEngine({ executor: "native" });
    const table = tensor([10, 4]);
    const look = jit(
      "look up",
      ({ rows }: { rows: tf.Tensor1D }) => ({ found: tf.mul(tf.gather(table, rows), 2) }),
    );
    const rows = tf.tensor1d([1, 10, 2], "int32");
    await rejects(look({ rows }), {
      name: "RangeError",
      message: "Cannot run look up as row numbers must be from 0 to 9: number 1 is 10",
    });
    tf.dispose([table, rows]);
  },
});

Deno.test({
  name: "native leaves to onnx what it cannot compile, and says so",
  ignore,
  async fn() {
    const notes: string[] = [];
    await openEngine({
      executor: "native",
      threads: 2,
      isa: "native",
      onNote: (note) => notes.push(note),
    });
    const w = tf.tidy(() => tf.variable(tf.tensor2d([[1, 2], [3, 4]])));
    const square = jit("square matrix", () => {
      w.assign(tf.matMul(w as tf.Tensor2D, w as tf.Tensor2D));
      return {};
    });
    await square({});
    deepStrictEqual([...await w.data()], [7, 10, 15, 22]);
    deepStrictEqual(notes, [
      "square matrix runs on onnx, since native cannot compile an operation that reads what it overwrites",
    ]);
    w.dispose();
  },
});
