/**
 * Names the composite operation (softmax, layer norm, GELU) that a tensor's primitives amount to, for executors
 * that have an operator for it.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { RecordingBackend } from "@/engine/backend.ts";
import type { Composite } from "@/engine/ir.ts";

/** A composite in terms of tensors; see `Composite` in `ir.ts`. */
export type NamedComposite = Omit<Composite, "inputs"> & { readonly inputs: readonly tf.Tensor[] };

/**
 * Marks the node of `result` in place as the value of `composite`. Does nothing on a backend that does not record.
 */
export function nameComposite(result: tf.Tensor, composite: NamedComposite): void {
  const backend = tf.backend();
  if (!(backend instanceof RecordingBackend)) return;
  const node = backend.nodeOf(result);
  node.composite ??= { ...composite, inputs: composite.inputs.map((x) => backend.nodeOf(x)) };
}
