/**
 * The intermediate representation: primitive operations on arrays, as a graph of immutable nodes.
 *
 * Layer norm, softmax and GELU are recorded as their primitives. A node may carry the name of a composite with the
 * same value, for executors that have an operator for it; other executors ignore it.
 * @module
 */
import type { View } from "@/engine/views.ts";

/** Types of elements. */
export type DType = "float32" | "int32" | "bool";

/** A two-byte type for the operands of matrix products. */
export type HalfType = "bfloat16" | "float16";

/** Elementwise operations of one operand; the result has the operand's type. */
const UNARY_OPERATIONS = [
  "neg",
  "abs",
  "exp",
  "log",
  "sqrt",
  "rsqrt",
  "reciprocal",
  "erf",
  "tanh",
  "sin",
  "cos",
  "floor",
  "ceil",
  "round",
  "sign",
  "not",
  "round-bfloat16", // to the nearest number of the type, stored as float32
  "round-float16",
] as const;
/** One of {@link UNARY_OPERATIONS}. */
export type UnaryOperation = typeof UNARY_OPERATIONS[number];

/** `div` of int32 truncates toward 0; the divisor is never 0. */
const BINARY_OPERATIONS = [
  "add",
  "sub",
  "mul",
  "div",
  "max",
  "min",
  "pow",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "and",
  "or",
] as const;
/** One of {@link BINARY_OPERATIONS}. */
export type BinaryOperation = typeof BINARY_OPERATIONS[number];

/** Binary operations with a boolean result. */
export const COMPARISONS: ReadonlySet<string> = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);

/** `argmax` and `argmin` give int32 indices and take one axis. */
const REDUCTIONS = ["sum", "max", "min", "prod", "any", "all", "argmax", "argmin"] as const;
/** One of {@link REDUCTIONS}. */
export type Reduction = typeof REDUCTIONS[number];

/** The operation of a node. Operands of elementwise operations have the node's own shape (broadcasts are views). */
export type Operation =
  /** A value from outside: an input, a parameter, an earlier result. */
  | { readonly kind: "leaf"; readonly leaf: number }
  /** An array filled with the number `value`. */
  | { readonly kind: "constant"; readonly value: number }
  /** Elements known at tracing time, row-major. */
  | {
    readonly kind: "data";
    readonly data: Float32Array | Int32Array | Uint8Array;
    readonly id: number;
  }
  /** The operand's elements in another arrangement. */
  | { readonly kind: "view"; readonly view: View }
  | { readonly kind: "unary"; readonly name: UnaryOperation }
  | { readonly kind: "binary"; readonly name: BinaryOperation }
  /** condition, then, else. */
  | { readonly kind: "where" }
  | { readonly kind: "cast" }
  /** The operand reduced over `axes`, which are dropped. */
  | { readonly kind: "reduce"; readonly name: Reduction; readonly axes: readonly number[] }
  /** [… M, K] · [… K, N]; a transposed operand is stored [… K, M] or [… N, K]. */
  | { readonly kind: "matmul"; readonly transposeA: boolean; readonly transposeB: boolean }
  /** Rows of operand 0 at the indices in operand 1 (int32): [V, …] and [I…] give [I…, …]. */
  | { readonly kind: "gather" }
  /** Rows of operand 0 [I, …], added at the indices in operand 1 [I] (int32): [rows, …]. */
  | { readonly kind: "scatter-add" }
  | {
    readonly kind: "pad";
    readonly paddings: readonly (readonly [number, number])[];
    readonly value: number;
  }
  | { readonly kind: "concat"; readonly axis: number }
  /** Indices (int32) of the `count` largest elements along the last axis, in descending order, ties by index. */
  | { readonly kind: "top"; readonly count: number }
  /** See `dropout_mask.ts`; the operand is the seed. */
  | { readonly kind: "dropout-mask"; readonly rate: number; readonly site: string };

/** An ONNX operator that computes a node's value from `inputs`. */
export type Composite = {
  readonly op: "Softmax" | "LayerNormalization" | "Gelu";
  readonly inputs: readonly Node[];
  readonly attributes: Readonly<Record<string, number | { readonly float: number }>>;
  /** The index of the operator's output that this node is. */
  readonly output: number;
};

/** One operation with its operands and the shape and type of its result. */
export type Node = {
  /** Position in the order of recording; operands come first. */
  readonly id: number;
  readonly operation: Operation;
  readonly inputs: readonly Node[];
  readonly shape: readonly number[];
  readonly dtype: DType;
  composite?: Composite;
  /** Id of the node of the previous graph from which a pass made this one; absent in a recording. */
  readonly from?: number;
  /** The part of the function that recorded it, such as `layer_norm`; it names kernels and has no other effect. */
  readonly region?: string;
};
