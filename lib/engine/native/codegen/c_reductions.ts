/**
 * Row reductions as C expressions over the vocabulary of `vec.h`.
 * @module
 */
import type { Node } from "../../ir.ts";

function reductionOf({ operation }: Node): "sum" | "max" | "min" {
  const name = operation.kind === "reduce" ? operation.name : "";
  if (name === "sum" || name === "max" || name === "min") return name;
  throw new Error(`internal: no loop nest for the reduction ${name}`);
}

function isInteger({ dtype }: Node): boolean {
  return dtype === "int32";
}

/** The initial value of a reduction, in every lane. */
export function startReduction(node: Node): string {
  const name = reductionOf(node);
  if (isInteger(node)) {
    return `w_set(${{ sum: "0u", max: "0x80000000u", min: "0x7fffffffu" }[name]})`;
  }
  return `S(${{ sum: "0.f", max: "-__builtin_inff()", min: "__builtin_inff()" }[name]})`;
}

/** The combination of two partial results. */
export function combineParts(node: Node, a: string, b: string): string {
  const name = reductionOf(node);
  if (isInteger(node)) return `w_${name === "sum" ? "add" : name}(${a}, ${b})`;
  return name === "sum" ? `${a} + ${b}` : `v_${name}(${a}, ${b})`;
}

/** The reduction of all lanes of a vector, in every lane. */
export function foldLanes(node: Node, vector: string): string {
  const fold = `h${reductionOf(node)}(${vector})`;
  return isInteger(node) ? `w_set((uint32_t)w_${fold})` : `S(${fold})`;
}
