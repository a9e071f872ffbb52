/**
 * Which outputs may be written over the inputs that they replace.
 *
 * ONNX Runtime does not know that an output shares an input's memory. That is safe if whatever reads the
 * input has run before the output is written: every reader is the writer itself, reading element by
 * element, or something that the writer depends on.
 * @module
 */
import type { OnnxGraph, OnnxNode } from "@/engine/onnx/protobuf.ts";

/** Operators that read an operand only where they write, for operands of the result's shape. */
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

/** Operators whose result is the operand's own memory. */
const ALIASES: ReadonlySet<string> = new Set(["Reshape", "Identity"]);

/** Whether the writer may have the value `name` underneath its result. */
function writesInPlace({ op, inputs }: OnnxNode, name: string): boolean {
  if (ELEMENTWISE.has(op)) return true;
  if (op === "Gemm") return inputs[2] === name && inputs[0] !== name && inputs[1] !== name;
  return op === "ScatterND" && inputs[0] === name && inputs[2] !== name;
}

/** For pairs of an output and the input that it replaces: the outputs that need memory of their own. */
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

/** Everything that has run before `node` runs. */
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
