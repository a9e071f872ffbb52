/**
 * Registration of the recording backend's kernels.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { BACKEND, type RecordingBackend } from "@/engine/backend.ts";
import type { Node } from "@/engine/ir.ts";
import { type HostCall, isForeign, runOnHost } from "@/engine/kernels/host.ts";
import { inRegion, type Tape } from "@/engine/tape.ts";

/** Arguments of a kernel: the tape, its operands as nodes, and TensorFlow.js's attributes. */
type KernelCall<A> = {
  readonly tape: Tape;
  /** The operand with this name in TensorFlow.js's kernel. */
  input(name: string): Node;
  /** True if there is an operand with this name. */
  has(name: string): boolean;
  /** All operands in order, for kernels that take a list. */
  readonly inputs: readonly Node[];
  readonly attributes: A;
  /** The operand's elements if they are known at recording time, else null. */
  known(name: string): ArrayLike<number> | null;
};

/** Names of the compiled kernels; all others fall back to TensorFlow.js's JavaScript kernels. */
export const COMPILED_KERNELS = new Set<string>();

/** Kernels that record several operations, with the region of these and of their gradients; see `inRegion`. */
const REGIONS: Readonly<Record<string, string>> = {
  Softmax: "softmax",
  Sigmoid: "sigmoid",
  Elu: "elu",
  Selu: "selu",
  Softplus: "softplus",
};

/** Records the gradients of such kernels as regions. */
export function nameGradients(): void {
  for (const [kernelName, region] of Object.entries(REGIONS)) {
    const config = tf.getGradient(kernelName);
    const record = <T>(act: () => T) => inRegion(`${region}_backward`, act);
    tf.registerGradient({
      ...config,
      gradFunc: (...call) => {
        const gradients = record(() => config.gradFunc(...call));
        return Object.fromEntries(
          Object.entries(gradients).map(([name, act]) => [name, () => record(act)]),
        );
      },
    });
  }
}

/**
 * Registers `record` as the kernel `name`. Calls with strings or complex numbers, and calls for which `record`
 * returns null, fall back to TensorFlow.js's own kernel. A kernel with several results returns several nodes.
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
      const infos = inputs as Record<string, tf.TensorInfo | undefined>; // some operands are optional
      if (Object.values(infos).some(isForeign)) return runOnHost(name, call as unknown as HostCall);
      recorder.flushIfLong();
      const region = REGIONS[name];
      const run = region === undefined
        ? record
        : (operands: KernelCall<A>) => inRegion(region, () => record(operands));
      const result = run({
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
 * Registers a kernel that only changes the shape: the result shares the operand's value. `shapeOf` returns the
 * shape of the result.
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
