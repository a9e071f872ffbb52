/**
 * The compiled gradient of one task: adds into buffers that all tasks share.
 *
 * Shapes: B rows, T pieces.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { jit } from "@/engine/jit.ts";
import { dynamicBatchDimensions, type InputTensors, inputTensors } from "@/model/input_tensors.ts";
import { findTask, runTask } from "@/model/multi_task.ts";
import type { MultiTask } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";
import { unweighLoss, weighLoss } from "@/train/loss_weights.ts";
import { countLabels, crossEntropy } from "@/train/losses.ts";
import { readScalar } from "@/train/read_scalar.ts";
import type { TrainedParameter } from "@/train/trained_parameters.ts";

/** What a gradient is of; all of it is fixed for a program. */
export type GradientOptions = {
  readonly task: string;
  /** What learns; what the task does not reach must not be among it. */
  readonly parameters: readonly TrainedParameter[];
  readonly dropout: { readonly hidden: number; readonly attention: number; readonly head: number };
  /** Factor of the loss, where none is learned. */
  readonly lossWeight: number;
  readonly logVariance: tf.Variable | null;
  /** Further factor of the loss, for float16. */
  readonly scale: tf.Variable | null;
};

/** What a batch's loss was made of. */
export type LossMetrics = {
  /** Mean over the counted labels, before any factor. */
  readonly loss: number;
  /** Labels counted: rows of a classification, words of a tagging. */
  readonly count: number;
};

/** Below every share but that of a batch without labels, whose loss of 0 is divided by this. */
const SMALLEST_SHARE = 1e-12;

/** Adds the gradient of `share` of the loss of a batch into the gradient buffers, in place. */
export type GradientProgram = (
  batch: Batch,
  options: { readonly dropoutSeed: number; readonly share: number },
) => Promise<LossMetrics>;

type Inputs = InputTensors & {
  /** [B] or [B · T] int32 */
  readonly labels: tf.Tensor1D;
  /** int32 */
  readonly seed: tf.Scalar;
  /** Left out where it is 1. */
  readonly share?: tf.Scalar;
};

/** Makes the program; it is compiled once for all shapes of batches. */
export function createGradientProgram(model: MultiTask, options: GradientOptions): GradientProgram {
  const { task, parameters, dropout, lossWeight, logVariance, scale } = options;
  const variables = parameters.map(({ weight }) => weight);
  const labelAxes = findTask(model, task).kind === "tagging" ? ["B·T"] : ["B"];
  const dynamic = dynamicBatchDimensions(model, { labels: labelAxes });
  const program = jit(`gradient.${task}`, ({ ids, mask, labels, seed, share }: Inputs) => {
    const times = (loss: tf.Tensor, factor: tf.Tensor | null | undefined) =>
      (factor ? tf.mul(loss, factor) : loss) as tf.Scalar;
    const { value, grads } = tf.variableGrads(() => {
      const logits = runTask(model, task, { ids, mask, dropout: { seed, ...dropout } });
      const loss = crossEntropy(logits, labels);
      const weighed = logVariance === null
        ? tf.mul(loss, lossWeight)
        : weighLoss(loss, logVariance);
      return times(times(weighed, share), scale);
    }, variables);
    for (const { weight, gradient } of parameters) {
      const added = grads[weight.name];
      if (added === undefined) throw new TypeError(`internal: no gradient of ${weight.name}`);
      gradient.assign(tf.add(gradient, added));
    }
    const unscaled = scale === null ? value : tf.div(value, scale) as tf.Scalar;
    const weighed = share === undefined
      ? unscaled
      : tf.div(unscaled, tf.maximum(share, SMALLEST_SHARE)) as tf.Scalar;
    const loss = logVariance === null ? weighed : unweighLoss(weighed, logVariance);
    return { loss, count: countLabels(labels) };
  }, { dynamic });
  return async (batch, { dropoutSeed, share }) => {
    const inputs: Inputs = {
      ...inputTensors(batch),
      labels: tf.tensor1d(batch.labels, "int32"),
      seed: tf.scalar(dropoutSeed, "int32"),
      ...(share === 1 ? {} : { share: tf.scalar(share) }),
    };
    const outputs = await program(inputs);
    const loss = await readScalar(outputs.loss), count = await readScalar(outputs.count);
    tf.dispose([inputs, outputs]);
    return { loss: logVariance === null ? loss / lossWeight : loss, count };
  };
}
