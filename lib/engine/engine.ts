/**
 * Opens the engine: registers the recording backend and its kernels and makes it TensorFlow.js's backend.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { BACKEND, RecordingBackend } from "@/engine/backend.ts";
import type { Executor as ExecutorChoice, Precision } from "@/config.ts";
import type { Executor, TracedExecutor } from "@/engine/executor.ts";
import { createNativeExecutor } from "@/engine/native/executor.ts";
import { explainMissingCompiler, findCompiler } from "@/engine/native/find_compiler.ts";
import { onFallback as onHostKernel } from "@/engine/kernels/host.ts";
import { registerKernels } from "@/engine/kernels/register_all.ts";
import { createOnnxExecutor } from "@/engine/onnx/executor.ts";

export type EngineOptions = {
  /** Threads that one operation may use; null: as many as the machine has. */
  readonly threads?: number | null;
  /** What runs compiled programs; `auto`: C where a compiler is found, else ONNX Runtime. */
  readonly executor?: ExecutorChoice;
  /** Precision of the products of compiled programs. */
  readonly precision?: Precision;
  /** Instruction set of generated C; null: what the processor has. */
  readonly isa?: string | null;
  /** Told in a line what was chosen or missed, and once of each operation that is not compiled. */
  readonly onNote?: (note: string) => void;
};

/** What runs compiled programs, for records. */
export type OpenedEngine = {
  readonly name: string;
  readonly version: string;
  readonly threads: number;
  readonly precision: Precision;
};

let eager: Executor | undefined;
const native = new Map<string, TracedExecutor>();

/**
 * Makes the engine the backend of TensorFlow.js and chooses what runs the programs of `jit`. May be called
 * again with other options; programs compiled before stay with what compiled them.
 */
export async function openEngine(options: EngineOptions = {}): Promise<OpenedEngine> {
  const { executor = "auto", precision = "float32", isa = null, onNote = () => {} } = options;
  const threads = options.threads ?? navigator.hardwareConcurrency;
  if (eager === undefined) {
    const onnx = createOnnxExecutor(threads);
    eager = onnx;
    registerKernels();
    tf.registerBackend(BACKEND, () => new RecordingBackend(onnx), 10);
  }
  onHostKernel((kernel) =>
    onNote(`${kernel} runs on TensorFlow.js's own JavaScript kernel, as it is not compiled`)
  );
  await tf.setBackend(BACKEND);
  const backend = tf.backend();
  if (!(backend instanceof RecordingBackend)) throw new Error("internal: another backend is set");
  const traced = await chooseExecutor(executor, { threads, isa, fallback: eager, onNote });
  if (precision !== "float32" && traced.name === "onnx") {
    onNote(
      `${precision} on the executor onnx shows its numerics, not its speed: operands are rounded`,
    );
  }
  backend.compileWith(traced, precision);
  const { name, version } = traced;
  return { name, version, threads: traced.threads, precision };
}

/** The precision in which programs are compiled from now on; null on a backend that does not record. */
export function enginePrecision(): Precision | null {
  const backend = tf.backend();
  return backend instanceof RecordingBackend ? backend.precision : null;
}

/** The executor of a name; `auto` is C where a compiler is found, told in a note where it is not. */
async function chooseExecutor(
  choice: ExecutorChoice,
  { threads, isa, fallback, onNote }: {
    readonly threads: number;
    readonly isa: string | null;
    readonly fallback: Executor;
    readonly onNote: (note: string) => void;
  },
): Promise<TracedExecutor> {
  if (choice === "onnx") return fallback;
  if (findCompiler() === null) {
    if (choice === "native") throw new Deno.errors.NotFound(explainMissingCompiler());
    onNote(explainMissingCompiler());
    return fallback;
  }
  const key = `${threads} ${isa}`;
  let executor = native.get(key);
  if (executor === undefined) {
    const onFallback = (graph: string, reason: string) =>
      onNote(`${graph} runs on onnx, since native cannot compile ${reason}`);
    executor = await createNativeExecutor({ threads, isa, fallback, onFallback });
    native.set(key, executor);
  }
  return executor;
}
