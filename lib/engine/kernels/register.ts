/**
 * Registers kernels of the recording backend.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { BACKEND, type RecordingBackend } from "@/engine/backend.ts";
import type { Node } from "@/engine/ir.ts";
import { type HostCall, isForeign, runOnHost } from "@/engine/kernels/host.ts";
import type { Tape } from "@/engine/tape.ts";

/** What a kernel gets: the tape, its operands as nodes, and TensorFlow.js's attributes. */
export type KernelCall<A> = {
  readonly tape: Tape;
  /** The operand called `name` in TensorFlow.js's kernel. */
  input(name: string): Node;
  /** Whether there is an operand called `name`. */
  has(name: string): boolean;
  /** All operands in order, for kernels that take a list. */
  readonly inputs: readonly Node[];
  readonly attributes: A;
  /** Values that occur in an operand, where they are known while recording; else null. */
  known(name: string): ArrayLike<number> | null;
};

/** Kernels that are compiled; all others run on TensorFlow.js's own JavaScript kernels. */
export const COMPILED_KERNELS = new Set<string>();

/**
 * Makes `record` the kernel called `name`. Strings and complex numbers are left to TensorFlow.js's own
 * kernel, as is a call for which `record` gives null. A kernel with several results gives their nodes.
 */
export function registerKernel<A>(
  name: string,
  record: (call: KernelCall<A>) => Node | readonly Node[] | null,
): void {
  COMPILED_KERNELS.add(name);
  tf.registerKernel({
    kernelName: name,
    backendName: BACKEND,
    kernelFunc: (call) => {
      const { inputs, attrs } = call;
      const recorder = call.backend as RecordingBackend;
      const infos = inputs as Record<string, tf.TensorInfo | undefined>; // some are optional
      if (Object.values(infos).some(isForeign)) return runOnHost(name, call as unknown as HostCall);
      recorder.flushIfLong();
      const result = record({
        tape: recorder.recording.tape,
        input: (operand) => recorder.nodeOf(infos[operand] as tf.TensorInfo),
        has: (operand) => infos[operand] !== undefined,
        get inputs() {
          return Object.values(infos).map((info) => recorder.nodeOf(info as tf.TensorInfo));
        },
        attributes: attrs as unknown as A,
        known: (operand) => recorder.knownValues(infos[operand] as tf.TensorInfo),
      });
      if (result === null) return runOnHost(name, call as unknown as HostCall);
      return "operation" in result
        ? recorder.record(result)
        : result.map((node) => recorder.record(node));
    },
  });
}

/**
 * Makes a kernel that gives its operand's elements another shape: the result shares the operand's value.
 * `shapeOf` gives the result's shape.
 */
export function registerSharingKernel<A>(
  name: string,
  operand: string,
  shapeOf: (shape: readonly number[], attributes: A) => readonly number[],
): void {
  COMPILED_KERNELS.add(name);
  tf.registerKernel({
    kernelName: name,
    backendName: BACKEND,
    kernelFunc: (call) => {
      const { inputs, attrs, backend } = call;
      const info = inputs[operand] as tf.TensorInfo;
      if (isForeign(info)) return runOnHost(name, call as unknown as HostCall);
      const { dataId, shape, dtype } = info;
      const result = [...shapeOf(shape, attrs as unknown as A)];
      (backend as RecordingBackend).incRef(dataId);
      return { dataId, shape: result, dtype };
    },
  });
}
