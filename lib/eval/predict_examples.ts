/**
 * Probabilities of labels, from compiled forward programs over batches of like length.
 * Shapes: B rows, T pieces, C labels.
 * @module
 */
import { checkInterrupt, nextKernelInterrupt } from "@/interrupt.ts";
import * as tf from "@tensorflow/tfjs";
import { jit } from "@/engine/jit.ts";
import { batchSizes, type InputTensors, inputTensors } from "@/model/input_tensors.ts";
import { findTask, runTask } from "@/model/multi_task.ts";
import type { MultiTask } from "@/model/parameters.ts";
import { collate } from "@/text/batches.ts";
import type { Example } from "@/text/example.ts";
import { planBatches } from "@/text/plan_batches.ts";

/** How examples are batched. */
export type PredictorOptions = {
  /** Padded lengths that batches may have, rising. */
  readonly lengths: readonly number[];
  readonly padId: number;
  readonly clsId: number;
  /** Rows of a batch; 64 by default. */
  readonly rows?: number;
};

/** Called after each batch with the examples done so far. */
export type OnPredicted = (done: number, total: number) => void;

/** Predicts for one task; its programs are kept from call to call. */
export type Predictor = {
  readonly labels: readonly string[];
  /**
   * Probabilities of each example, in the order of `examples`: [C] for classification, [T, C] row-major
   * for tagging, T being the example's own pieces.
   */
  predict(examples: readonly Example[], onPredicted?: OnPredicted): Promise<Float32Array[]>;
};

/** A predictor over the model as it stands at each call; the model stays the caller's. */
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
    { dynamic: batchSizes(model) },
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
          const pieces = kind === "tagging" ? examples[example]?.ids.length ?? 0 : 1;
          found[example] = values.slice(row * stride, row * stride + pieces * classes);
        });
        onPredicted(done += plan.examples.length, examples.length);
        checkInterrupt(interrupt, () => `Prediction was interrupted after ${done} rows`);
      }
      return found;
    },
  };
}
