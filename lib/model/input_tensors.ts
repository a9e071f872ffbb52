/**
 * What an encoder is given, as tensors. Shapes: B rows, T pieces.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { ModelInputs } from "@/model/bert.ts";
import type { Batch } from "@/text/example.ts";

/** Word pieces of a batch. */
export type InputTensors = Pick<ModelInputs, "ids" | "mask">;

/** The pieces of a batch as tensors, which become the caller's. */
export function inputTensors(
  { rows, length, ids, mask }: Pick<Batch, "rows" | "length" | "ids" | "mask">,
): InputTensors {
  return {
    ids: tf.tensor2d(ids, [rows, length], "int32"),
    mask: tf.tensor2d(mask, [rows, length], "int32"),
  };
}
