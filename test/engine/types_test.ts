/**
 * Compares operations on each element type, including special values, with TensorFlow.js's `cpu` backend: types, shapes
 * and values must be equal.
 * @module
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";

await openEngine({ threads: 2, executor: "onnx" });

type Run = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor | tf.Tensor[];

const OPERANDS = {
  float32: [[0, -0.5, 1.5, 2.5, NaN, Infinity, -Infinity, -2.5, 3], [
    1,
    0,
    -2,
    0.5,
    1,
    2,
    -3,
    NaN,
    0.25,
  ]],
  int32: [[0, -5, 7, 3, -3, 10, -7, 2, 1], [2, 0, -2, -2, 2, 7, -3, 3, 1]],
  bool: [[0, 1, 1, 0, 1, 0, 0, 1, 1], [1, 1, 0, 0, 1, 1, 0, 0, 1]],
} as const;

const UNARY = [
  ...["abs", "ceil", "cos", "elu", "erf", "exp", "expm1", "floor", "isFinite", "isInf", "isNaN"],
  ...["log", "log1p", "logicalNot", "neg", "reciprocal", "relu", "relu6", "round", "rsqrt", "selu"],
  ...["sigmoid", "sign", "sin", "softplus", "sqrt", "square", "step", "tan", "tanh", "zerosLike"],
  ...["onesLike", "softmax", "logSoftmax", "reverse", "transpose", "unstack", "clone"],
] as const;
const REDUCING = [
  ...["all", "any", "argMax", "argMin", "cumsum", "cumprod", "logSumExp", "max", "mean", "min"],
  ...["prod", "sum"],
] as const;
const BINARY = [
  ...["add", "sub", "mul", "div", "divNoNan", "maximum", "minimum", "pow", "equal", "notEqual"],
  ...["less", "lessEqual", "greater", "greaterEqual", "logicalAnd", "logicalOr", "logicalXor"],
  ...["floorDiv", "mod", "squaredDifference", "matMul", "prelu"],
] as const;

/** Excluded cases: TensorFlow.js's result depends on its arrays by chance, or there is no agreed result. */
const EXCLUDED: Record<string, string> = {
  "float32 floorDiv": "NaN and infinities as integers",
  "int32 log1p": "NaN as an integer",
  "int32 reciprocal": "infinity as an integer",
  "bool logSumExp 0": "exponentials of a maximum of bytes",
  "bool logSumExp 1": "as above",
  "bool logSoftmax": "as above",
};

const call = (name: string) =>
  (tf as unknown as Record<string, (...args: unknown[]) => tf.Tensor | tf.Tensor[]>)[name] as (
    ...args: unknown[]
  ) => tf.Tensor;

/** A reduction along an axis of size 1. */
const reduceOne = (name: string): Run => (a) => call(name)(tf.reshape(a, [-1, 1]), 1);

const CASES: Record<string, Run> = {
  ...Object.fromEntries(UNARY.map((name): [string, Run] => [name, (a) => call(name)(a)])),
  ...Object.fromEntries(
    REDUCING.flatMap((name) =>
      [0, 1].map((axis): [string, Run] => [`${name} ${axis}`, (a) => call(name)(a, axis)])
    ),
  ),
  ...Object.fromEntries(REDUCING.map((name) => [`${name} of one`, reduceOne(name)])),
  ...Object.fromEntries(BINARY.map((name): [string, Run] => [name, (a, b) => call(name)(a, b)])),
  "matMul transposed": (a, b) => [
    tf.matMul(a, b, true),
    tf.matMul(a, b, false, true),
    tf.matMul(a, b, true, true),
  ],
  "fused matMul": (a, b) => tf.fused.matMul({ a, b, bias: a }),
  where: (a, b) => tf.where(tf.cast(b, "bool"), a, b),
  concat: (a, b) => tf.concat([a, b], 1),
  stack: (a, b) => tf.stack([a, b], 1),
  "to float32 and bool": (a) => [tf.cast(a, "float32"), tf.cast(a, "bool")],
};

/** Types, shapes and values to four digits; errors count as results too. */
async function describeResult(backend: string, dtype: keyof typeof OPERANDS, run: Run) {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const [a, b] = OPERANDS[dtype].map((values) => tf.tensor2d([...values], [3, 3], dtype));
    try {
      return [run(a as tf.Tensor, b as tf.Tensor)].flat().map((result) => {
        const values = Array.from(result.dataSync(), (v) => Number(v.toPrecision(4)) + 0);
        return { dtype: result.dtype, shape: result.shape, values };
      });
    } catch (error) {
      return String(error);
    }
  });
}

for (const dtype of Object.keys(OPERANDS) as (keyof typeof OPERANDS)[]) {
  Deno.test(`operations on ${dtype} return TensorFlow.js's types and values`, async () => {
    let compared = 0;
    for (const [name, run] of Object.entries(CASES)) {
      if (`${dtype} ${name}` in EXCLUDED) continue;
      const expected = await describeResult("cpu", dtype, run);
      deepStrictEqual(await describeResult("recorded", dtype, run), expected, `${dtype} ${name}`);
      compared += Array.isArray(expected) ? 1 : 0;
    }
    ok(compared > 60, `operations compared: ${compared}`);
  });
}

Deno.test("topk() puts NaN last and prefers the first of equal elements", async () => {
  await tf.setBackend("recorded");
  const { values, indices } = tf.topk(tf.tensor1d([2, NaN, Infinity, 2, -1]), 5);
  deepStrictEqual([...values.dataSync()], [Infinity, 2, 2, -1, NaN]);
  deepStrictEqual([...indices.dataSync()], [2, 0, 3, 4, 1]);
});
