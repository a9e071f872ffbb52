/**
 * The executor `onnx`: graphs as ONNX models, run by ONNX Runtime. Needs nothing but npm.
 * @module
 */
import type { Executor, Program } from "@/engine/executor.ts";
import type { Graph } from "@/engine/graph.ts";
import type { Node } from "@/engine/ir.ts";
import { ELEMENT_BYTES, Memory } from "@/engine/memory.ts";
import { findHazards } from "@/engine/onnx/in_place.ts";
import { lowerGraph } from "@/engine/onnx/lower.ts";
import { writeOnnx } from "@/engine/onnx/protobuf.ts";
import { sizeOf } from "@/engine/views.ts";
import { loadOnnxRuntime, type OnnxRuntime } from "@/engine/onnx/runtime.ts";

/** Tensors of ONNX Runtime over blocks of memory, made once for a block, a type and a shape. */
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

/** Makes the executor; `threads` is the number of threads that one operator may use. */
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

function compile(
  graph: Graph,
  runtime: OnnxRuntime,
  table: TensorTable,
  threads: number,
): Program {
  const lowered = lowerGraph(graph);
  const hazards = findHazards(lowered, graph.outputs.map(({ target }) => target));
  const session = runtime.createSession(writeOnnx(lowered), threads);
  const nodes = graph.outputs.map(({ node }) => node);
  const staging = nodes.map(({ dtype, shape }, i) =>
    hazards.has(i) ? new Memory(sizeOf(shape) * ELEMENT_BYTES[dtype]) : null
  );
  const tensors = (blocks: readonly Memory[], values: readonly Node[]) =>
    blocks.map((memory, i) => table.tensor(memory, values[i] as Node));
  /** Tensors for the outputs, those with a hazard in memory of their own. */
  const outputTensors = (outputs: readonly Memory[]) =>
    tensors(outputs.map((memory, i) => staging[i] ?? memory), nodes);
  const settle = (outputs: readonly Memory[]) =>
    staging.forEach((memory, i) => memory && outputs[i]?.bytes.set(memory.bytes));
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
