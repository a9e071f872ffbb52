/**
 * A compiled function at every stage, as plain data: listings of graphs, groups, C, instructions, memory and times.
 * `deno task inspect` prints it; `JSON.stringify` takes it as it is.
 * @module
 */
import type { Graph } from "@/engine/graph.ts";
import type { Node } from "@/engine/ir.ts";
import type { PassKind } from "@/engine/profile.ts";
import { isContiguous, sizeOf, splitView, type View } from "@/engine/views.ts";

/** A node of a graph as one line. */
export type NodeLine = {
  readonly id: number;
  /** Name of the operation, such as `mul`, `sum` or `broadcast`. */
  readonly operation: string;
  /** The rest of the operation: axes, strides, the name of an input; empty if there is none. */
  readonly detail: string;
  readonly operands: readonly OperandLine[];
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Id of the node of the previous graph that it came from; null in the first graph. */
  readonly from: number | null;
};

/** An operand: a node, and how it is read; empty if it is read as it is. */
export type OperandLine = {
  readonly node: number;
  readonly view: string;
  /** The number that a constant holds; null for other nodes. */
  readonly constant: string | null;
};

/** An output of a graph. */
export type OutputLine = {
  readonly node: number;
  readonly name: string;
  /** The input that it replaces in place; null: none. */
  readonly replaces: string | null;
};

/** A graph before or after a pass. */
export type GraphStage = {
  readonly name: string;
  /** One sentence: what the stage does. */
  readonly title: string;
  readonly nodes: readonly NodeLine[];
  readonly outputs: readonly OutputLine[];
};

/** A node inside a group. */
export type GroupedNode = NodeLine & {
  /** `full`: a value per row and column, `row`: per row, `column`: per column; null outside loop nests. */
  readonly role: "full" | "row" | "column" | null;
  /** The loop over columns that reads its operands, from 1. */
  readonly loop: number;
  /** Its name in the generated C; null outside loop nests. */
  readonly value: string | null;
};

/** Nodes that run as one loop nest, or one operation of the runtime. */
export type Group = {
  /** Position in the schedule. */
  readonly id: number;
  readonly kind: "loop nest" | "matrix product" | "scatter" | "operation";
  /** Loops of a nest: rows and columns; null for others. */
  readonly loops:
    | { readonly rows: number; readonly columns: number; readonly flat: boolean }
    | null;
  /** Loops over the columns, one after the other, of a nest; 1 for others. */
  readonly phases: number;
  readonly nodes: readonly GroupedNode[];
  /** Nodes whose values it reads from memory, and those that it leaves there. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** The matrix product whose epilogue it is; null: none. */
  readonly epilogueOf: number | null;
  readonly kernel: string | null;
  readonly instructions: readonly number[];
  /** Floating-point operations of matrix products, and bytes read and written, of one run. */
  readonly flops: number;
  readonly bytes: number;
  readonly work: PassKind;
  /** Seconds over all runs. */
  readonly seconds: number;
};

/** A generated C function: its name and its text. */
export type KernelLine = { readonly name: string; readonly text: string };

/** A pointer of an instruction: its memory and the byte offset there. */
export type PointerLine = { readonly memory: string; readonly offset: number };

/** An instruction of the table that the runtime runs. */
export type InstructionLine = {
  readonly opcode: string;
  /** The groups that it runs: two for a matrix product with an epilogue, none for a copy at the end. */
  readonly groups: readonly number[];
  /** True if all threads wait for each other before it. */
  readonly barrier: boolean;
  readonly kernel: string | null;
  /** Iterations that threads share, and the unit in which they are cut. */
  readonly rows: number;
  readonly cut: number;
  readonly pointers: readonly (PointerLine | null)[];
  readonly numbers: readonly string[];
};

/** A value in the arena. */
export type MemoryBlock = {
  /** The nodes whose values it holds, one after the other; empty for scratch memory. */
  readonly nodes: readonly number[];
  readonly offset: number;
  readonly bytes: number;
  /** First and last instruction that uses it. */
  readonly first: number;
  readonly last: number;
};

/** The memory of a program in addition to its inputs and outputs. */
export type MemoryPlan = {
  readonly arenaBytes: number;
  readonly constantBytes: number;
  /** Scratch memory of each thread. */
  readonly scratchBytes: number;
  readonly blocks: readonly MemoryBlock[];
};

/** What an executor tells of a program. */
export type ProgramStages = {
  readonly graphs: readonly GraphStage[];
  readonly groups: readonly Group[];
  readonly kernels: readonly KernelLine[];
  readonly instructions: readonly InstructionLine[];
  /** Operators of an ONNX graph, one a line. */
  readonly operators: readonly string[];
  readonly memory: MemoryPlan | null;
  /** Runs that the groups' seconds cover. */
  readonly runs: number;
};

/** Names of a graph's inputs and outputs. */
export type GraphNames = {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
};

/** A graph as a stage; its nodes in order, operands first. */
export function listGraph(
  graph: Pick<Graph, "nodes" | "inputs" | "outputs">,
  { inputs, outputs }: GraphNames,
  stage: Pick<GraphStage, "name" | "title">,
): GraphStage {
  const names = new Map(graph.inputs.map((node, i) => [node, inputs[i] ?? `input ${i}`]));
  return {
    ...stage,
    nodes: graph.nodes.map((node) => listNode(node, names.get(node))),
    outputs: graph.outputs.map(({ node, target }, i) => ({
      node: node.id,
      name: outputs[i] ?? `output ${i}`,
      replaces: target === null ? null : inputs[target] ?? `input ${target}`,
    })),
  };
}

/** A node as a line. */
export function listNode(node: Node, inputName?: string): NodeLine {
  const { id, inputs, dtype, shape, from = null } = node;
  return {
    ...{ id, dtype, shape, from, ...describeOperation(node, inputName) },
    operands: inputs.map((input) => listOperand(input)),
  };
}

/** A node as an operand. */
export function listOperand({ id, operation }: Node, view = ""): OperandLine {
  const constant = operation.kind === "constant" ? formatNumber(operation.value) : null;
  return { node: id, view, constant };
}

function describeOperation(
  { operation, inputs: [base], shape, dtype }: Node,
  inputName = "",
): Pick<NodeLine, "operation" | "detail"> {
  switch (operation.kind) {
    case "leaf":
      return { operation: "input", detail: inputName };
    case "constant":
      return { operation: "constant", detail: formatNumber(operation.value) };
    case "data":
      return { operation: "data", detail: `${operation.data.length} elements` };
    case "view": {
      const view = describeView(operation.view, base?.shape ?? [], shape);
      const [name = "", ...rest] = view.split(" ");
      return { operation: name, detail: rest.join(" ") };
    }
    case "unary":
    case "binary":
      return { operation: operation.name, detail: "" };
    case "cast":
      return { operation: "cast", detail: `to ${dtype}` };
    case "reduce":
      return { operation: operation.name, detail: `over axes [${operation.axes.join(", ")}]` };
    case "matmul": {
      const { transposeA, transposeB } = operation;
      const marks = [transposeA ? "transpose A" : [], transposeB ? "transpose B" : []].flat();
      return { operation: "matmul", detail: marks.join(", ") };
    }
    case "pad":
      return {
        operation: "pad",
        detail: `${JSON.stringify(operation.paddings)} with ${formatNumber(operation.value)}`,
      };
    case "concat":
      return { operation: "concat", detail: `along axis ${operation.axis}` };
    case "top":
      return { operation: "top", detail: `${operation.count} elements` };
    case "dropout-mask":
      return {
        operation: "dropout-mask",
        detail: `rate ${formatNumber(operation.rate)} at ${operation.site}`,
      };
    case "where":
    case "gather":
    case "scatter-add":
      return { operation: operation.kind, detail: "" };
  }
}

/** A view in words: its kind, and the strides of its axes in elements. */
export function describeView(
  view: View,
  from: readonly number[],
  shape: readonly number[],
): string {
  const count = sizeOf(shape);
  if (count === sizeOf(from) && isContiguous(view, count)) return "reshape";
  const axes = splitView(view, shape);
  const strides = axes?.every((digits) => digits.length <= 1)
    ? ` strides [${axes.map(([digit]) => digit?.stride ?? 0).join(", ")}]`
    : ` digits [${view.digits.map(({ size, stride }) => `${size}·${stride}`).join(", ")}]`;
  const offset = view.offset === 0 ? "" : ` offset ${view.offset}`;
  const { digits } = view;
  const size = digits.reduce((product, { size }) => product * size, 1);
  const kind = digits.some(({ stride }) => stride === 0) || sizeOf(from) === 1
    ? "broadcast"
    : digits.some(({ stride }) => stride < 0)
    ? "reverse"
    : size < sizeOf(from)
    ? "slice"
    : "transpose";
  return `${kind}${strides}${offset}`;
}

/** A number in few digits. */
export function formatNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e6
    ? `${value}`
    : `${Number(value.toPrecision(6))}`;
}
