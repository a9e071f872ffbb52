/**
 * A compiled program as data: its graphs, groups, kernels, instructions, memory and times.
 *
 * The graph is compiled once more for that, so a program retains nothing for the case that it is inspected.
 * Compilation is deterministic, and its instructions are those of the program, in the same order.
 * @module
 */
import { lookUp } from "@/engine/errors.ts";
import type { Unit } from "../fusion/fuse.ts";
import type { LoweredGraph } from "../fusion/lowering.ts";
import { layOutNest } from "../fusion/nest.ts";
import type { Operand } from "../fusion/operands.ts";
import type { Graph } from "../graph.ts";
import {
  describeView,
  type GraphNames,
  type GraphStage,
  type Group,
  type GroupedNode,
  type InstructionLine,
  listGraph,
  listNode,
  listOperand,
  type MemoryBlock,
  type NodeLine,
  type OperandLine,
  type ProgramStages,
} from "../inspect/stages.ts";
import type { Node } from "../ir.ts";
import { isContiguous, sizeOf } from "../views.ts";
import { type CompiledGraph, compileGraph } from "./compile_graph.ts";
import { addTerms } from "./lowering/count_work.ts";
import {
  ARENA_SLOT,
  type Buffer,
  CONSTANTS_SLOT,
  FIRST_INPUT_SLOT,
  type Instruction,
} from "./lowering/instruction.ts";
import type { NativeCode } from "./lowering/lay_out.ts";
import { rootOf } from "./lowering/plan_memory.ts";
import { findBarriers, placeOf } from "./lowering/instruction_table.ts";
import { listKernels } from "./codegen/kernel_texts.ts";

/** A program to inspect. */
export type InspectedProgram = {
  /** The graph that was compiled; for a program with dynamic dimensions, the graph at a sample of them. */
  readonly graph: Graph;
  readonly names: GraphNames;
  /** The code that runs. */
  readonly code: NativeCode;
  readonly threads: number;
  /** Seconds by instruction, and the part of them spent in epilogues, over `runs` runs. */
  readonly times: { readonly instructions: Float64Array; readonly epilogues: Float64Array };
  readonly runs: number;
};

/** The stages of a program. */
export function inspectProgram(program: InspectedProgram): ProgramStages {
  const { graph, names, code, threads, runs } = program;
  const compiled = compileGraph(graph, threads);
  const units = compiled.schedule.order;
  const owners = ownersOf(compiled);
  return {
    graphs: [
      listGraph(compiled.prepared, names, {
        name: "prepare",
        title:
          "Rewrites for fusion: dropout masks recomputed, large sums in two steps, constants " +
          "where an operation reads memory",
      }),
      listLowered(compiled.fused.lowered, names),
    ],
    groups: units.map((unit) => listGroup(unit, { program, compiled, owners })),
    operators: [],
    kernels: listKernels(code).map(({ name, text }) => ({ name, text })),
    instructions: listInstructions(
      program,
      owners.map((owner) =>
        [owner?.unit ?? [], owner?.epilogue ?? []].flat().map((unit) => units.indexOf(unit))
      ),
    ),
    memory: {
      arenaBytes: code.arenaBytes,
      constantBytes: code.constantBytes,
      scratchBytes: code.scratchBytes,
      blocks: listBlocks(code.instructions),
    },
    runs,
  };
}

/** A unit with the instructions that run it, their work and their time. */
function listGroup(
  unit: Unit,
  { program: { code, times }, compiled, owners }: {
    readonly program: InspectedProgram;
    readonly compiled: CompiledGraph;
    readonly owners: readonly (Owner | null)[];
  },
): Group {
  const units = compiled.schedule.order;
  const own = code.instructions.flatMap((instruction, at) => {
    const owner = owners[at];
    if (owner?.unit !== unit && owner?.epilogue !== unit) return [];
    const isEpilogue = owner.unit !== unit;
    const { epilogue, kernel } = instruction;
    const all = times.instructions[at] ?? NaN;
    const behind = epilogue === null ? 0 : times.epilogues[at] ?? NaN;
    const counted = isEpilogue && epilogue !== null ? epilogue : instruction;
    return [{
      ...{ at, owner, isEpilogue, kind: counted.kind, ...addTerms(counted.countWork()) },
      seconds: isEpilogue ? behind : all - behind,
      kernel: isEpilogue === (epilogue !== null) ? kernel : null,
    }];
  });
  const matmul = own.find(({ isEpilogue }) => isEpilogue)?.owner.unit;
  const sum = (of: (part: typeof own[number]) => number) =>
    own.reduce((total, part) => total + of(part), 0);
  return {
    id: units.indexOf(unit),
    ...describeUnit(unit, compiled),
    epilogueOf: matmul === undefined ? null : units.indexOf(matmul),
    kernel: own.map(({ kernel }) => kernel).find((kernel) => kernel !== null) ?? null,
    instructions: own.map(({ at }) => at),
    flops: sum(({ flops }) => flops),
    bytes: sum(({ bytes }) => bytes),
    work: own[0]?.kind ?? "other",
    seconds: sum(({ seconds }) => seconds),
  };
}

/** The unit of an instruction, and the unit of its epilogue. */
type Owner = { readonly unit: Unit; readonly epilogue: Unit | null };

/** The units of each instruction; null for a copy at the end of the program. */
function ownersOf({ draft, fused, schedule: { order } }: CompiledGraph): readonly (Owner | null)[] {
  return draft.instructions.map(({ opcode, origin, epilogue }) => {
    const unit = fused.unitOf(origin);
    if (unit === undefined || (opcode === "copy" && origin.operation.kind !== "view")) return null;
    const next = epilogue === null ? undefined : order[order.indexOf(unit) + 1];
    return { unit, epilogue: next ?? null };
  });
}

/** A node whose operands are memory or values of its group, each read through a view. */
function listResolved(node: Node, { resolve }: LoweredGraph): NodeLine {
  return {
    ...listNode(node),
    operands: node.inputs.map((input) => readThrough(resolve(input), input.shape)),
  };
}

/** An operand over a shape. */
function readThrough({ base, view }: Operand, shape: readonly number[]): OperandLine {
  const size = sizeOf(shape);
  const isWhole = size === sizeOf(base.shape) && isContiguous(view, size);
  return listOperand(base, isWhole ? "" : describeView(view, base.shape, shape));
}

/** Nodes that compute something, with the operations that each absorbed; views are operands. */
function listLowered(lowered: LoweredGraph, names: GraphNames): GraphStage {
  const { nodes, inputs, outputs } = lowered;
  return {
    name: "lower",
    title: "Only operations that compute: views become a way to read an operand, matrix products " +
      "absorb bias, sum and rounding",
    nodes: nodes.map((node) => listComputing(node, lowered)),
    outputs: outputs.map(({ node, target, copiedTo }, i) => {
      const replaced = target ?? copiedTo;
      return {
        node: node.id,
        name: names.outputs[i] ?? "",
        replaces: replaced === null ? null : names.inputs[inputs.indexOf(replaced)] ?? null,
      };
    }),
  };
}

/** A node of a lowered graph with what it absorbed. */
function listComputing(node: Node, lowered: LoweredGraph): NodeLine {
  const matmul = lowered.matmuls.get(node);
  const scatter = lowered.scatters.get(node);
  const onto = matmul?.onto ?? scatter?.onto;
  const sum = onto ? [listOperand(onto)] : [];
  if (matmul !== undefined) {
    const { a, b, shapeA, shapeB, bias, transposeA, transposeB, half, rounds, permuted } = matmul;
    const rounded = rounds ? "bfloat16" : matmul.sumsRoundedTo;
    const marks = [
      ...(transposeA ? ["A transposed"] : []),
      ...(transposeB ? ["B transposed"] : []),
      ...(bias ? ["plus a bias"] : []),
      ...(onto ? ["added onto the last operand"] : []),
      ...(half ? ["in bfloat16"] : []),
      ...(rounded ? [`rounded to ${rounded}`] : []),
      ...(permuted ? ["stored transposed"] : []),
    ];
    const own = [
      readThrough(a, shapeA),
      readThrough(b, shapeB),
      ...(bias ? [listOperand(bias.base)] : []),
    ];
    const line = listNode(node);
    return { ...line, operation: "matmul", detail: marks.join(", "), operands: [...own, ...sum] };
  }
  if (scatter === undefined) return listResolved(node, lowered);
  const { operation, operands } = listResolved(scatter.scatter, lowered);
  return { ...listNode(node), operation, operands: [...operands, ...sum] };
}

type Described = Pick<Group, "kind" | "loops" | "phases" | "nodes" | "reads" | "writes">;

function describeUnit(
  unit: Unit,
  { draft: { instructions, kernels }, fused, prepared, schedule }: CompiledGraph,
): Described {
  const { lowered, unitOf } = fused;
  const exported = schedule.exportsOf(unit);
  const reads = new Set(
    unit.nodes.flatMap((node) => lowered.basesOf(node)).filter((base) => unitOf(base) !== unit),
  );
  const common = {
    reads: [...reads].map(({ id }) => id).sort((a, b) => a - b),
    writes: [...exported].map(({ id }) => id),
  };
  if (unit.kind === "group") {
    const { resolve, targets } = lowered;
    const nest = layOutNest(unit, { resolve, exported, targets });
    const call = instructions.find(({ kernelNodes }) => kernelNodes[0] === unit.nodes[0]);
    const values = call?.kernel ? lookUp(kernels, call.kernel, call.kernel).values : [];
    return {
      ...common,
      kind: "loop nest",
      loops: { ...unit.space, flat: unit.flat },
      phases: nest.phases,
      nodes: unit.nodes.map((node, i): GroupedNode => ({
        ...listResolved(node, lowered),
        value: values[i] ?? null,
        role: lookUp(unit.roles, node, `the role of node ${node.id}`),
        loop: 1 + nest.readingPhase(node),
      })),
    };
  }
  const [node] = unit.nodes as [Node];
  const isMatmul = lowered.matmuls.has(node);
  // Absorbed operations lie between the node and its product or scatter; nothing else computes them.
  const computing = new Set(lowered.nodes), known = new Set(prepared.nodes);
  const absorbed: Node[] = [node];
  if (isMatmul || lowered.scatters.has(node)) {
    for (const each of absorbed) {
      if (each.operation.kind === "matmul" || each.operation.kind === "scatter-add") continue;
      absorbed.push(
        ...each.inputs.filter((input) =>
          known.has(input) && !computing.has(input) && isComputed(input)
        ),
      );
    }
  }
  return {
    ...common,
    kind: isMatmul ? "matrix product" : lowered.scatters.has(node) ? "scatter" : "operation",
    loops: null,
    phases: 1,
    nodes: absorbed.reverse().map((each) => ({
      ...listResolved(each, lowered),
      role: null,
      loop: 1,
      value: null,
    })),
  };
}

function isComputed({ operation: { kind } }: Node): boolean {
  return kind !== "leaf" && kind !== "view" && kind !== "constant" && kind !== "data";
}

function listInstructions(
  { code: { instructions, persistent }, graph, names }: InspectedProgram,
  groups: readonly (readonly number[])[],
): readonly InstructionLine[] {
  const barriers = findBarriers(instructions);
  const own = names.outputs.filter((_, i) => graph.outputs[i]?.target === null);
  const slots = [
    ...names.inputs,
    ...own,
    ...persistent.map(({ input }) => `${names.inputs[input]}, packed`),
  ];
  const memory = (slot: number) => {
    if (slot === ARENA_SLOT) return "arena";
    return slot === CONSTANTS_SLOT ? "constants" : slots[slot - FIRST_INPUT_SLOT] ?? `slot ${slot}`;
  };
  return instructions.map(({ opcode, kernel, rows, cut, pointers, shifts, numbers }, i) => ({
    ...{ opcode, kernel, rows, cut },
    groups: groups[i] ?? [],
    barrier: barriers[i] ?? false,
    pointers: pointers.map((buffer, k) => {
      if (buffer === null) return null;
      const { slot, offset } = placeOf(buffer);
      return { memory: memory(slot), offset: offset + (shifts[k] ?? 0) };
    }),
    numbers: numbers.map(String),
  }));
}

/** The blocks of the arena in the order of their offsets, each with all values that share it. */
function listBlocks(instructions: readonly Instruction[]): readonly MemoryBlock[] {
  const used = new Set(instructions.flatMap(({ reads, writes }) => [...reads, ...writes]));
  const blocks = new Map<Buffer, number[]>();
  for (const buffer of used) {
    const root = rootOf(buffer);
    if (root.given !== null) continue;
    const nodes = blocks.get(root) ?? [];
    if (buffer.node !== null && !nodes.includes(buffer.node)) nodes.push(buffer.node);
    blocks.set(root, nodes);
  }
  return [...blocks]
    .map(([{ offset, bytes, first, last }, nodes]) => ({ nodes, offset, bytes, first, last }))
    .sort((a, b) => a.offset - b.offset || a.first - b.first);
}
