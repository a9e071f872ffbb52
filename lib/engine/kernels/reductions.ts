/**
 * Reducing kernels of TensorFlow.js, and softmax.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Reduction } from "@/engine/ir.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
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

export function registerReductionKernels(): void {
  for (const [kernel, name] of Object.entries(REDUCTIONS)) {
    registerKernel<ReductionAttributes>(kernel, ({ tape, input, attributes }) => {
      const x = input("x");
      const summed = name === "sum" && x.dtype === "bool" ? tape.cast(x, "int32") : x;
      return tape.reduce(name, summed, axesOf(attributes, x.shape), attributes.keepDims ?? false);
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
      return tape.reduce(name, x, axesOf(attributes, x.shape), false);
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
