/**
 * The compiled gradient of one task's loss, which is added into gradient buffers that all tasks share.
 *
 * Shapes: B rows, T tokens.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { jit } from "@/engine/jit.ts";
import { dynamicBatchDimensions, type InputTensors, inputTensors } from "@/model/bert.ts";
import { findTask, runTask } from "@/model/multi_task.ts";
import type { MultiTask } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";
import { unweighLoss, weighLoss } from "@/train/loss_weights.ts";
import { countLabels, crossEntropy } from "@/train/losses.ts";
import { readScalar } from "@/train/read_scalar.ts";
import type { TrainedParameter } from "@/train/trained_parameters.ts";

/** Options of {@link createGradientProgram}; all are fixed for a program. */
export type GradientOptions = {
  readonly task: string;
  /** The parameters to differentiate by; the loss of the task must depend on each of them. */
  readonly parameters: readonly TrainedParameter[];
  readonly dropout: { readonly hidden: number; readonly attention: number; readonly head: number };
  /** Fixed weight of the task's loss; ignored if `logVariance` is set. */
  readonly lossWeight: number;
  readonly logVariance: tf.Variable | null;
  /** Loss scale, for mixed-float16; null for none. */
  readonly scale: tf.Variable | null;
};

/** The loss of a batch. */
export type LossMetrics = {
  /** Mean over the labels, without any weight or scale. */
  readonly loss: number;
  /** Number of labels: rows for classification, words for tagging. */
  readonly count: number;
};

/** Divisor for a batch without labels, whose weight and loss are 0; smaller than every other weight. */
const MIN_BATCH_WEIGHT = 1e-12;

/**
 * Computes the gradient of a batch's loss times `batchWeight` and adds it into the gradient buffers, in place.
 * `batchWeight` is the weight of a micro-batch within its step.
 */
export type GradientProgram = (
  batch: Batch,
  options: { readonly dropoutSeed: number; readonly batchWeight: number },
) => Promise<LossMetrics>;

type Inputs = InputTensors & {
  /** [B] or [B · T] int32 */
  readonly labels: tf.Tensor1D;
  /** int32 */
  readonly seed: tf.Scalar;
  /** Omitted if it is 1. */
  readonly batchWeight?: tf.Scalar;
};

/** Creates the program of a task; it is compiled once and serves all batch shapes. */
export function createGradientProgram(model: MultiTask, options: GradientOptions): GradientProgram {
  const { task, parameters, dropout, lossWeight, logVariance, scale } = options;
  const variables = parameters.map(({ weight }) => weight);
  const labelAxes = findTask(model, task).kind === "tagging" ? ["B·T"] : ["B"];
  const dynamic = dynamicBatchDimensions(model, { labels: labelAxes });
  const program = jit(`gradient.${task}`, ({ ids, mask, labels, seed, batchWeight }: Inputs) => {
    const times = (loss: tf.Tensor, factor: tf.Tensor | null | undefined) =>
      (factor ? tf.mul(loss, factor) : loss) as tf.Scalar;
    const { value, grads } = tf.variableGrads(() => {
      const logits = runTask(model, task, { ids, mask, dropout: { seed, ...dropout } });
      const loss = crossEntropy(logits, labels);
      const weighed = logVariance === null
        ? tf.mul(loss, lossWeight)
        : weighLoss(loss, logVariance);
      return times(times(weighed, batchWeight), scale);
    }, variables);
    for (const { weight, gradient } of parameters) {
      const added = grads[weight.name];
      if (added === undefined) throw new TypeError(`internal: no gradient of ${weight.name}`);
      gradient.assign(tf.add(gradient, added));
    }
    const unscaled = scale === null ? value : tf.div(value, scale) as tf.Scalar;
    const weighed = batchWeight === undefined
      ? unscaled
      : tf.div(unscaled, tf.maximum(batchWeight, MIN_BATCH_WEIGHT)) as tf.Scalar;
    const loss = logVariance === null ? weighed : unweighLoss(weighed, logVariance);
    return { loss, count: countLabels(labels) };
  }, { dynamic });
  return async (batch, { dropoutSeed, batchWeight }) => {
    const inputs: Inputs = {
      ...inputTensors(batch),
      labels: tf.tensor1d(batch.labels, "int32"),
      seed: tf.scalar(dropoutSeed, "int32"),
      ...(batchWeight === 1 ? {} : { batchWeight: tf.scalar(batchWeight) }),
    };
    const outputs = await program(inputs);
    const loss = await readScalar(outputs.loss), count = await readScalar(outputs.count);
    tf.dispose([inputs, outputs]);
    return { loss: logVariance === null ? loss / lossWeight : loss, count };
  };
}
