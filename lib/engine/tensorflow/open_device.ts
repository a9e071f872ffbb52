/**
 * The device `tensorflow`: `@tensorflow/tfjs-node-gpu` with the user's TensorFlow library. Operations run eagerly, on
 * a GPU if the library supports one. The library and its binding stay loaded until the process ends, so a process has one
 * library and one number of threads.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import process from "node:process";
import { createRequire } from "node:module";
import type { TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { Precision } from "@/engine/options.ts";
import { buildBinding, type BuiltBinding } from "./build_binding.ts";
import {
  describeLibrarySystem,
  explainMissingLibrary,
  findLibrary,
  type TensorflowLibrary,
} from "./find_library.ts";
import { checkPrecision, type MixedBinding, mixMatmuls } from "./mixed_matmul.ts";
import { timeRun } from "@/engine/timing.ts";
import { type DropoutMaskAttributes, hashShape, keepThreshold } from "@/engine/dropout_mask.ts";

/** Name of the backend in TensorFlow.js; the package's kernels are registered under it. */
const TENSORFLOW_BACKEND = "tensorflow";

/** An opened device. */
export type OpenedTensorflow = {
  readonly library: TensorflowLibrary;
  readonly binding: BuiltBinding;
  /** Version of TensorFlow. */
  readonly version: string;
  readonly processor: "CPU" | "GPU";
  /** Number of threads of one operation; fixed when the library is loaded. */
  readonly threads: number;
};

/** Options of the device `tensorflow`. */
export type TensorflowOptions = {
  /** Folder of the library; null to search for it. */
  readonly library: string | null;
  readonly threads: number;
  readonly precision: Precision;
  readonly onNote: (note: string) => void;
};

type Loaded = OpenedTensorflow & { readonly mixed: MixedBinding };

let loading: Promise<Loaded> | undefined;

/** Makes TensorFlow the backend of TensorFlow.js. A process can load only one library. */
export async function openTensorflow(options: TensorflowOptions): Promise<OpenedTensorflow> {
  loading ??= load(options).catch((error) => {
    loading = undefined; // the next call tries again
    throw error;
  });
  const loaded = await loading;
  const { library: asked } = options;
  if (asked !== null && findLibrary({ configured: asked }).library?.api !== loaded.library.api) {
    throw new TypeError(
      `Cannot open the TensorFlow library of ${asked}: this process has already loaded ` +
        loaded.library.api,
    );
  }
  checkPrecision(loaded.mixed.binding, options.precision, loaded.processor);
  await tf.setBackend(TENSORFLOW_BACKEND);
  loaded.mixed.setPrecision(options.precision);
  return loaded;
}

async function load({ library: configured, threads, onNote }: TensorflowOptions): Promise<Loaded> {
  const found = findLibrary({ configured });
  if (Deno.build.os !== "linux" || found.library === null) {
    const missing = found.library === null ? found : { library: null, named: null, lacking: [] };
    throw new Deno.errors.NotFound(explainMissingLibrary(missing, describeLibrarySystem()));
  }
  const { library } = found;
  applySettings(threads);
  const version = loadLibrary(library);
  const built = await buildBinding(library, {
    version,
    onBuild: (compiler) =>
      onNote(
        `building the binding of TensorFlow ${version} by ${compiler}: takes about ten seconds, once`,
      ),
  });
  const mixed = mixMatmuls(loadBinding(built.path), timeRun);
  const [{ NodeJSKernelBackend }] = await Promise.all([
    import("@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js"),
    import("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js"),
  ]);
  registerDropoutMask(TENSORFLOW_BACKEND);
  tf.registerBackend(
    TENSORFLOW_BACKEND,
    () => new NodeJSKernelBackend(mixed.binding, "@tensorflow/tfjs-node-gpu"),
  );
  const processor = mixed.binding.isUsingGpuDevice() ? "GPU" : "CPU";
  const given = Number(Deno.env.get("TF_NUM_INTRAOP_THREADS"));
  return { library, binding: built, version, processor, threads: given || threads, mixed };
}

const LARGEST = 2 ** 31 - 1;

/** The dropout mask of `shape` [R, C] in TensorFlow operations; integers wrap around at 32 bits. */
function runDropoutMask(seed: number, attributes: DropoutMaskAttributes): tf.Tensor {
  const { shape, rate } = attributes;
  const { rho, gamma } = hashShape(seed, attributes);
  return tf.tidy(() => {
    const rows = tf.tensor2d(rho, [rho.length, 1], "int32");
    const columns = tf.tensor2d(gamma, [1, gamma.length], "int32");
    const z = tf.add(rows, columns); // [R, C]
    const twice = tf.add(tf.add(z, z), tf.scalar(1, "int32"));
    const threshold = tf.scalar(Math.min(keepThreshold(rate), LARGEST), "int32");
    const kept = tf.less(tf.mul(z, twice), threshold);
    return tf.reshape(tf.mul(tf.cast(kept, "float32"), 1 / (1 - rate)), [...shape]);
  });
}

/** Registers the kernel for TensorFlow. */
function registerDropoutMask(backendName: string): void {
  tf.registerKernel({
    kernelName: "DropoutMask",
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { dataId } = inputs.seed as tf.TensorInfo;
      const [seed] = (backend as tf.KernelBackend).readSync(dataId);
      return runDropoutMask(Number(seed), attrs as unknown as DropoutMaskAttributes);
    },
  });
}

/**
 * Environment variables that TensorFlow reads when it is loaded, with the values used unless the user has set them: log
 * warnings and errors only, allocate GPU memory on demand, and do not use TF32 for float32 products.
 */
const SETTINGS = {
  TF_CPP_MIN_LOG_LEVEL: "1",
  TF_FORCE_GPU_ALLOW_GROWTH: "true",
  NVIDIA_TF32_OVERRIDE: "0",
} as const;

/** Sets the variables that TensorFlow reads when it is loaded. `threads` is the number of threads of one operation. */
function applySettings(threads: number): void {
  const all = Object.entries({ ...SETTINGS, TF_NUM_INTRAOP_THREADS: String(threads) });
  for (const [name, value] of all) {
    if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
  }
}

/** Functions of the C library in use. */
const SYSTEM = {
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  dlerror: { parameters: [], result: "pointer" },
  dup: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

type SystemLibrary = Deno.DynamicLibrary<typeof SYSTEM>["symbols"];

/** Flags of `dlopen`: RTLD_NOW and RTLD_NODELETE, since the library's threads outlive all handles. */
const NOW = 2, NEVER_UNLOAD = 0x1000;
const WRITE_ONLY = 1;

const encode = (text: string) => new TextEncoder().encode(`${text}\0`);
const decode = (pointer: Deno.PointerValue) =>
  pointer === null ? "" : new Deno.UnsafePointerView(pointer).getCString();

/** Loads the library, which takes about a second, and returns its version. */
function loadLibrary({ api, framework }: TensorflowLibrary): string {
  const { symbols: system } = Deno.dlopen("libdl.so.2", SYSTEM); // also resolves symbols of libc
  muteStderr(system, () => {
    // The framework first: some libraries have no path to it.
    for (const path of [framework, api]) {
      if (system.dlopen(encode(path), NOW | NEVER_UNLOAD) !== null) continue;
      throw new Error(
        `Cannot load TensorFlow from ${path}: ${decode(system.dlerror())}`,
      );
    }
  });
  const { symbols } = Deno.dlopen(api, { TF_Version: { parameters: [], result: "pointer" } });
  return decode(symbols.TF_Version());
}

/** Runs `load` with stderr redirected: TensorFlow logs there before it has read the log level. */
function muteStderr<T>(system: SystemLibrary, load: () => T): T {
  const kept = system.dup(2);
  const nowhere = system.open(encode("/dev/null"), WRITE_ONLY);
  system.dup2(nowhere, 2);
  try {
    return load();
  } finally {
    system.dup2(kept, 2);
    for (const file of [kept, nowhere]) system.close(file);
  }
}

/** Loads a built binding. */
function loadBinding(path: string): TFJSBinding {
  restoreUtilities();
  const module: { exports: TFJSBinding | Record<string, never> } = { exports: {} };
  process.dlopen(module, path);
  const { exports } = module;
  if (!isBinding(exports)) throw new TypeError(`internal: ${path} is not a binding of TensorFlow`);
  return exports;
}

function isBinding(exports: TFJSBinding | Record<string, never>): exports is TFJSBinding {
  return typeof exports.executeOp === "function";
}

/** Restores functions of Node.js that the package uses and newer versions lack. */
function restoreUtilities(): void {
  const utilities: Record<string, unknown> = createRequire(import.meta.url)("node:util");
  utilities.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  utilities.isArray ??= Array.isArray;
}
