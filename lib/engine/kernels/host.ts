/**
 * Runs TensorFlow.js's own JavaScript kernels: values go out to its `cpu` backend and results come back.
 * Slower, never wrong; each kernel is noted once.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { RecordingBackend } from "@/engine/backend.ts";
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

/** A call of a kernel: operands by name or, for kernels that take a list, in order. */
export type HostCall = {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs?: tf.NamedAttrMap;
  readonly backend: RecordingBackend;
};

/** Whether elements are kept by TensorFlow.js's `cpu` backend: strings and complex numbers. */
export function isForeign(info: tf.TensorInfo | undefined): boolean {
  return info?.dataId instanceof ForeignValue;
}

/** Runs a kernel of the `cpu` backend on operands of ours. */
export function runOnHost(
  kernelName: string,
  { inputs, attrs, backend }: HostCall,
): tf.TensorInfo | tf.TensorInfo[] {
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
    // The same tensor (some kernels ask for its rank) over elements of the other backend.
    const over = (dataId: object) => Object.create(info, { dataId: { value: dataId } });
    if (info.dataId instanceof ForeignValue) return over(info.dataId.dataId);
    const dataId = host.write(backend.readSync(info.dataId), info.shape, info.dtype);
    borrowed.push(dataId);
    return over(dataId);
  };
  const lendAll = (infos: tf.TensorInfo | tf.TensorInfo[]) =>
    Array.isArray(infos) ? infos.map(lend) : infos && lend(infos);
  const lent = Array.isArray(inputs) ? inputs.map(lend) : Object.fromEntries(
    Object.entries(inputs).map(([name, infos]) => [name, lendAll(infos as tf.TensorInfo)]),
  );
  const { kernelFunc } = tf.getKernel(kernelName, "cpu");
  try {
    const results = kernelFunc({
      inputs: lent as tf.NamedTensorInfoMap,
      attrs: attrs ?? {},
      backend: host,
    });
    const adopt = (info: tf.TensorInfo) => adoptResult(info, host, backend);
    return Array.isArray(results) ? results.map(adopt) : adopt(results);
  } finally {
    for (const dataId of borrowed) host.disposeData(dataId, true);
  }
}

/** A result of the `cpu` backend as one of ours: numbers are copied, the rest is left there and named. */
function adoptResult(
  { dataId, shape, dtype }: tf.TensorInfo,
  host: tf.KernelBackend,
  backend: RecordingBackend,
): tf.TensorInfo {
  if (dtype === "string" || dtype === "complex64") {
    return { dataId: backend.adoptForeign(dataId, dtype), shape, dtype };
  }
  const values = host.readSync(dataId);
  const adopted = backend.write(values, shape, dtype);
  host.disposeData(dataId, false);
  return { dataId: adopted, shape, dtype };
}
