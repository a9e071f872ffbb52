/**
 * Forward pass of a multi-task model: sentence embeddings and task scores. Encoding and training use the same
 * functions. Shapes: B rows, T tokens, N = B·T, D hidden, E embedding, C labels.
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import { assertNever } from "@/assert_never.ts";
import { type ModelInputs, runEncoder } from "@/model/bert.ts";
import { dropAt, type DropoutRates, runLayerNorm, runLinear } from "@/model/layers.ts";
import { normalizeRows, poolSentences } from "@/model/pooling.ts";
import type { MultiTask, TaskHead } from "@/model/parameters.ts";
import { didYouMean } from "@/suggest.ts";
import { gelu } from "@/engine/neural.ts";
import type { TaskKind } from "@/config/config.ts";

/** Sentence embeddings, pooled, projected and normalized: [B, T] → [B, E]. */
export function embed(model: MultiTask, inputs: ModelInputs): tf.Tensor2D {
  const { encoder, pooling, poolingStart, projection, normalize } = model;
  const hidden = runEncoder(encoder, inputs); // [N, D]
  const pooled = poolSentences(hidden, {
    mode: pooling,
    start: poolingStart,
    maxLength: encoder.config.maxPositions,
    mask: inputs.mask,
    pooler: encoder.pooler,
  });
  const projected = projection === null ? pooled : runLinear(projection, pooled);
  return normalizeRows(projected, normalize);
}

/** Returns the task of this name. */
export function findTask({ tasks }: Pick<MultiTask, "tasks">, name: string): ModelTask {
  const task = tasks.find((task) => task.name === name);
  if (task === undefined) {
    const known = tasks.map((each) => each.name);
    throw new RangeError(
      `Cannot run task ${JSON.stringify(name)}: the tasks of the model are ${known.join(", ")}${
        didYouMean(name, known)
      }`,
    );
  }
  return task;
}

/** Scores (logits) of a task's labels: [B, C] for classification, [N, C] for tagging. */
export function runTask(model: MultiTask, name: string, inputs: ModelInputs): tf.Tensor2D {
  const { kind } = findTask(model, name);
  const head = model.heads.get(name);
  if (head === undefined) throw new TypeError(`internal: task ${name} has no head`);
  const options = { site: `heads.${name}`, dropout: inputs.dropout };
  switch (kind) {
    case "classification":
      return runTaskHead(head, embed(model, inputs), options);
    case "tagging":
      return runTaskHead(head, runEncoder(model.encoder, inputs), options);
    default:
      return assertNever(kind, "task kind");
  }
}

/** Epsilon of the head's layer norm; PyTorch's default. */
const EPSILON = 1e-5;

/**
 * Computes the scores of each vector: [N, E] → [N, C]. Both task kinds use the same layers: dropout · dense · layer norm ·
 * GELU · dropout · out. `site` is the head's prefix in dropout sites.
 */
function runTaskHead(
  { dense, norm, out }: TaskHead,
  x: tf.Tensor2D,
  { site, dropout }: { readonly site: string; readonly dropout?: DropoutRates | undefined },
): tf.Tensor2D {
  const inner = runLinear(dense, dropAt(x, `${site}.input`, "head", dropout)); // [N, D]
  const active = gelu(runLayerNorm(norm, inner, EPSILON));
  return runLinear(out, dropAt(active, `${site}.output`, "head", dropout));
}

/** The properties of a task that a model needs. `TaskConfig` has them. */
export type ModelTask = {
  readonly name: string;
  readonly kind: TaskKind;
  /** Label names; a label's number is its index. */
  readonly labels: readonly string[];
};
