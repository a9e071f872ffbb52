/**
 * ONNX names of the IR operations that correspond to one operator.
 * @module
 */
import type { BinaryOperation, Reduction, UnaryOperation } from "@/engine/ir.ts";

/** Unary operations. */
export const UNARY = {
  neg: "Neg",
  abs: "Abs",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  rsqrt: "Sqrt", // followed by Reciprocal
  reciprocal: "Reciprocal",
  erf: "Erf",
  tanh: "Tanh",
  sin: "Sin",
  cos: "Cos",
  floor: "Floor",
  ceil: "Ceil",
  round: "Round",
  sign: "Sign",
  not: "Not",
  "round-bfloat16": "Cast", // to the half type and back
  "round-float16": "Cast",
} as const satisfies Record<UnaryOperation, string>;

/** Binary operations. */
export const BINARY = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  max: "Max",
  min: "Min",
  pow: "Pow",
  eq: "Equal",
  ne: "Equal", // followed by Not
  lt: "Less",
  le: "LessOrEqual",
  gt: "Greater",
  ge: "GreaterOrEqual",
  and: "And",
  or: "Or",
} as const satisfies Record<BinaryOperation, string>;

/** Reductions. */
export const REDUCE = {
  sum: "ReduceSum",
  max: "ReduceMax",
  min: "ReduceMin",
  prod: "ReduceProd",
  any: "ReduceMax", // on integers
  all: "ReduceMin",
  argmax: "ArgMax",
  argmin: "ArgMin",
} as const satisfies Record<Reduction, string>;
