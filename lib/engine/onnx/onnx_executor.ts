/**
 * The executor `onnx`: graphs are lowered to ONNX models and run by ONNX Runtime. Needs only npm packages.
 * @module
 */
import type { Executor, Program } from "../executor.ts";
import { type Graph, type GraphOutput, makeGraph } from "../graph.ts";
import type { Node } from "../ir.ts";
import { ELEMENT_BYTES, Memory } from "../memory.ts";
import { findHazards } from "./in_place.ts";
import { lowerGraph } from "./lower_to_onnx.ts";
import { writeOnnx } from "./protobuf.ts";
import { sizeOf } from "../views.ts";
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
    release: () => session.release(),
  };
}
