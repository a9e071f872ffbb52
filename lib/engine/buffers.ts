/**
 * Work on the memory of variables that needs no graph.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { RecordingBackend } from "@/engine/backend.ts";
import { Value } from "@/engine/value.ts";

/** Sets all elements of a variable to zero, in place. No compiled call may be running. */
export function clearVariable(variable: tf.Variable): void {
  const backend = tf.backend(), value: object = variable.dataId;
  const inPlace = backend instanceof RecordingBackend && value instanceof Value &&
    value.references === 1 && value.node === null && backend.busy === 0;
  if (inPlace) value.elements().fill(0);
  else tf.tidy(() => variable.assign(tf.zerosLike(variable)));
}
