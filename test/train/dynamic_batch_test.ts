/**
 * Compares programs with dynamic batch shapes (native) with programs that are traced for each shape (ONNX Runtime).
 * @module
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { POOLING_MODES } from "@/config/config.ts";
import { PRECISIONS } from "@/engine/options.ts";
import type { Precision } from "@/engine/options.ts";
import { openEngine } from "@/engine/engine.ts";
import { onCompile } from "@/engine/jit.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { createPredictor } from "@/eval/predict_examples.ts";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";
import { createFixtureTraining, meanLoss, TASKS } from "./steps_fixture.ts";
import { createTinyModel, TINY_BERT } from "./tiny_model.ts";

const MAX_POSITIONS = 64;

/** Rows and tokens: single rows, single tokens, equal sizes, sizes of model dimensions and trace samples, the maximum. */
const SHAPES = [[3, 7], [1, 5], [1, 1], [8, 8], [16, 2], [2, 16], [43, 53], [2, 64]] as const;

/** A batch of pseudo-random tokens; the last third of every row is padding. */
function makeBatch(task: string, rows: number, length: number): Batch {
  const size = rows * length, labels = task === "topic" ? rows : size;
  const isToken = (i: number) => i % length === 0 || i % length < 0.67 * length;
  return {
    ...{ rows, length, examples: [], tokens: 0 },
    ids: Int32Array.from(
      { length: size },
      (_, i) => isToken(i) ? (7 * i) % TINY_BERT.vocab_size : 0,
    ),
    mask: Int32Array.from({ length: size }, (_, i) => Number(isToken(i))),
    labels: Int32Array.from(
      { length: labels },
      (_, i) => task === "topic" || isToken(i) ? (3 * i) % 4 : -1,
    ),
  };
}

/** Trains on batches of all shapes, one shape a step; returns losses, gradient norms and the last weights. */
async function train(executor: "native" | "onnx", precision: Precision) {
  await openEngine({ executor, precision, threads: 2 });
  const compiled: string[] = [];
  onCompile((name) => void compiled.push(name));
  const model = createTinyModel(1, { maxPositions: MAX_POSITIONS });
  const { trainStep, dispose, ...training } = createFixtureTraining(model, {
    dropout: { hidden: 0.1, attention: 0.1, head: 0.1 },
    schedule: (step) => step === SHAPES.length - 1 ? 1 : 0, // equal weights for every shape
  });
  let { state } = training;
  const losses: number[] = [], norms: number[] = [];
  for (const [rows, length] of SHAPES) {
    const batches = TASKS.map((task) => [task, [makeBatch(task, rows, length)]] as const);
    const [next, metrics] = await trainStep(state, new Map(batches));
    state = next;
    losses.push(...TASKS.map((task) => meanLoss(metrics, task)));
    norms.push(metrics.gradientNorm);
  }
  const weights: number[] = [];
  for (const { variable } of namedParameters(model)) weights.push(...await variable.data());
  dispose();
  disposeModel(model);
  onCompile(() => {});
  return { losses, norms, weights, compiled };
}

for (const precision of PRECISIONS) {
  Deno.test({
    name: `one program per task computes the gradients for all batch shapes, in ${precision}`,
    ignore: findCompiler() === null,
    async fn() {
      const tensors = tf.memory().numTensors;
      const native = await train("native", precision), onnx = await train("onnx", precision);
      strictEqual(tf.memory().numTensors, tensors, "leaks tensors");
      deepStrictEqual(native.compiled, [...TASKS.map((task) => `gradient.${task}`), "update"]);
      strictEqual(
        onnx.compiled.length,
        TASKS.length * SHAPES.length + 1,
        "premise: one program per shape",
      );
      const [part, moved] = precision === "float32" ? [1e-5, 1e-5] : [1e-2, 2e-3];
      const isClose = (a: number, b: number) => Math.abs(a - b) <= part * Math.abs(b);
      native.losses.forEach((loss, i) =>
        ok(isClose(loss, onnx.losses[i] ?? NaN), `loss ${i}: ${loss} ${onnx.losses[i]}`)
      );
      native.norms.forEach((norm, i) => ok(isClose(norm, onnx.norms[i] ?? NaN), `norm ${i}`));
      native.weights.forEach((weight, i) =>
        ok(Math.abs(weight - (onnx.weights[i] ?? NaN)) <= moved, `weight ${i}`)
      );
    },
  });
}

for (const pooling of POOLING_MODES) {
  Deno.test({
    name: `one program predicts batches of all lengths, pooling ${pooling}`,
    ignore: findCompiler() === null,
    async fn() {
      const lengths = [1, 2, 5, 16, 53, 64];
      const examples = lengths.map((length, row) => ({
        row,
        ids: Int32Array.from({ length }, (_, i) => (11 * i + row) % TINY_BERT.vocab_size),
        labels: Int32Array.of(0),
      }));
      const found: Float32Array[][] = [], compiled: string[] = [];
      for (const executor of ["native", "onnx"] as const) {
        await openEngine({ executor, precision: "float32", threads: 2 });
        const model = createTinyModel(1, { pooling, maxPositions: MAX_POSITIONS });
        onCompile((name) => void compiled.push(name));
        const predictor = createPredictor(model, "topic", { lengths, padId: 0, clsId: 1, rows: 1 });
        found.push(await predictor.predict(examples));
        disposeModel(model);
      }
      onCompile(() => {});
      strictEqual(compiled.length, 1 + lengths.length);
      const [native = [], onnx = []] = found;
      for (const [i, values] of onnx.entries()) {
        values.forEach((value, k) => ok(Math.abs(value - (native[i]?.[k] ?? NaN)) <= 1e-6));
      }
    },
  });
}
