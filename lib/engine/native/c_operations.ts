/**
 * Elementwise operations as C expressions over the vocabulary of `vec.h`.
 * @module
 */
import type { BinaryOperation, Node, UnaryOperation } from "@/engine/ir.ts";

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
  and: (a, b) => `v_min(${a}, ${b})`, // truth values are 0 or 1
  or: (a, b) => `v_max(${a}, ${b})`,
} as const satisfies Record<BinaryOperation, (a: string, b: string) => string>;

/** The value of a node from expressions for its operands. */
export function printOperation(
  { operation, dtype, inputs }: Node,
  operands: readonly string[],
): string {
  const [a = "", b = "", c = ""] = operands;
  switch (operation.kind) {
    case "unary":
      return operation.name === "not" ? `S(1.f) - ${a}` : `${UNARY[operation.name]}(${a})`;
    case "binary":
      return BINARY[operation.name](a, b);
    case "where":
      return `sel(f2m(${a}), ${b}, ${c})`;
    case "cast": {
      const from = inputs[0]?.dtype;
      if (dtype === "bool" && from !== "bool") return `m2f(v_ne(${a}, S(0.f)))`;
      if (dtype === "int32" && from === "float32") {
        return `sel(v_ge(${a}, S(0.f)), v_floor(${a}), v_ceil(${a}))`;
      }
      return a;
    }
    default:
      throw new Error(`internal: ${operation.kind} is no elementwise operation`);
  }
}
