/**
 * Runs TensorFlow.js's own JavaScript kernels: operands are copied to its `cpu` backend and results are copied
 * back. Slower, but correct for every kernel. The first fallback of each kernel is reported.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { RecordingBackend } from "@/engine/backend.ts";
import { type Fallback, recordFallback } from "../fallbacks.ts";
import { ForeignValue } from "@/engine/value.ts";

/** Names of the kernels that have run as a fallback in this process. */
export const FALLBACKS_SEEN = new Set<string>();

let listener: (fallback: Fallback) => void = () => {};

/** Sets the listener for fallbacks; it is called once for each kernel. */
export function onFallback(listen: (fallback: Fallback) => void): void {
  listener = listen;
}

/** A call of a kernel. Operands are passed by name, or as a list for kernels that take one. */
export type HostCall = {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly attrs?: tf.NamedAttrMap;
  readonly backend: RecordingBackend;
};

/** True if the elements are stored by TensorFlow.js's `cpu` backend (strings and complex numbers). */
export function isForeign(info: tf.TensorInfo | undefined): boolean {
  return info?.dataId instanceof ForeignValue;
}

/** Runs a kernel of the `cpu` backend on operands of the recording backend. */
export function runOnHost(
  kernelName: string,
  { inputs, attrs, backend }: HostCall,
): tf.TensorInfo | tf.TensorInfo[] {
  const { traced } = backend.recording;
  if (traced !== null) {
    throw new Error(
      `Cannot use ${kernelName} inside jit("${traced}") as it is not a compiled operation: ` +
        "compute it outside and pass the result in",
    );
  }
  if (!FALLBACKS_SEEN.has(kernelName)) {
    FALLBACKS_SEEN.add(kernelName);
    const to = "TensorFlow.js's JavaScript kernel";
    const fallback = { subject: kernelName, to, reason: "it is not compiled" };
    recordFallback(fallback);
    listener(fallback);
  }
  const host = tf.engine().findBackend("cpu") as tf.KernelBackend & { firstUse?: boolean };
  host.firstUse = false; // suppresses its message, which recommends tfjs-node
  const borrowed: object[] = [];
  const lend = (info: tf.TensorInfo): tf.TensorInfo => {
    // The same tensor (some kernels read its rank) with the elements of the other backend.
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

/** Converts a result of the `cpu` backend: numbers are copied, other types stay there and are referenced. */
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
