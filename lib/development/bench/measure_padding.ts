/**
 * Measures the cost of padding: the same texts and the same encoder under several batching strategies.
 * Shapes: B rows, T tokens, E embedding.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { median } from "@/statistics.ts";
import { jit } from "@/engine/jit.ts";
import { type InputTensors, inputTensors } from "@/model/bert.ts";
import { embed } from "@/model/multi_task.ts";
import { collate } from "@/text/batches.ts";
import { type ComparePaddingOptions, planBatchingStrategies } from "@/text/compare_padding.ts";
import type { Example } from "@/text/example.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";

/** Throughput of the encoder under one batching strategy. */
export type PaddingSpeed = {
  readonly name: string;
  /** Tokens of the texts per second, excluding padding. */
  readonly "tokens per second": number;
  /** Additional time relative to the fastest strategy, in percent. */
  readonly "more time (%)": number;
};

/** Strategies to measure, and how often. */
export type MeasurePaddingOptions = ComparePaddingOptions & {
  /** Passes over the texts per strategy; the strategies alternate, and the median counts. */
  readonly passes?: number;
  readonly nowMs?: () => number;
};

/** Measures the encoder of a run on examples, excluding compile time. */
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
  const strategies = planBatchingStrategies(examples.map(({ ids }) => ids.length), options)
    .map((strategy) => ({ ...strategy, timesMs: new Array<number>() }));
  for (let pass = 0; pass <= passes; pass++) {
    for (const { plans, timesMs } of strategies) {
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
  const tokens = examples.reduce((sum, { ids }) => sum + ids.length, 0);
  const medians = strategies.map(({ timesMs }) => median(timesMs));
  const fastest = Math.min(...medians);
  return strategies.map(({ name }, strategy) => {
    const ms = medians[strategy] ?? NaN;
    return {
      name,
      "tokens per second": Math.round(1000 * tokens / ms),
      "more time (%)": 100 * (ms / fastest - 1),
    };
  });
}
