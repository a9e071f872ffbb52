/**
 * The device `tensorflow`: `@tensorflow/tfjs-node-gpu` with the user's TensorFlow library. Operations run eagerly, on
 * a GPU if the library supports one.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { Precision } from "@/engine/options.ts";
import { buildBinding, type BuiltBinding } from "@/engine/tensorflow/build_binding.ts";
import { registerDropoutMask } from "@/engine/tensorflow/dropout_kernel.ts";
import { describeSystem, explainMissingLibrary } from "@/engine/tensorflow/explain_missing.ts";
import { findLibrary, type TensorflowLibrary } from "@/engine/tensorflow/find_library.ts";
import { applySettings, loadBinding, loadLibrary } from "@/engine/tensorflow/load_binding.ts";
import { checkPrecision, type MixedBinding, mixMatmuls } from "@/engine/tensorflow/mixed_matmul.ts";
import { timeRun } from "@/engine/timing.ts";

/** Name of the backend in TensorFlow.js; the package's kernels are registered under it. */
export const TENSORFLOW_BACKEND = "tensorflow";

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
    throw new Deno.errors.NotFound(explainMissingLibrary(missing, describeSystem()));
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
