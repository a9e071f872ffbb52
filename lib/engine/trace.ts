/**
 * Records what a function does with tensors as a graph, with what the graph's inputs and outputs are.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { RecordingBackend } from "@/engine/backend.ts";
import { type Graph, makeGraph } from "@/engine/graph.ts";
import type { DType, Node } from "@/engine/ir.ts";
import type { Bound } from "@/engine/views.ts";
import { newRecording } from "@/engine/recording.ts";
import { equalShapes } from "@/engine/tape.ts";
import { Value } from "@/engine/value.ts";

/** Named tensors in or out of a function. */
export type TensorMap = { readonly [name: string]: tf.Tensor };

/** Where a program's input comes from at each call. */
export type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "variable"; readonly variable: tf.Variable }
  | { readonly kind: "value"; readonly value: Value };

/** A tensor that a function gives. */
export type TracedOutput = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
};

/** A function as it was recorded. */
export type Traced = {
  readonly graph: Graph;
  /** Values among them are held until {@link releaseSources}. */
  readonly sources: readonly Source[];
  readonly outputs: readonly TracedOutput[];
  /** Variables that the program writes, each with the position of its input. */
  readonly updates: readonly { readonly variable: tf.Variable; readonly input: number }[];
  /** What the recording took for granted of sizes; see `Tape`. */
  readonly bounds: readonly Bound[];
};

/** Shape and type of an input. */
export type InputInfo = Pick<tf.Tensor, "shape" | "dtype">;

/** A function of tensors as `jit` takes it, whatever the names. */
export type TracedFunction = (inputs: never) => TensorMap;

/** Runs `run` on placeholders of `inputs`; see the head of the file. */
export function trace(
  name: string,
  run: TracedFunction,
  inputs: ReadonlyMap<string, InputInfo>,
  backend: RecordingBackend,
): Traced {
  const variables = Object.values(tf.engine().registeredVariables) as tf.Variable[];
  for (const variable of variables) {
    // Made from a tensor that shares its value with one of another shape: a program wants the variable's.
    const value: object = variable.dataId;
    if (!(value instanceof Value) || equalShapes(value.shape, variable.shape)) continue;
    ownValue(variable, backend);
  }
  // A variable's value must survive the assignments that are only recorded.
  const before = variables.map((variable) => ({ variable, dataId: variable.dataId as object }));
  for (const { dataId } of before) backend.incRef(dataId);
  const eager = backend.recording;
  const recording = newRecording(name);
  backend.recording = recording;
  const names = [...inputs.keys()];
  // by a variable, since tf.tidy looks through all that it is given for tensors to keep, graphs node by node
  let traced: Traced | null = null;
  try {
    tf.tidy(() => {
      const placeholders = [...inputs].map(([key, { shape, dtype }]) => {
        const value = new Value([...shape], dtype as DType);
        backend.adopt(value);
        backend.nodeOf({ dataId: value, shape, dtype }); // leaves 0, 1, … are the inputs
        return [key, tf.engine().makeTensorFromDataId(value, shape, dtype)] as const;
      });
      const results = run(Object.fromEntries(placeholders) as never);
      const outputs = Object.entries(results).map(([key, tensor]) => ({
        name: key,
        shape: tensor.shape,
        dtype: tensor.dtype as DType,
        node: backend.nodeOf(tensor),
      }));
      const changed = before.filter(({ variable, dataId }) => variable.dataId !== dataId);
      const updates = changed.map(({ variable, dataId }) => {
        const node = backend.nodeOf(variable);
        const own = backend.nodeOf({ ...variable, dataId, shape: variable.shape } as tf.TensorInfo);
        return { variable, node, input: leafNumber(own) };
      });
      const owners = new Map(before.map(({ variable, dataId }) => [dataId, variable]));
      const sources = recording.leaves.map((value, leaf): Source => {
        const variable = owners.get(value);
        const key = names[leaf];
        if (key !== undefined) return { kind: "input", name: key };
        if (variable !== undefined) return { kind: "variable", variable };
        backend.incRef(value); // held for as long as the program is
        return { kind: "value", value };
      });
      const graph = makeGraph(
        name,
        [...recording.leafNodes.values()],
        [
          ...outputs.map(({ node }) => ({ node, target: null })),
          ...updates.map(({ node, input }) => ({ node, target: input })),
        ],
        {
          modelSizes: new Set(before.flatMap(({ variable }) => variable.shape)),
          persistent: new Set(sources.flatMap(({ kind }, i) => kind === "input" ? [] : [i])),
        },
      );
      traced = { graph, sources, outputs, updates, bounds: recording.tape.bounds };
    });
    return traced as unknown as Traced;
  } finally {
    for (const { variable, dataId } of before) restore(variable, dataId, backend);
    backend.recording = eager;
  }
}

function leafNumber({ operation }: Node): number {
  if (operation.kind !== "leaf") throw new Error("internal: a variable's value is not a leaf");
  return operation.leaf;
}

/** Gives a variable its value back after tracing and drops the reference that was held meanwhile. */
function restore(variable: tf.Variable, dataId: object, backend: RecordingBackend): void {
  if (variable.dataId !== dataId) {
    tf.engine().disposeTensor(variable);
    (variable as { dataId: object }).dataId = dataId;
    tf.engine().incRef(variable, backend);
  }
  backend.decRef(dataId);
}

/** Lets go of the values that a recording holds. */
export function releaseSources(sources: readonly Source[], backend: RecordingBackend): void {
  for (const source of sources) {
    if (source.kind === "value" && backend.disposeData(source.value)) {
      tf.engine().removeDataId(source.value, backend);
    }
  }
}

/** A variable's value, to be written in place: first copied where others share it or it has another shape. */
export function ownValue(variable: tf.Variable, backend: RecordingBackend): Value {
  const shared = valueOf(variable);
  if (shared.references === 1 && equalShapes(shared.shape, variable.shape)) return shared;
  if (shared.node !== null) backend.flush();
  const own = new Value([...variable.shape], shared.dtype);
  own.allocate().bytes.set(shared.allocate().bytes);
  backend.adopt(own);
  tf.engine().disposeTensor(variable);
  (variable as { dataId: object }).dataId = own;
  tf.engine().incRef(variable, backend);
  own.references = 1; // the count that `incRef` added is the variable's own
  return own;
}

/** The value of a tensor of the recording backend. */
export function valueOf(tensor: tf.Tensor): Value {
  const value: object = tensor.dataId;
  if (!(value instanceof Value)) {
    throw new TypeError(
      "Cannot run a compiled call as its tensors must be of the recording backend",
    );
  }
  return value;
}
