/**
 * Kernels that are not compiled run on TensorFlow.js's own JavaScript kernels: values go out to its
 * `cpu` backend and results come back. Slower, never wrong; each is noted once.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { BACKEND, type RecordingBackend } from "@/engine/backend.ts";
import { COMPILED_KERNELS } from "@/engine/kernels/register.ts";
import { ForeignValue } from "@/engine/value.ts";

/** Kernels that have run uncompiled in this process. */
export const FALLBACKS_SEEN = new Set<string>();

/** Called with the name of a kernel the first time that it runs uncompiled. */
export type FallbackListener = (kernel: string) => void;
let listener: FallbackListener = () => {};

/** Tells `listen` of each kernel that runs uncompiled, once. */
export function onFallback(listen: FallbackListener): void {
  listener = listen;
}

/** Registers every kernel of TensorFlow.js's `cpu` backend that is not compiled. */
export function registerFallbackKernels(): void {
  for (const { kernelName } of tf.getKernelsForBackend("cpu")) {
    if (COMPILED_KERNELS.has(kernelName)) continue;
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: (call) => runOnHost(kernelName, call as unknown as HostCall),
    });
  }
}

type HostCall = {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs?: tf.NamedAttrMap;
  readonly backend: RecordingBackend;
};

function runOnHost(kernelName: string, { inputs, attrs, backend }: HostCall) {
  const { traced } = backend.recording;
  if (traced !== null) {
    throw new Error(
      `Cannot record ${kernelName} inside jit("${traced}") as it must be a compiled operation: ` +
        "compute it outside and pass it in",
    );
  }
  if (!FALLBACKS_SEEN.has(kernelName)) {
    FALLBACKS_SEEN.add(kernelName);
    listener(kernelName);
  }
  const host = tf.engine().findBackend("cpu") as tf.KernelBackend & { firstUse?: boolean };
  host.firstUse = false; // its greeting recommends what this backend replaces
  const borrowed: object[] = [];
  const lend = (info: tf.TensorInfo): tf.TensorInfo => {
    if (info.dataId instanceof ForeignValue) return { ...info, dataId: info.dataId.dataId };
    const dataId = host.write(backend.readSync(info.dataId), info.shape, info.dtype);
    borrowed.push(dataId);
    return { ...info, dataId };
  };
  const lent = Object.fromEntries(
    Object.entries(inputs).map(([name, info]) => [
      name,
      Array.isArray(info) ? info.map(lend) : info && lend(info as tf.TensorInfo),
    ]),
  ) as tf.NamedTensorInfoMap;
  const kernel = tf.getKernel(kernelName, "cpu");
  const results = kernel.kernelFunc({ inputs: lent, attrs: attrs ?? {}, backend: host });
  const adopt = (info: tf.TensorInfo): tf.TensorInfo => {
    const { shape, dtype } = info;
    const values = host.readSync(info.dataId);
    return { dataId: backend.write(values, shape, dtype), shape, dtype };
  };
  const adopted = Array.isArray(results) ? results.map(adopt) : adopt(results as tf.TensorInfo);
  for (const dataId of borrowed) host.disposeData(dataId, true);
  for (const info of [results].flat()) host.disposeData((info as tf.TensorInfo).dataId, true);
  return adopted;
}
