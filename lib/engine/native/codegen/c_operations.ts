/**
 * Elementwise operations as C expressions over the vocabulary of `vec.h`.
 * @module
 */
import {
  type BinaryOperation,
  COMPARISONS,
  type DType,
  type Node,
  type UnaryOperation,
} from "../../ir.ts";
import { UnsupportedError } from "@/engine/errors.ts";

const UNARY = {
  neg: "v_neg",
  abs: "v_abs",
  exp: "v_exp",
  log: "v_log",
  sqrt: "v_sqrt",
  rsqrt: "v_rsqrt",
  reciprocal: "v_rcp",
  erf: "v_erf",
  tanh: "v_tanh",
  sin: "v_sin",
  cos: "v_cos",
  floor: "v_floor",
  ceil: "v_ceil",
  round: "v_round",
  sign: "v_sign",
  not: "v_not",
  "round-bfloat16": "v_rbf",
  "round-float16": "v_rhf",
} as const satisfies Record<UnaryOperation, string>;

const BINARY = {
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  max: (a, b) => `v_max(${a}, ${b})`,
  min: (a, b) => `v_min(${a}, ${b})`,
  pow: (a, b) => `v_pow(${a}, ${b})`,
  eq: (a, b) => `m2f(v_eq(${a}, ${b}))`,
  ne: (a, b) => `m2f(v_ne(${a}, ${b}))`,
  lt: (a, b) => `m2f(v_lt(${a}, ${b}))`,
  le: (a, b) => `m2f(v_le(${a}, ${b}))`,
  gt: (a, b) => `m2f(v_gt(${a}, ${b}))`,
  ge: (a, b) => `m2f(v_ge(${a}, ${b}))`,
  and: (a, b) => `v_min(${a}, ${b})`, // booleans are 0 or 1
  or: (a, b) => `v_max(${a}, ${b})`,
} as const satisfies Record<BinaryOperation, (a: string, b: string) => string>;

/** Unary operations of integers; kernels record the others for float32 only. */
const INTEGER_UNARY: ReadonlySet<UnaryOperation> = new Set(["neg", "abs", "sign"]);
const INTEGER_BINARY: ReadonlySet<BinaryOperation> = new Set(
  ["add", "sub", "mul", "div", "max", "min", "pow"],
);

function printUnary(name: UnaryOperation, a: string, isInteger: boolean): string {
  if (name === "not") return `S(1.f) - ${a}`;
  if (!isInteger) return `${UNARY[name]}(${a})`;
  if (INTEGER_UNARY.has(name)) return `w_${name}(${a})`;
  throw new UnsupportedError(`the operation ${name} on integers`);
}

function printBinary(name: BinaryOperation, a: string, b: string, isInteger: boolean): string {
  if (!isInteger) return BINARY[name](a, b);
  const call = `w_${name}(${a}, ${b})`;
  if (COMPARISONS.has(name)) return `m2f(${call})`;
  if (INTEGER_BINARY.has(name)) return call;
  throw new UnsupportedError(`the operation ${name} on integers`);
}

function printCast(from: DType, to: DType, a: string): string {
  if (from === to) return a;
  switch (to) {
    case "bool":
      return from === "int32" ? `m2f(w_ne(${a}, w_set(0)))` : `m2f(v_ne(${a}, S(0.f)))`;
    case "int32":
      return `w_integer(${a})`;
    case "float32":
      return from === "int32" ? `w_float(${a})` : a;
  }
}

/** The C expression of a node from expressions for its operands; throws {@link UnsupportedError}. */
export function printOperation(
  { operation, dtype, inputs }: Node,
  operands: readonly string[],
): string {
  const [a = "", b = "", c = ""] = operands;
  const from = inputs[0]?.dtype ?? dtype, isInteger = from === "int32";
  switch (operation.kind) {
    case "unary":
      return printUnary(operation.name, a, isInteger);
    case "binary":
      return printBinary(operation.name, a, b, isInteger);
    case "where":
      return `sel(f2m(${a}), ${b}, ${c})`;
    case "cast":
      return printCast(from, dtype, a);
    default:
      throw new Error(`internal: ${operation.kind} is no elementwise operation`);
  }
}
