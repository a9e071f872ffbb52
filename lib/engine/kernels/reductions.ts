/**
 * Reduction kernels of TensorFlow.js, and softmax.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Node, Reduction } from "@/engine/ir.ts";
import { isNaNs } from "@/engine/kernels/formulas.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import type { Tape } from "@/engine/tape.ts";
import { sizeOf } from "@/engine/views.ts";

const REDUCTIONS = {
  Sum: "sum",
  Max: "max",
  Min: "min",
  Prod: "prod",
  Any: "any",
  All: "all",
} as const satisfies Record<string, Reduction>;

type ReductionAttributes = {
  axis?: number | number[];
  reductionIndices?: number | number[];
  keepDims?: boolean;
};

function axesOf(
  { axis, reductionIndices }: ReductionAttributes,
  shape: readonly number[],
): number[] {
  return tf.util.parseAxisParam((axis ?? reductionIndices) as number | number[], [...shape]);
}

/** The maximum or minimum `result`, replaced by NaN if one of the elements is NaN. */
function keepNaNs(
  tape: Tape,
  x: Node,
  result: Node,
  { axes, keepDims }: { readonly axes: readonly number[]; readonly keepDims: boolean },
): Node {
  if (x.dtype !== "float32" || x.shape.length === 0) return result;
  const nothing = tape.constant(0, x.shape), nan = tape.constant(NaN, x.shape);
  const marks = tape.where(isNaNs(tape, x), nan, nothing);
  const sum = tape.reduce("sum", marks, axes, keepDims);
  return tape.where(isNaNs(tape, sum), sum, result);
}

/** Registers the reduction kernels and softmax in TensorFlow.js. */
export function registerReductionKernels(): void {
  for (const [kernel, name] of Object.entries(REDUCTIONS)) {
    registerKernel<ReductionAttributes>(kernel, ({ tape, input, attributes }) => {
      const x = input("x");
      const axes = axesOf(attributes, x.shape), keepDims = attributes.keepDims ?? false;
      const counted = x.dtype === "bool" && name !== "any" && name !== "all";
      const result = tape.reduce(name, counted ? tape.cast(x, "int32") : x, axes, keepDims);
      if (name === "max" || name === "min") {
        return tape.cast(keepNaNs(tape, x, result, { axes, keepDims }), x.dtype);
      }
      return result;
    });
  }
  registerKernel<ReductionAttributes>("Mean", ({ tape, input, attributes }) => {
    const x = tape.cast(input("x"), "float32");
    const axes = axesOf(attributes, x.shape);
    const count = sizeOf(axes.map((axis) => x.shape[axis] as number));
    const sum = tape.reduce("sum", x, axes, attributes.keepDims ?? false);
    return tape.binary("mul", sum, tape.constant(1 / count));
  });
  for (const [kernel, name] of [["ArgMax", "argmax"], ["ArgMin", "argmin"]] as const) {
    registerKernel<ReductionAttributes>(kernel, ({ tape, input, attributes }) => {
      const x = input("x");
      const axes = axesOf(attributes, x.shape);
      if (x.dtype !== "float32") return tape.reduce(name, tape.cast(x, "int32"), axes, false);
      // NaN never wins.
      const least = tape.constant(name === "argmax" ? -Infinity : Infinity, x.shape);
      const numbers = tape.where(isNaNs(tape, x), least, x);
      return tape.reduce(name, numbers, axes, false);
    });
  }
  registerKernel<{ dim: number }>("Softmax", ({ tape, input, attributes: { dim } }) => {
    const x = tape.cast(input("logits"), "float32");
    const axis = dim < 0 ? dim + x.shape.length : dim;
    const shifted = tape.binary("sub", x, tape.reduce("max", x, [axis], true));
    const powers = tape.unary("exp", shifted);
    const result = tape.binary("div", powers, tape.reduce("sum", powers, [axis], true));
    result.composite ??= { op: "Softmax", inputs: [x], attributes: { axis }, output: 0 };
    return result;
  });
}
