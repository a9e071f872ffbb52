/**
 * Elementwise kernels of TensorFlow.js, recorded as primitives.
 * @module
 */
import type { BinaryOperation, Node, UnaryOperation } from "@/engine/ir.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import type { Tape } from "@/engine/tape.ts";

const BINARY = {
  Add: "add",
  Sub: "sub",
  Multiply: "mul",
  RealDiv: "div",
  Maximum: "max",
  Minimum: "min",
  Pow: "pow",
  Equal: "eq",
  NotEqual: "ne",
  Less: "lt",
  LessEqual: "le",
  Greater: "gt",
  GreaterEqual: "ge",
  LogicalAnd: "and",
  LogicalOr: "or",
} as const satisfies Record<string, BinaryOperation>;

const UNARY = {
  Neg: "neg",
  Abs: "abs",
  Exp: "exp",
  Log: "log",
  Sqrt: "sqrt",
  Rsqrt: "rsqrt",
  Reciprocal: "reciprocal",
  Erf: "erf",
  Tanh: "tanh",
  Sin: "sin",
  Cos: "cos",
  Floor: "floor",
  Ceil: "ceil",
  Round: "round",
  Sign: "sign",
  LogicalNot: "not",
} as const satisfies Record<string, UnaryOperation>;

/** x² as a product, which gradients and squared sums recognize. */
function square(tape: Tape, x: Node): Node {
  return tape.binary("mul", x, x);
}

/** 1 / (1 + e⁻ˣ) */
function sigmoid(tape: Tape, x: Node): Node {
  const one = tape.constant(1);
  return tape.unary("reciprocal", tape.binary("add", tape.unary("exp", tape.unary("neg", x)), one));
}

export function registerElementwiseKernels(): void {
  for (const [kernel, name] of Object.entries(BINARY)) {
    registerKernel(kernel, ({ tape, input }) => tape.binary(name, input("a"), input("b")));
  }
  for (const [kernel, name] of Object.entries(UNARY)) {
    registerKernel(kernel, ({ tape, input }) => tape.unary(name, input("x")));
  }
  registerKernel("Square", ({ tape, input }) => square(tape, input("x")));
  registerKernel(
    "SquaredDifference",
    ({ tape, input }) => square(tape, tape.binary("sub", input("a"), input("b"))),
  );
  registerKernel("Sigmoid", ({ tape, input }) => sigmoid(tape, input("x")));
  registerKernel("Relu", ({ tape, input }) => {
    const x = input("x");
    return tape.binary("max", x, tape.constant(0, [], x.dtype));
  });
  registerKernel(
    "AddN",
    ({ tape, inputs }) => inputs.reduce((sum, term) => tape.binary("add", sum, term)),
  );
  registerKernel<{ dtype: string }>("Cast", ({ tape, input, attributes: { dtype } }) => {
    if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
      throw new TypeError(
        `Cannot cast as dtype must be float32, int32 or bool: current value is ${dtype}`,
      );
    }
    return tape.cast(input("x"), dtype);
  });
  registerKernel("Select", ({ tape, input }) => {
    const then = input("t");
    const condition = input("condition");
    // A condition with fewer axes chooses among the leading ones.
    const axes = then.shape.map((size, axis) => axis < condition.shape.length ? size : 1);
    const spread = condition.shape.length < then.shape.length
      ? tape.reshape(condition, axes)
      : condition;
    return tape.where(spread, then, input("e"));
  });
}
