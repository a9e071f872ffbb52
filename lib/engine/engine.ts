/**
 * Opens the engine: registers the TensorFlow.js backend that computes. For device `cpu` that is the recording
 * backend with its kernels, for device `tensorflow` TensorFlow's own library.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { BACKEND, RecordingBackend } from "@/engine/backend.ts";
import type { Executor, TracedExecutor } from "@/engine/executor.ts";
import { tellCompile } from "@/engine/jit.ts";
import { describeFallback, type Fallback, recordFallback } from "./fallbacks.ts";
import { ToolchainError } from "./native/toolchain/compiler.ts";
import { isSystemError } from "@/engine/system.ts";
import { explainLostCache } from "./native/toolchain/compile_cache.ts";
import { createNativeExecutor } from "./native/native_executor.ts";
import { explainMissingCompiler, findCompiler } from "./native/toolchain/find_compiler.ts";
import { onFallback as onHostKernel } from "@/engine/kernels/host.ts";
import { registerKernels } from "./kernels/register_kernels.ts";
import { createOnnxExecutor } from "./onnx/onnx_executor.ts";
import {
  type Device,
  DEVICES,
  type EngineOptions,
  type ExecutorChoice,
  EXECUTORS,
  type Isa,
  ISAS,
  type Precision,
  PRECISIONS,
} from "@/engine/options.ts";

/** The opened engine, for records. */
export type OpenedEngine = {
  /** Device that computes. */
  readonly device: Device;
  /** Name of the executor, or `eager`. */
  readonly name: string;
  /** Version of the executor or library. */
  readonly version: string;
  /** Number of threads. */
  readonly threads: number;
  /** Precision of matrix products. */
  readonly precision: Precision;
};

let eager: Executor | undefined;
/** Receives the notes of executors, which outlive the call that created them. */
let listener: (note: string) => void = () => {};
const native = new Map<string, TracedExecutor>();
let current: OpenedEngine | undefined;

/**
 * Makes the engine the backend of TensorFlow.js and chooses the executor of `jit`'s programs. May be called
 * again with other options: programs keep the executor that compiled them, and tensors the device that made
 * them.
 */
export async function openEngine(options: EngineOptions = {}): Promise<OpenedEngine> {
  const { device = "cpu", executor = "auto", precision = "float32" } = options;
  checkChoice("device", device, DEVICES);
  checkChoice("executor", executor, EXECUTORS);
  checkChoice("precision", precision, PRECISIONS);
  checkChoice("isa", options.isa ?? "native", ISAS);
  return current = await OPENERS[device](options);
}

/** Throws if `value` is not one of `choices`, as in a program without type checks. */
function checkChoice(name: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new RangeError(
    `Cannot open the engine: ${name} must be one of ${choices.join(", ")}, but is ${value}`,
  );
}

/** How each device is opened. */
const OPENERS = {
  cpu: openRecording,
  tensorflow: openLibrary,
} as const satisfies Readonly<Record<Device, (options: EngineOptions) => Promise<OpenedEngine>>>;

async function openRecording(options: EngineOptions): Promise<OpenedEngine> {
  const { executor = "auto", precision = "float32", isa = null, onNote = () => {} } = options;
  const threads = options.threads ?? navigator.hardwareConcurrency;
  listener = onNote;
  if (eager === undefined) {
    const onnx = createOnnxExecutor(threads);
    eager = onnx;
    registerKernels();
    tf.registerBackend(BACKEND, () => new RecordingBackend(onnx), 10);
  }
  onHostKernel((fallback) => onNote(describeFallback(fallback)));
  await tf.setBackend(BACKEND);
  const backend = tf.backend();
  if (!(backend instanceof RecordingBackend)) throw new Error("internal: another backend is set");
  const traced = await chooseExecutor(executor, { threads, isa, fallback: eager, onNote });
  if (precision !== "float32" && traced.name === "onnx") {
    onNote(
      `${precision} on the executor onnx rounds operands but is not faster than float32`,
    );
  }
  backend.traced.compileWith(traced, precision);
  const { name, version } = traced;
  return { device: "cpu", name, version, threads: traced.threads, precision };
}

async function openLibrary(options: EngineOptions): Promise<OpenedEngine> {
  const { precision = "float32", library = null, onNote = () => {} } = options;
  const threads = options.threads ?? navigator.hardwareConcurrency;
  // Loaded only here, so that other devices do not pay for it.
  const { openTensorflow } = await import("@/engine/tensorflow/open_device.ts");
  const opened = await openTensorflow({ library, threads, precision, onNote });
  const version = `TensorFlow ${opened.version} on ${opened.processor}`;
  return { device: "tensorflow", name: "eager", version, threads: opened.threads, precision };
}

/** The engine that is open; null if TensorFlow.js has another backend. */
export function currentEngine(): OpenedEngine | null {
  if (current === undefined) return null;
  return tf.getBackend() === (current.device === "cpu" ? BACKEND : current.device) ? current : null;
}

/** The subject of a fallback from C. */
const NATIVE = "the executor native";

/** The executor of a name. `auto` is C if a compiler is found; a note says if not. */
async function chooseExecutor(
  choice: ExecutorChoice,
  { threads, isa, fallback, onNote }: {
    readonly threads: number;
    readonly isa: Isa | null;
    readonly fallback: Executor;
    readonly onNote: (note: string) => void;
  },
): Promise<TracedExecutor> {
  if (choice === "onnx") return fallback;
  if (findCompiler() === null) {
    if (choice === "native") throw new Deno.errors.NotFound(explainMissingCompiler());
    recordFallback({ subject: NATIVE, to: fallback.name, reason: explainMissingCompiler() });
    onNote(explainMissingCompiler());
    return fallback;
  }
  const key = `${threads} ${isa}`;
  let executor = native.get(key);
  if (executor === undefined) {
    const onFallback = (fallback: Fallback) => listener(describeFallback(fallback));
    const options = { threads, isa, fallback, onFallback, onCompile: tellCompile };
    try {
      executor = await createNativeExecutor(options);
    } catch (error) {
      if (choice === "native" || isa !== null) throw error; // the caller asked for it
      if (!(error instanceof ToolchainError) && !isSystemError(error)) throw error;
      const reason = `it cannot start: ${error.message}`;
      const fallen = { subject: NATIVE, to: fallback.name, reason };
      recordFallback(fallen);
      onNote(describeFallback(fallen));
      return fallback;
    }
    native.set(key, executor);
    const lost = explainLostCache();
    if (lost !== null) onNote(lost);
  }
  return executor;
}
