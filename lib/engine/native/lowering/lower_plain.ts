/**
 * Instructions of operations with contiguous operands: integer matrix products and top-k.
 * @module
 */
import type { Node } from "../../ir.ts";
import { type Buffer, type Instruction, makeInstruction } from "./instruction.ts";
import { UnsupportedError } from "./unsupported.ts";
import { sizeOf } from "../../views.ts";

/** An integer matrix product, which wraps around; transposes are strides. */
export function lowerIntegerMatmul(
  node: Node,
  operands: readonly Buffer[],
  result: Buffer,
): Instruction {
  const { operation, shape, inputs: [a], dtype } = node;
  if (operation.kind !== "matmul" || a === undefined) {
    throw new Error("internal: not a matrix product");
  }
  if (dtype !== "int32") throw new UnsupportedError(`a matrix product of ${dtype}`);
  const { transposeA, transposeB } = operation;
  const [rows = 1, columns = 1] = shape.slice(-2), items = sizeOf(shape.slice(0, -2));
  const inner = a.shape.at(transposeA ? -2 : -1) ?? 1;
  const stridesA = transposeA ? [1, rows] : [inner, 1];
  const stridesB = transposeB ? [1, inner] : [columns, 1];
  return makeInstruction({
    ...{ opcode: "integerMatmul", kind: "other", origin: node },
    pointers: [...operands, result],
    numbers: [items, rows, columns, inner, ...stridesA, ...stridesB],
    reads: operands,
    writes: [result],
  });
}

/** Indices of the largest elements of each row. */
export function lowerTop(node: Node, operands: readonly Buffer[], result: Buffer): Instruction {
  const { operation, inputs: [x] } = node, [{ storage }] = operands as [Buffer];
  if (operation.kind !== "top" || x === undefined) {
    throw new Error("internal: not a top-k operation");
  }
  if (storage !== "float32" && storage !== "int32") {
    throw new UnsupportedError(`top-k of ${storage}`);
  }
  const size = x.shape.at(-1) ?? 1;
  return makeInstruction({
    ...{ opcode: "top", kind: "other", origin: node },
    pointers: [...operands, result],
    numbers: [storage === "int32" ? 1 : 0, sizeOf(x.shape) / size, size, operation.count],
    reads: operands,
    writes: [result],
  });
}
