/**
 * Registers kernels of the recording backend.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { BACKEND, type RecordingBackend } from "@/engine/backend.ts";
import type { Node } from "@/engine/ir.ts";
import type { Tape } from "@/engine/tape.ts";

/** What a kernel gets: the tape, its operands as nodes, and TensorFlow.js's attributes. */
export type KernelCall<A> = {
  readonly tape: Tape;
  /** The operand called `name` in TensorFlow.js's kernel. */
  input(name: string): Node;
  /** All operands in order, for kernels that take a list. */
  readonly inputs: readonly Node[];
  readonly attributes: A;
};

/** Kernels that are compiled; all others run on TensorFlow.js's own JavaScript kernels. */
export const COMPILED_KERNELS = new Set<string>();

/** Makes `record` the kernel called `name`. */
export function registerKernel<A>(name: string, record: (call: KernelCall<A>) => Node): void {
  COMPILED_KERNELS.add(name);
  tf.registerKernel({
    kernelName: name,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const recorder = backend as RecordingBackend;
      recorder.flushIfLong();
      const infos = inputs as Record<string, tf.TensorInfo>;
      const node = record({
        tape: recorder.recording.tape,
        input: (operand) => recorder.nodeOf(infos[operand] as tf.TensorInfo),
        get inputs() {
          return Object.values(infos).map((info) => recorder.nodeOf(info));
        },
        attributes: attrs as unknown as A,
      });
      return recorder.record(node);
    },
  });
}
