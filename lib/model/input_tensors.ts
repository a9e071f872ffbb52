/**
 * The inputs of an encoder as tensors. Shapes: B rows, T tokens.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { DynamicAxes, DynamicDimensions } from "@/engine/dynamic_dimensions.ts";
import type { ModelInputs } from "@/model/bert.ts";
import type { MultiTask } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";

/** Token ids and mask of a batch. */
export type InputTensors = Pick<ModelInputs, "ids" | "mask">;

/** Converts a batch to tensors, which the caller must dispose. */
export function inputTensors(
  { rows, length, ids, mask }: Pick<Batch, "rows" | "length" | "ids" | "mask">,
): InputTensors {
  return {
    ids: tf.tensor2d(ids, [rows, length], "int32"),
    mask: tf.tensor2d(mask, [rows, length], "int32"),
  };
}

/** The dynamic dimensions of a batch: B and T of {@link InputTensors}, and those of `further` inputs. */
export function dynamicBatchDimensions(
  { encoder }: Pick<MultiTask, "encoder">,
  further: DynamicAxes = {},
): DynamicDimensions {
  return {
    axes: { ids: ["B", "T"], mask: ["B", "T"], ...further },
    limits: { T: encoder.config.maxPositions },
  };
}
