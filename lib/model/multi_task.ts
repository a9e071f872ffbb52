/**
 * Forward pass of a multi-task model: sentence embeddings and task scores. Encoding and training use the same
 * functions. Shapes: B rows, T tokens, N = B·T, E embedding, C labels.
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { assertNever } from "@/assert_never.ts";
import { type ModelInputs, runEncoder } from "@/model/bert.ts";
import { runTaskHead } from "@/model/heads.ts";
import { runLinear } from "@/model/layers.ts";
import { normalizeRows } from "@/model/normalize.ts";
import type { ModelTask } from "@/model/model_task.ts";
import type { MultiTask } from "@/model/parameters.ts";
import { poolSentences } from "@/model/pooling.ts";
import { didYouMean } from "@/suggest.ts";

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
