/**
 * Kernels of activation functions.
 * @module
 */
import type { Node } from "@/engine/ir.ts";
import * as formulas from "@/engine/kernels/formulas.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import type { Tape } from "@/engine/tape.ts";

/** Activations of one operand, by their name in TensorFlow.js's fused kernels. */
const ACTIVATIONS: Record<string, formulas.Formula> = {
  linear: (_, x) => x,
  relu: formulas.relu,
  relu6: formulas.relu6,
  elu: formulas.elu,
  sigmoid: formulas.sigmoid,
};

/** Applies the activation of a fused kernel; null if it is not compiled. */
export function activate(
  tape: Tape,
  x: Node,
  { activation, slope }: { readonly activation: string; readonly slope: Node | null },
): Node | null {
  if (slope !== null && (activation === "prelu" || activation === "leakyrelu")) {
    return formulas.leakyRelu(tape, x, slope);
  }
  return ACTIVATIONS[activation]?.(tape, x) ?? null;
}

/** Registers the kernels of activation functions in TensorFlow.js. */
export function registerActivationKernels(): void {
  for (
    const [kernel, formula] of [
      ["Relu", formulas.relu],
      ["Relu6", formulas.relu6],
    ] as const
  ) {
    registerKernel(kernel, ({ tape, input }) => {
      const x = input("x");
      return x.dtype === "bool" ? null : formula(tape, x);
    });
  }
  for (
    const [kernel, formula] of [
      ["Sigmoid", formulas.sigmoid],
      ["Elu", formulas.elu],
      ["Selu", formulas.selu],
      ["Softplus", formulas.softplus],
    ] as const
  ) {
    registerKernel(kernel, ({ tape, input }) => {
      const x = input("x");
      return x.dtype === "float32" ? formula(tape, x) : null;
    });
  }
  registerKernel("EluGrad", ({ tape, input }) => {
    const dy = input("dy"), y = input("y");
    const below = tape.binary("mul", dy, tape.binary("add", y, tape.constant(1)));
    return tape.where(tape.binary("ge", y, tape.constant(0)), dy, below);
  });
  registerKernel<{ alpha: number }>("LeakyRelu", ({ tape, input, attributes: { alpha } }) => {
    const x = input("x");
    return x.dtype === "float32" ? formulas.leakyRelu(tape, x, tape.constant(alpha)) : null;
  });
  registerKernel("Prelu", ({ tape, input }) => {
    const x = input("x"), alpha = input("alpha");
    return x.dtype === "float32" ? formulas.leakyRelu(tape, x, tape.cast(alpha, "float32")) : null;
  });
  registerKernel<{ alpha: number }>("Step", ({ tape, input, attributes: { alpha } }) => {
    const x = input("x");
    return x.dtype === "bool" ? null : formulas.step(tape, x, alpha);
  });
  registerKernel<{ clipValueMin: number; clipValueMax: number }>(
    "ClipByValue",
    ({ tape, input, attributes: { clipValueMin, clipValueMax } }) => {
      const x = input("x");
      if (x.dtype !== "float32") return null;
      const raised = tape.binary("max", x, tape.constant(clipValueMin));
      return tape.binary("min", raised, tape.constant(clipValueMax));
    },
  );
}
