/**
 * Finds the outputs that can be written in place, over the inputs that they replace.
 *
 * ONNX Runtime does not know that an output shares an input's memory. That is safe if all readers of the input have
 * run before the output is written. A reader must therefore be the writer itself, reading element by element, or an
 * operator that the writer depends on.
 * @module
 */
import type { OnnxGraph, OnnxNode } from "@/engine/onnx/protobuf.ts";

/** Operators that read element i of an operand only to write element i, if the operand has the result's shape. */
const ELEMENTWISE: ReadonlySet<string> = new Set([
  "Abs",
  "Add",
  "Div",
  "Erf",
  "Exp",
  "Max",
  "Min",
  "Mul",
  "Neg",
  "Sqrt",
  "Sub",
  "Tanh",
  "Where",
]);

/** Operators whose result may alias the operand's memory. */
const ALIASES: ReadonlySet<string> = new Set(["Reshape", "Identity"]);

/** True if the writer may write its result over the value `name`. */
function writesInPlace({ op, inputs }: OnnxNode, name: string): boolean {
  if (ELEMENTWISE.has(op)) return true;
  if (op === "Gemm") return inputs[2] === name && inputs[0] !== name && inputs[1] !== name;
  return op === "ScatterND" && inputs[0] === name && inputs[2] !== name;
}

/**
 * Indices of the outputs that need separate memory. `targets` holds, for each output, the index of the input that it
 * replaces, or null.
 */
export function findHazards(
  { nodes, outputs, inputs }: OnnxGraph,
  targets: readonly (number | null)[],
): Set<number> {
  const makers = new Map<string, OnnxNode>();
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes) {
    for (const output of node.outputs) makers.set(output, node);
    for (const input of new Set(node.inputs)) {
      const known = readers.get(input);
      if (known) known.push(node);
      else readers.set(input, [node]);
    }
  }
  const hazards = new Set<number>();
  targets.forEach((target, i) => {
    const output = outputs[i]?.name, input = target === null ? undefined : inputs[target]?.name;
    if (output === undefined || input === undefined) return;
    const writer = makers.get(output);
    const aliases = [input];
    const others: OnnxNode[] = [];
    let safe = writer !== undefined;
    for (const name of aliases) {
      for (const reader of readers.get(name) ?? []) {
        if (reader === writer) safe &&= name === input && writesInPlace(reader, name);
        else if (ALIASES.has(reader.op)) aliases.push(...reader.outputs);
        else others.push(reader);
      }
    }
    if (safe && writer !== undefined && others.length > 0) {
      const before = ancestors(writer, makers);
      safe = others.every((reader) => before.has(reader));
    }
    if (!safe) hazards.add(i);
  });
  return hazards;
}

/** All operators that have run before `node` runs. */
function ancestors(node: OnnxNode, makers: ReadonlyMap<string, OnnxNode>): Set<OnnxNode> {
  const seen = new Set<OnnxNode>();
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const input of next.inputs) {
      const maker = makers.get(input);
      if (maker === undefined || seen.has(maker)) continue;
      seen.add(maker);
      open.push(maker);
    }
  }
  return seen;
}
