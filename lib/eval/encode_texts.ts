/**
 * Sentence embeddings of raw texts, through the same code as training. Shapes: B rows, T pieces,
 * E embedding.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { NormalizeMode, PoolingMode } from "@/config.ts";
import { jit } from "@/engine/jit.ts";
import { paddedLengths, type SavedModel } from "@/eval/open_saved_model.ts";
import { type InputTensors, inputTensors } from "@/model/input_tensors.ts";
import { embed } from "@/model/multi_task.ts";
import { collate } from "@/text/batches.ts";
import { encodeRows } from "@/text/encode_rows.ts";
import { planBatches } from "@/text/plan_batches.ts";

/** How texts are encoded; what is left out is as the model was trained. */
export type EncodeTextsOptions = {
  readonly pooling?: PoolingMode | undefined;
  readonly normalize?: NormalizeMode | undefined;
  /** Texts that run together; a batch always has as many, so few texts want few. */
  readonly rows?: number;
};

/** Encodes texts; its programs are kept from call to call. */
export type SentenceEncoder = {
  /** [E] an embedding of each text, in order; a text beyond the model's limit is cut. */
  encode(texts: readonly string[]): Promise<Float32Array[]>;
};

/** An encoder of raw texts over a saved model, which stays the caller's. */
export function createSentenceEncoder(
  saved: SavedModel,
  options: EncodeTextsOptions = {},
): SentenceEncoder {
  const { tokenizer, maxLength } = saved;
  const { rows = 16, pooling = saved.model.pooling, normalize = saved.model.normalize } = options;
  const model = { ...saved.model, pooling, normalize };
  if (pooling === "cls" && model.encoder.pooler === null) {
    throw new RangeError(
      'Cannot encode with pooling "cls" as the model must have a pooler: choose mean, cls-token or max',
    );
  }
  const program = jit("encode", (inputs: InputTensors) => ({
    embeddings: embed(model, inputs), // [B, E]
  }));
  return {
    async encode(texts) {
      const { examples } = encodeRows(texts.map((text) => ({ text, label: 0 })), {
        tokenizer,
        kind: "classification",
        maxLength,
        windows: "cut",
      });
      const found = texts.map(() => new Float32Array(0));
      const plans = planBatches(examples.map(({ ids }) => ids.length), {
        rows,
        lengths: paddedLengths(saved),
        prng: null,
      });
      for (const plan of plans) {
        const batch = collate(examples, plan, {
          padId: tokenizer.ids.pad,
          clsId: tokenizer.ids.cls,
        });
        const inputs = inputTensors(batch);
        const outputs = await program(inputs);
        const size = outputs.embeddings.shape[1];
        const values = await outputs.embeddings.data() as Float32Array;
        tf.dispose([inputs, outputs]);
        batch.examples.forEach((text, row) => {
          found[text] = values.slice(row * size, (row + 1) * size);
        });
      }
      return found;
    },
  };
}
