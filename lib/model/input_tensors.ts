/**
 * What an encoder is given, as tensors. Shapes: B rows, T pieces.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { DynamicAxes, DynamicDimensions } from "@/engine/dynamic_dimensions.ts";
import type { ModelInputs } from "@/model/bert.ts";
import type { MultiTask } from "@/model/parameters.ts";
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

/** What differs from batch to batch: B and T of {@link InputTensors}, and of `further` inputs. */
export function batchSizes(
  { encoder }: Pick<MultiTask, "encoder">,
  further: DynamicAxes = {},
): DynamicDimensions {
  return {
    axes: { ids: ["B", "T"], mask: ["B", "T"], ...further },
    limits: { T: encoder.config.maxPositions },
  };
}
