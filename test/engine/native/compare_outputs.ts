/** Comparison of the native executor's outputs with those of another executor. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { jit, type TensorMap } from "@/engine/jit.ts";

/** Values of outputs by name. */
export type Values = Record<string, number[]>;

/** Fails if values differ by more than `tolerance` times the largest value of their output. */
export function assertClose(
  actual: Values,
  expected: Values,
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

/** Runs a function through jit on an executor and returns all output values. */
export async function runOn(
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
