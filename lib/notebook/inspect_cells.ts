/**
 * The engine in notebook cells: a function compiled and run, its stages as text, and the same function on
 * TensorFlow.js's own CPU backend.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { currentEngine, openEngine } from "@/engine/engine.ts";
import { countNodes, formatStages } from "@/engine/inspect/format_text.ts";
import type { Inspection } from "@/engine/inspect/inspection.ts";
import type { NodeLine } from "@/engine/inspect/stages.ts";
import { jit, type TensorMap } from "@/engine/jit.ts";
import { inspectCalls } from "@/inspect/functions.ts";
import { memoryPlanFigure } from "@/inspect/page.ts";
import { type Displayable, displayable, escapeHtml } from "@/notebook/displayable.ts";
import type { Figure } from "@/report/figures/figure.ts";

/** Compiles a function by `jit`, runs it on `inputs`, and gives its stages and times. */
export async function inspectJit<I extends TensorMap>(
  name: string,
  run: (inputs: I) => TensorMap,
  inputs: I,
): Promise<Inspection> {
  if (currentEngine() === null) await openEngine();
  const [inspection] = await inspectCalls(() => {
    const program = jit(name, run);
    return {
      call: async () => void tf.dispose(await program(inputs)),
      release: () => program.release(),
    };
  });
  if (inspection === undefined) throw new Error(`internal: ${name} was not compiled`);
  return inspection;
}

/** A stage as text. */
export function showStage(inspection: Inspection, name: string): Displayable {
  const stage = formatStages(inspection).find((each) => each.name === name);
  if (stage === undefined) throw new RangeError(`Cannot show stage ${name}: there is none`);
  const text = stage.lines.join("\n");
  return displayable({ "text/plain": text, "text/html": `<pre>${escapeHtml(text)}</pre>` });
}

/** The number of nodes after each pass, as rows. */
export function passRows({ graphs }: Inspection) {
  return graphs.map((graph) => ({
    graph: graph.name,
    nodes: countNodes(graph),
    pass: graph.title,
  }));
}

/** Bytes that a function reads and writes in memory: one operation at a time, and by groups. */
export function trafficRows({ graphs, groups }: Inspection) {
  const nodesOf = (stage: string) => graphs.find(({ name }) => name === stage)?.nodes ?? [];
  const lowered = nodesOf("lower");
  const values = new Map([...nodesOf("prepare"), ...lowered].map((node) => [node.id, node]));
  const alone = lowered.reduce((sum, node) =>
    node.operands.reduce((sum, { node, constant }) => {
      const operand = constant === null ? values.get(node) : undefined;
      return sum + (operand === undefined ? 0 : bytesOf(operand));
    }, sum + bytesOf(node)), 0);
  const grouped = groups.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    { how: "each operation alone", passes: lowered.length, KiB: alone / 1024 },
    { how: "by groups", passes: groups.length, KiB: grouped / 1024 },
  ];
}

function bytesOf({ shape, dtype }: NodeLine): number {
  return shape.reduce((product, size) => product * size, 1) * (dtype === "bool" ? 1 : 4);
}

/** The memory plan of a program as a figure. */
export function memoryPlan({ memory, instructions }: Inspection): Figure {
  if (memory === null) throw new RangeError("Cannot draw the memory plan: the program has none");
  return memoryPlanFigure(memory, instructions.length);
}

/** Runs of {@link compareBackends} before the time is taken, and in the median. */
const WARM_UP = 2, RUNS = 9;

/** Median time of a call on TensorFlow.js's `cpu` backend and compiled, and the largest difference of the results. */
export async function compareBackends<I extends TensorMap>(
  run: (inputs: I) => { readonly y: tf.Tensor },
  inputs: I,
): Promise<{ readonly rows: readonly BackendTime[]; readonly difference: number }> {
  const { name: executor, threads, precision } = currentEngine() ?? await openEngine();
  const values = new Map<string, Float32Array>();
  for (const [name, tensor] of Object.entries(inputs)) {
    values.set(name, await tensor.data() as Float32Array);
  }
  const measure = async (backend: string, call: (inputs: I) => Promise<Float32Array>) => {
    const own = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape }]) => [
        name,
        tf.tensor(values.get(name) ?? [], shape),
      ]),
    ) as unknown as I;
    const times: number[] = [];
    let result = new Float32Array();
    for (let i = 0; i < WARM_UP + RUNS; i++) {
      const startMs = performance.now();
      result = new Float32Array(await call(own));
      if (i >= WARM_UP) times.push(performance.now() - startMs);
    }
    tf.dispose(own);
    times.sort((a, b) => a - b);
    return { backend, ms: times[RUNS >> 1] ?? NaN, result };
  };
  const host = tf.engine().findBackend("cpu") as tf.KernelBackend & { firstUse?: boolean };
  host.firstUse = false; // suppresses its message, which recommends another package
  await tf.setBackend("cpu");
  const plain = await measure("TensorFlow.js cpu", async (own) => {
    const y = tf.tidy(() => run(own).y);
    const data = await y.data() as Float32Array;
    y.dispose();
    return data;
  });
  await openEngine({ threads, precision, executor: executor === "onnx" ? "onnx" : "native" });
  const program = jit("compared", run);
  const compiled = await measure("compiled", async (own) => {
    const { y } = await program(own);
    const data = await y.data() as Float32Array;
    y.dispose();
    return data;
  });
  program.release();
  const difference = plain.result.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (compiled.result[i] ?? NaN))),
    0,
  );
  return { rows: [plain, compiled].map(({ backend, ms }) => ({ backend, ms })), difference };
}

/** Time of a call on a backend. */
type BackendTime = { readonly backend: string; readonly ms: number };
