/** Reads the value of a scalar tensor. @module */
import type * as tf from "@tensorflow/tfjs";

/** The value of a scalar. */
export async function readScalar(scalar: tf.Tensor): Promise<number> {
  const [value] = await scalar.data();
  return value ?? NaN;
}
