/**
 * Elementwise kernels of TensorFlow.js, recorded as primitives.
 * @module
 */
import type { BinaryOperation, DType, Node, UnaryOperation } from "@/engine/ir.ts";
import * as formulas from "@/engine/kernels/formulas.ts";
import { registerKernel } from "@/engine/kernels/register.ts";
import type { Tape } from "@/engine/tape.ts";

/** Arithmetic on two operands. Booleans, and division of integers, fall back to TensorFlow.js. */
const ARITHMETIC = {
  Add: "add",
  Sub: "sub",
  Multiply: "mul",
  RealDiv: "div",
  Maximum: "max",
  Minimum: "min",
  Pow: "pow",
} as const satisfies Record<string, BinaryOperation>;

const COMPARING = {
  Equal: "eq",
  NotEqual: "ne",
  Less: "lt",
  LessEqual: "le",
  Greater: "gt",
  GreaterEqual: "ge",
} as const satisfies Record<string, BinaryOperation>;

const LOGICAL = {
  LogicalAnd: "and",
  LogicalOr: "or",
} as const satisfies Record<string, BinaryOperation>;

/** Functions of floats and integers. */
const ANY_NUMBER = {
  Neg: "neg",
  Abs: "abs",
} as const satisfies Record<string, UnaryOperation>;

/** Rounding functions, which leave integers unchanged. */
const ROUNDING = {
  Floor: "floor",
  Ceil: "ceil",
  Round: "round",
} as const satisfies Record<string, UnaryOperation>;

/** Functions of floats. For integers the result is truncated to an integer, as in TensorFlow.js. */
const REAL: Record<string, formulas.Formula> = {
  Log: (tape, x) => tape.unary("log", x),
  Sqrt: (tape, x) => tape.unary("sqrt", x),
  Rsqrt: (tape, x) => tape.unary("rsqrt", x),
  Reciprocal: (tape, x) => tape.unary("reciprocal", x),
  Erf: (tape, x) => tape.unary("erf", x),
  Tanh: (tape, x) => tape.unary("tanh", x),
  Sin: (tape, x) => tape.unary("sin", x),
  Cos: (tape, x) => tape.unary("cos", x),
  Tan: (tape, x) => tape.binary("div", tape.unary("sin", x), tape.unary("cos", x)),
  Expm1: formulas.expm1,
  Log1p: formulas.log1p,
};

/** Applies a function of floats and casts the result to the operand's type; null for booleans. */
function inRealNumbers(tape: Tape, x: Node, formula: formulas.Formula): Node | null {
  if (x.dtype === "bool") return null;
  return tape.cast(formula(tape, tape.cast(x, "float32")), x.dtype);
}

/** Registers the elementwise kernels in TensorFlow.js. */
export function registerElementwiseKernels(): void {
  registerBinaryKernels();
  for (const [kernel, name] of Object.entries(ANY_NUMBER)) {
    registerKernel(kernel, ({ tape, input }) => {
      const x = input("x");
      return x.dtype === "bool" ? null : tape.unary(name, x);
    });
  }
  for (const [kernel, name] of Object.entries(ROUNDING)) {
    registerKernel(kernel, ({ tape, input }) => {
      const x = input("x");
      return x.dtype === "float32" ? tape.unary(name, x) : x;
    });
  }
  for (const [kernel, formula] of Object.entries(REAL)) {
    registerKernel(kernel, ({ tape, input }) => inRealNumbers(tape, input("x"), formula));
  }
  registerKernel("Exp", ({ tape, input }) => tape.unary("exp", tape.cast(input("x"), "float32")));
  registerKernel("Sign", ({ tape, input }) => {
    const x = input("x");
    return x.dtype === "bool" ? x : formulas.sign(tape, x);
  });
  registerKernel("Square", ({ tape, input }) => {
    const x = input("x");
    return x.dtype === "bool" ? null : formulas.square(tape, x);
  });
  registerKernel("LogicalNot", ({ tape, input }) => tape.unary("not", input("x")));
  registerTestingKernels();
  registerKernel<{ dtype: string }>("Cast", ({ tape, input, attributes: { dtype } }) => {
    const isOurs = dtype === "float32" || dtype === "int32" || dtype === "bool";
    return isOurs ? tape.cast(input("x"), dtype satisfies DType) : null;
  });
  registerKernel("Select", ({ tape, input }) => {
    const then = input("t");
    const condition = input("condition");
    // A condition with fewer axes selects along the leading ones.
    const axes = then.shape.map((size, axis) => axis < condition.shape.length ? size : 1);
    const spread = condition.shape.length < then.shape.length
      ? tape.reshape(condition, axes)
      : condition;
    const otherwise = input("e");
    if (then.dtype !== "bool") return tape.where(spread, then, otherwise);
    const no = tape.unary("not", spread);
    return tape.binary(
      "or",
      tape.binary("and", spread, then),
      tape.binary("and", no, otherwise),
    );
  });
}

function registerBinaryKernels(): void {
  for (const [kernel, name] of Object.entries(ARITHMETIC)) {
    registerKernel(kernel, ({ tape, input }) => {
      const a = input("a");
      if (a.dtype === "bool" || (name === "div" && a.dtype !== "float32")) return null;
      return tape.binary(name, a, input("b"));
    });
  }
  for (const [kernel, name] of Object.entries(COMPARING)) {
    registerKernel(kernel, ({ tape, input }) => {
      // Booleans have no order, so they are compared as integers.
      const [a, b] = [input("a"), input("b")]
        .map((x) => x.dtype === "bool" ? tape.cast(x, "int32") : x) as [Node, Node];
      return tape.binary(name, a, b);
    });
  }
  for (const [kernel, name] of Object.entries(LOGICAL)) {
    registerKernel(kernel, ({ tape, input }) => tape.binary(name, input("a"), input("b")));
  }
  registerKernel("FloorDiv", ({ tape, input }) => {
    const a = input("a");
    if (a.dtype === "bool") return null;
    return tape.cast(formulas.floorDivide(tape, a, input("b")), "int32");
  });
  registerKernel("Mod", ({ tape, input }) => {
    const a = input("a");
    return a.dtype === "bool" ? null : formulas.modulo(tape, a, input("b"));
  });
  registerKernel("SquaredDifference", ({ tape, input }) => {
    const a = input("a");
    if (a.dtype === "bool") return null;
    return formulas.square(tape, tape.binary("sub", a, input("b")));
  });
  registerKernel("AddN", ({ tape, inputs }) => {
    if (inputs[0]?.dtype === "bool") return null;
    return inputs.reduce((sum, term) => tape.binary("add", sum, term));
  });
}

/** Registers kernels that test for NaN, infinity and finiteness. */
function registerTestingKernels(): void {
  const no = (tape: Tape, { shape }: Node, value = 0) => tape.constant(value, shape, "bool");
  const magnitude = (tape: Tape, x: Node) => tape.unary("abs", x);
  const infinity = (tape: Tape) => tape.constant(Infinity);
  registerKernel("IsNan", ({ tape, input }) => {
    const x = input("x");
    return x.dtype === "float32" ? formulas.isNaNs(tape, x) : no(tape, x);
  });
  registerKernel("IsInf", ({ tape, input }) => {
    const x = input("x");
    if (x.dtype !== "float32") return no(tape, x);
    return tape.binary("eq", magnitude(tape, x), infinity(tape));
  });
  registerKernel("IsFinite", ({ tape, input }) => {
    const x = input("x");
    if (x.dtype !== "float32") return no(tape, x, 1);
    return tape.binary("lt", magnitude(tape, x), infinity(tape));
  });
}
