/**
 * Sentence embeddings of raw texts, computed by the same code as in training. Shapes: B rows, T tokens,
 * E embedding.
 * @module
 */

import { checkInterrupt, nextKernelInterrupt } from "@/system/interrupt.ts";
import * as tf from "@tensorflow/tfjs";
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import { jit } from "@/engine/jit.ts";
import { paddedLengths, type SavedModel } from "@/eval/open_saved_model.ts";
import { dynamicBatchDimensions, type InputTensors, inputTensors } from "@/model/bert.ts";
import { embed } from "@/model/multi_task.ts";
import { collate } from "@/text/batches.ts";
import { type EncodeOptions, encodeRows } from "@/text/encode_rows.ts";
import type { Batch, Example } from "@/text/example.ts";
import { planBatches } from "@/text/plan_batches.ts";
import { findPoolingStart, type PromptChoice, resolvePrompt } from "@/text/prompts.ts";
import { createPrefetcher } from "@/text/prefetch.ts";

/** Batches per group; a group is tokenized and sorted by token count at once. */
const BATCHES_AT_ONCE = 8;

/** Encoding options; the model's own settings are the defaults. */
export type EncodeTextsOptions = PromptChoice & {
  /** Pooling; default: the one that the model was trained with. */
  readonly pooling?: PoolingMode | undefined;
  /** Normalization; default: the one that the model was trained with. */
  readonly normalize?: NormalizeMode | undefined;
  /** Texts per batch. Batches are always padded to this many rows, so use a small number for few texts. */
  readonly rows?: number;
};

/** Encodes texts. Compiled programs are reused across calls. */
export type SentenceEncoder = {
  /** One embedding [E] per text, in input order. Texts beyond the model's limit are truncated. */
  encode(texts: readonly string[]): Promise<Float32Array[]>;
};

/** One example per text, in input order. Texts beyond the model's limit are truncated. */
export function encodeWholeTexts(
  texts: readonly string[],
  options: Pick<EncodeOptions, "tokenizer" | "maxLength" | "prompt">,
): readonly Example[] {
  const rows = texts.map((text) => ({ text, label: 0 }));
  return encodeRows(rows, { ...options, kind: "classification", windows: "cut" }).examples;
}

/** Creates an encoder of raw texts for a saved model. The caller still owns the model. */
export function createSentenceEncoder(
  saved: SavedModel,
  options: EncodeTextsOptions = {},
): SentenceEncoder {
  const { tokenizer, maxLength, prompts } = saved;
  const { rows = 16, pooling = saved.model.pooling, normalize = saved.model.normalize } = options;
  const prompt = resolvePrompt(prompts, options);
  const poolingStart = findPoolingStart(prompts, prompt, { tokenizer, maxLength });
  const model = { ...saved.model, pooling, normalize, poolingStart };
  if (pooling === "cls" && model.encoder.pooler === null) {
    throw new RangeError(
      'Cannot encode with pooling "cls": the model has no pooler; choose mean, cls-token or max',
    );
  }
  const program = jit("encode", (inputs: InputTensors) => ({
    embeddings: embed(model, inputs), // [B, E]
  }), { dynamic: dynamicBatchDimensions(model) });
  /** Batches of texts, longest first. */
  const makeBatches = (texts: readonly string[]): readonly Batch[] => {
    const examples = encodeWholeTexts(texts, { tokenizer, maxLength, prompt });
    const lengths = paddedLengths(saved);
    return planBatches(examples.map(({ ids }) => ids.length), { rows, lengths, prng: null })
      .map((plan) =>
        collate(examples, plan, { padId: tokenizer.ids.pad, clsId: tokenizer.ids.cls })
      );
  };
  return {
    async encode(texts) {
      const found = texts.map(() => new Float32Array(0));
      // Longest first. The number of characters approximates the length before tokenization.
      const sorted = texts.map((text, at) => ({ text, at }))
        .sort((a, b) => b.text.length - a.text.length);
      const size = rows * BATCHES_AT_ONCE;
      let taken = 0;
      const interrupt = nextKernelInterrupt();
      const ahead = createPrefetcher(() => {
        const group = sorted.slice(taken, taken += size);
        return { group, batches: makeBatches(group.map(({ text }) => text)) };
      });
      try {
        for (let first = 0; first < sorted.length; first += size) {
          const { group, batches } = ahead.next(); // the next group is tokenized while this one runs
          for (const batch of batches) {
            checkInterrupt(interrupt, () => "Encoding was interrupted");
            const inputs = inputTensors(batch);
            const outputs = await program(inputs);
            const width = outputs.embeddings.shape[1];
            const values = await outputs.embeddings.data() as Float32Array;
            tf.dispose([inputs, outputs]);
            batch.examples.forEach((text, row) => {
              found[group[text]?.at ?? -1] = values.slice(row * width, (row + 1) * width);
            });
          }
        }
      } finally {
        ahead.close();
      }
      return found;
    },
  };
}
