/**
 * The executor `onnx`: graphs are lowered to ONNX models and run by ONNX Runtime. Needs only npm packages.
 * @module
 */
import type { Executor, Program } from "@/engine/executor.ts";
import { type Graph, type GraphOutput, makeGraph } from "@/engine/graph.ts";
import type { Node } from "@/engine/ir.ts";
import { ELEMENT_BYTES, Memory } from "@/engine/memory.ts";
import { lowerGraph } from "./lower_to_onnx.ts";
import { type OnnxGraph, type OnnxNode, writeOnnx } from "./protobuf.ts";
import { sizeOf } from "@/engine/views.ts";
import { loadOnnxRuntime, type OnnxRuntime, type OnnxSession } from "./onnx_runtime.ts";

/** Tensors of ONNX Runtime that refer to blocks of memory; one for each block, type and shape. */
class TensorTable {
  #tensors = new WeakMap<Memory, Map<string, Deno.PointerObject>>();
  #registry: FinalizationRegistry<Map<string, Deno.PointerObject>>;

  constructor(readonly runtime: OnnxRuntime) {
    this.#registry = new FinalizationRegistry((tensors) => {
      for (const tensor of tensors.values()) runtime.releaseTensor(tensor);
    });
  }

  tensor(memory: Memory, { dtype, shape }: Node): Deno.PointerObject {
    let tensors = this.#tensors.get(memory);
    if (tensors === undefined) {
      tensors = new Map();
      this.#tensors.set(memory, tensors);
      this.#registry.register(memory, tensors);
    }
    const key = `${dtype} ${shape}`;
    let tensor = tensors.get(key);
    if (tensor === undefined) {
      tensor = this.runtime.createTensor(memory.bytes, dtype, shape);
      tensors.set(key, tensor);
    }
    return tensor;
  }
}

/** Creates the executor; `threads` is the number of threads of one operator. */
export function createOnnxExecutor(threads: number): Executor {
  const runtime = loadOnnxRuntime();
  const table = new TensorTable(runtime);
  return {
    name: "onnx",
    version: `onnxruntime ${runtime.version}`,
    threads,
    compile: (graph) => compile(graph, runtime, table, threads),
  };
}

/** Replaces the session if all outputs of a graph are constants. */
const NOTHING_TO_RUN: OnnxSession = { run: async () => {}, runSync() {}, release() {} };

function compile(
  graph: Graph,
  runtime: OnnxRuntime,
  table: TensorTable,
  threads: number,
): Program {
  // Constants are filled in after the run, without ONNX Runtime.
  const isConstant = ({ node }: GraphOutput) => node.operation.kind === "constant";
  const computed = graph.outputs.filter((output) => !isConstant(output));
  const lowered = lowerGraph(makeGraph(graph.name, graph.inputs, computed));
  const hazards = findHazards(lowered, computed.map(({ target }) => target));
  const session = computed.length > 0
    ? runtime.createSession(writeOnnx(lowered), threads)
    : NOTHING_TO_RUN;
  const nodes = computed.map(({ node }) => node);
  const staging = nodes.map(({ dtype, shape }, i) =>
    hazards.has(i) ? new Memory(sizeOf(shape) * ELEMENT_BYTES[dtype]) : null
  );
  const tensors = (blocks: readonly Memory[], values: readonly Node[]) =>
    blocks.map((memory, i) => table.tensor(memory, values[i] as Node));
  const pickComputed = (outputs: readonly Memory[]) =>
    outputs.filter((_, i) => !isConstant(graph.outputs[i] as GraphOutput));
  /** Tensors for the outputs. Outputs with a hazard are written to separate memory and then copied. */
  const outputTensors = (outputs: readonly Memory[]) =>
    tensors(pickComputed(outputs).map((memory, i) => staging[i] ?? memory), nodes);
  const settle = (outputs: readonly Memory[]) => {
    pickComputed(outputs).forEach((memory, i) => {
      const own = staging[i];
      if (own) memory.bytes.set(own.bytes);
    });
    graph.outputs.forEach(({ node: { operation, dtype } }, i) => {
      if (operation.kind === "constant") outputs[i]?.elements(dtype).fill(operation.value);
    });
  };
  return {
    async run(inputs, outputs) {
      await session.run(tensors(inputs, graph.inputs), outputTensors(outputs));
      settle(outputs);
    },
    runSync(inputs, outputs) {
      session.runSync(tensors(inputs, graph.inputs), outputTensors(outputs));
      settle(outputs);
    },
    inspect: () => ({
      ...{ graphs: [], groups: [], kernels: [], instructions: [], memory: null, runs: 0 },
      operators: lowered.nodes.map(describeOperator),
    }),
    release: () => session.release(),
  };
}

// Outputs that can be written in place, over the inputs that they replace. ONNX Runtime does not know that an output
// shares an input's memory. That is safe if all readers of the input have run before the output is written. A reader
// must therefore be the writer itself, reading element by element, or an operator that the writer depends on.

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
function findHazards(
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

/** An operator as one line: `t3 = Softmax(i0) axis=1`. */
function describeOperator({ op, inputs, outputs, attributes = {} }: OnnxNode): string {
  const settings = Object.entries(attributes).map(([key, value]) =>
    ` ${key}=${typeof value === "object" && "float" in value ? value.float : JSON.stringify(value)}`
  );
  return `${outputs.join(", ")} = ${op}(${inputs.join(", ")})${settings.join("")}`;
}
