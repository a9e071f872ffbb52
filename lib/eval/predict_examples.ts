/**
 * Predicts label probabilities of examples, and from them labels and entities of texts, with compiled forward programs in
 * batches of similar length.
 * Shapes: B rows, T tokens, C labels.
 * @module
 */

import { checkInterrupt, nextKernelInterrupt } from "@/system/interrupt.ts";
import * as tf from "@tensorflow/tfjs";
import { jit } from "@/engine/jit.ts";
import { dynamicBatchDimensions, type InputTensors, inputTensors } from "@/model/bert.ts";
import { findTask, runTask } from "@/model/multi_task.ts";
import type { MultiTask } from "@/model/parameters.ts";
import { collate } from "@/text/batches.ts";
import type { Example } from "@/text/example.ts";
import { planBatches } from "@/text/plan_batches.ts";
import { paddedLengths, type SavedModel } from "@/eval/open_saved_model.ts";
import { checkHasTasks, combinePredictors, type TextPredictor } from "@/eval/text_predictor.ts";
import { resolvePrompt } from "@/text/prompts.ts";

/** Batching options. */
type PredictorOptions = {
  /** Allowed padded lengths, in ascending order. */
  readonly lengths: readonly number[];
  readonly padId: number;
  readonly clsId: number;
  /** Rows per batch; 64 by default. */
  readonly rows?: number;
};

/** Called after each batch with the number of examples done so far. */
export type OnPredicted = (done: number, total: number) => void;

/** Predicts for one task. Compiled programs are reused across calls. */
export type Predictor = {
  /** Label names, in the order of the probabilities. */
  readonly labels: readonly string[];
  /**
   * Probabilities of each example, in the order of `examples`: [C] for classification, [T, C] row-major
   * for tagging, with T the number of tokens of the example (without padding).
   */
  predict(examples: readonly Example[], onPredicted?: OnPredicted): Promise<Float32Array[]>;
};

/** Creates a predictor that reads the current weights at each call. The caller still owns the model. */
export function createPredictor(
  model: MultiTask,
  task: string,
  { lengths, padId, clsId, rows = 64 }: PredictorOptions,
): Predictor {
  const { kind, labels } = findTask(model, task);
  const classes = labels.length;
  const program = jit(
    `forward.${task}`,
    (inputs: InputTensors) => ({
      probabilities: tf.softmax(runTask(model, task, inputs)), // [B, C] or [B · T, C]
    }),
    { dynamic: dynamicBatchDimensions(model) },
  );
  return {
    labels,
    async predict(examples, onPredicted = () => {}) {
      const found = examples.map(() => new Float32Array(0));
      const plans = planBatches(examples.map(({ ids }) => ids.length), {
        rows,
        lengths,
        prng: null,
      });
      let done = 0;
      const interrupt = nextKernelInterrupt();
      for (const plan of plans) {
        const batch = collate(examples, plan, { padId, clsId });
        const inputs = inputTensors(batch);
        const outputs = await program(inputs);
        const values = await outputs.probabilities.data() as Float32Array;
        tf.dispose([inputs, outputs]);
        const stride = kind === "tagging" ? batch.length * classes : classes;
        plan.examples.forEach((example, row) => {
          const tokens = kind === "tagging" ? examples[example]?.ids.length ?? 0 : 1;
          found[example] = values.slice(row * stride, row * stride + tokens * classes);
        });
        onPredicted(done += plan.examples.length, examples.length);
        checkInterrupt(interrupt, () => `Prediction was interrupted after ${done} rows`);
      }
      return found;
    },
  };
}

/**
 * Creates a predictor for raw texts. Compiled programs are reused across calls.
 *
 * @param options `rows`: texts per batch. Batches are always padded to this many rows, so use a small number
 *   for few texts.
 */
export function createTextPredictor(
  saved: SavedModel,
  options: { readonly rows?: number } = {},
): TextPredictor {
  const { model, tokenizer } = saved;
  const { rows = 16 } = options;
  checkHasTasks(model.tasks);
  const { pad: padId, cls: clsId } = tokenizer.ids;
  const lengths = paddedLengths(saved);
  const tasks = model.tasks.map((task) => ({
    task,
    predictor: createPredictor(model, task.name, { lengths, padId, clsId, rows }),
  }));
  return combinePredictors(tasks, { ...saved, prompt: resolvePrompt(saved.prompts) });
}
