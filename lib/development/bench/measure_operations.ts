/**
 * Measures single operations, each as a program of its own on random numbers.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { assertNever } from "@/assert_never.ts";
import { jit, type TensorMap } from "@/engine/jit.ts";
import { dropout, gelu, layerNorm } from "@/engine/neural.ts";
import { stream } from "@/random.ts";
import {
  addDecayedWeights,
  chain,
  scaleByAdam,
  scaleByLearningRate,
  updateAlone,
} from "@/train/optimizer.ts";
import type { Measurement, OperationsJob } from "./job.ts";
import type { OperationSpec } from "./operations.ts";
import { median } from "@/statistics.ts";

const WARMUP = 2;

/** An operation with its inputs. */
type Prepared = {
  readonly inputs: TensorMap;
  readonly run: (inputs: TensorMap) => TensorMap;
  /** Variables that `run` updates. */
  readonly variables: readonly tf.Variable[];
};

/** Normally distributed numbers; zeros would draw less power and run faster. */
function draw(name: string, shape: readonly number[]): tf.Tensor {
  const { normal } = stream(1, "operations", name);
  const size = shape.reduce((product, length) => product * length, 1);
  return tf.tensor(Float32Array.from({ length: size }, normal), [...shape]);
}

/** Random row indices of a table. */
function drawRows(rows: number, table: number): tf.Tensor1D {
  const { below } = stream(1, "operations", "rows");
  return tf.tensor1d(Int32Array.from({ length: rows }, () => below(table)), "int32");
}

/** The input `name`, cast to the rank that the operation expects. */
function take<T extends tf.Tensor>(inputs: TensorMap, name: string): T {
  const found = inputs[name];
  if (found === undefined) throw new TypeError(`internal: operation has no input ${name}`);
  return found as T;
}

function prepare(spec: OperationSpec): Prepared {
  switch (spec.operation) {
    case "matMul": {
      const { batch, m, k, n, transposeA, transposeB } = spec;
      const stack = (...sizes: number[]) => batch > 1 ? [batch, ...sizes] : sizes;
      return {
        inputs: {
          a: draw("a", transposeA ? stack(k, m) : stack(m, k)),
          b: draw("b", transposeB ? stack(n, k) : stack(k, n)),
        },
        run: (inputs) => ({
          y: tf.matMul(take(inputs, "a"), take(inputs, "b"), transposeA, transposeB),
        }),
        variables: [],
      };
    }
    case "softmax":
    case "gelu": {
      const apply = spec.operation === "gelu" ? gelu : (x: tf.Tensor) => tf.softmax(x);
      return {
        inputs: { x: draw("x", [spec.rows, spec.columns]) },
        run: (inputs) => ({ y: apply(take(inputs, "x")) }),
        variables: [],
      };
    }
    case "layerNorm":
      return {
        inputs: {
          x: draw("x", [spec.rows, spec.columns]),
          gain: draw("gain", [spec.columns]),
          bias: draw("bias", [spec.columns]),
        },
        run: (inputs) => ({
          y: layerNorm(take(inputs, "x"), take(inputs, "gain"), take(inputs, "bias"), 1e-12),
        }),
        variables: [],
      };
    case "dropout":
      return {
        inputs: { x: draw("x", [spec.rows, spec.columns]), seed: tf.scalar(7, "int32") },
        run: (inputs) => ({
          y: dropout(take(inputs, "x"), { rate: 0.1, site: "bench", seed: take(inputs, "seed") }),
        }),
        variables: [],
      };
    case "gather":
      return {
        inputs: {
          x: draw("x", [spec.table, spec.columns]),
          rows: drawRows(spec.rows, spec.table),
        },
        run: (inputs) => ({ y: tf.gather(take(inputs, "x"), take<tf.Tensor1D>(inputs, "rows")) }),
        variables: [],
      };
    case "scatter":
      return {
        inputs: { x: draw("x", [spec.rows, spec.columns]), rows: drawRows(spec.rows, spec.table) },
        run: (inputs) => ({
          y: tf.unsortedSegmentSum(
            take(inputs, "x"),
            take<tf.Tensor1D>(inputs, "rows"),
            spec.table,
          ),
        }),
        variables: [],
      };
    case "adamW":
      return prepareAdamW([spec.rows, spec.columns]);
    default:
      return assertNever(spec, "operation");
  }
}

/** One in-place update of a parameter. */
function prepareAdamW(shape: readonly number[]): Prepared {
  const variable = (name: string) => tf.tidy(() => tf.variable(tf.abs(draw(name, shape)), false));
  const slot = {
    weight: variable("weight"),
    gradient: variable("gradient"),
    first: variable("first"),
    second: variable("second"),
  };
  const { weight, first, second } = slot;
  const parameter = { ...slot, plan: { learningRate: 1e-5, weightDecay: 0.01 } };
  const adamW = chain(
    scaleByAdam({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
    addDecayedWeights(),
    scaleByLearningRate(),
  );
  return {
    inputs: {
      rate: tf.scalar(1),
      corrected: tf.scalar(1),
      epsilon: tf.scalar(1e-8),
    },
    run: (inputs) => {
      const moved = updateAlone(adamW, parameter, {
        rate: take(inputs, "rate"),
        corrected: take(inputs, "corrected"),
        epsilon: take(inputs, "epsilon"),
      });
      weight.assign(moved.weight);
      first.assign(moved.first);
      second.assign(moved.second);
      return {};
    },
    variables: Object.values(slot),
  };
}

/** Measures each operation. Inputs are ready; the result is allocated anew, as in a training step. */
export async function measureOperations(
  { operations, runs }: OperationsJob,
  nowMs: () => number,
): Promise<readonly Measurement[]> {
  const found: Measurement[] = [];
  for (const spec of operations) {
    const { inputs, run, variables } = prepare(spec);
    const program = jit(spec.label, run);
    const timesMs: number[] = [];
    for (let i = -WARMUP; i < runs; i++) {
      const startMs = nowMs();
      const outputs = await program(inputs);
      if (i >= 0) timesMs.push(nowMs() - startMs);
      tf.dispose(outputs);
    }
    tf.dispose([inputs, ...variables]);
    found.push({
      label: spec.label,
      timesMs,
      details: { [spec.unit]: spec.work / median(timesMs) / 1e6 },
    });
  }
  return found;
}
