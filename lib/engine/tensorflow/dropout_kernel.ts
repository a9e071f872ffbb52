/**
 * The dropout mask in TensorFlow operations. All executors compute the same mask, see `dropout_mask.ts`.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type DropoutMaskAttributes, hashShape, keepThreshold } from "@/engine/dropout_mask.ts";

const LARGEST = 2 ** 31 - 1;

/** The mask of `shape` [R, C]; integers wrap around at 32 bits. */
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
export function registerDropoutMask(backendName: string): void {
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
