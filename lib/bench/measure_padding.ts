/**
 * What padding costs in time, measured: the same texts through the same encoder, batched in several ways.
 * Shapes: B rows, T pieces, E embedding.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { median } from "@/bench/statistics.ts";
import { jit } from "@/engine/jit.ts";
import { type InputTensors, inputTensors } from "@/model/input_tensors.ts";
import { embed } from "@/model/multi_task.ts";
import { collate } from "@/text/batches.ts";
import { type ComparePaddingOptions, planWays } from "@/text/compare_padding.ts";
import type { Example } from "@/text/example.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";

/** How fast the encoder reads under one way of batching. */
export type PaddingSpeed = {
  readonly name: string;
  /** Word pieces of the texts a second; padding is computed and does not count. */
  readonly "pieces a second": number;
  /** Time over that of the fastest way, as percent. */
  readonly "more time (%)": number;
};

/** What is measured. */
export type MeasurePaddingOptions = ComparePaddingOptions & {
  /** Passes over the texts under each way, in turn; the median counts. */
  readonly passes?: number;
  readonly nowMs?: () => number;
};

/** Measures passes of a run's encoder over examples, without the time of compiling. */
export async function measurePadding(
  { model, tokenizer }: Pick<PreparedRun, "model" | "tokenizer">,
  examples: readonly Example[],
  options: MeasurePaddingOptions,
): Promise<readonly PaddingSpeed[]> {
  const { passes = 3, nowMs = () => performance.now() } = options;
  const { pad: padId, cls: clsId } = tokenizer.ids;
  const program = jit("measure padding", (inputs: InputTensors) => ({
    embeddings: embed(model, inputs), // [B, E]
  }));
  const ways = planWays(examples.map(({ ids }) => ids.length), options)
    .map((way) => ({ ...way, timesMs: new Array<number>() }));
  for (let pass = 0; pass <= passes; pass++) {
    for (const { plans, timesMs } of ways) {
      const batches = plans.map((plan) => collate(examples, plan, { padId, clsId }));
      const startMs = nowMs();
      for (const batch of batches) {
        const inputs = inputTensors(batch);
        const outputs = await program(inputs);
        await outputs.embeddings.data();
        tf.dispose([inputs, outputs]);
      }
      const tookMs = nowMs() - startMs;
      if (pass > 0) timesMs.push(tookMs); // the first pass compiles
    }
  }
  const pieces = examples.reduce((sum, { ids }) => sum + ids.length, 0);
  const medians = ways.map(({ timesMs }) => median(timesMs));
  const fastest = Math.min(...medians);
  return ways.map(({ name }, way) => {
    const ms = medians[way] ?? NaN;
    return {
      name,
      "pieces a second": Math.round(1000 * pieces / ms),
      "more time (%)": 100 * (ms / fastest - 1),
    };
  });
}
