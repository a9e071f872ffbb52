/**
 * Records a function of placeholders as nodes, for the interpreter.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { newRecording, RecordingBackend } from "@/engine/backend.ts";
import type { Node } from "@/engine/ir.ts";
import { Value } from "@/engine/value.ts";

/** Float32 leaves of the given shapes and the nodes that `run` returns for them. */
export function recordNodes(
  shapes: readonly (readonly number[])[],
  run: (leaves: tf.Tensor[]) => tf.Tensor[],
): { leaves: Node[]; results: Node[] } {
  const backend = tf.backend();
  if (!(backend instanceof RecordingBackend)) throw new Error("internal: another backend is set");
  const eager = backend.recording;
  backend.recording = newRecording("recorded nodes");
  const recorded: { leaves: Node[]; results: Node[] } = { leaves: [], results: [] };
  try {
    tf.tidy(() => {
      const placeholders = shapes.map((shape) => {
        const value = new Value([...shape], "float32");
        backend.adopt(value);
        return tf.engine().makeTensorFromDataId(value, [...shape], "float32");
      });
      recorded.leaves = placeholders.map((x) => backend.nodeOf(x));
      recorded.results = run(placeholders).map((x) => backend.nodeOf(x));
    });
  } finally {
    backend.recording = eager;
  }
  return recorded;
}
