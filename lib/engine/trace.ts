/**
 * Traces a function of tensors: its graph, and the sources of the graph's inputs and outputs.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { newRecording, type RecordingBackend } from "@/engine/backend.ts";
import { type Graph, makeGraph } from "@/engine/graph.ts";
import { isInspecting } from "@/engine/inspect/inspection.ts";
import type { DType, Node } from "@/engine/ir.ts";
import type { Bound } from "@/engine/views.ts";
import { equalShapes } from "@/engine/tape.ts";
import { Value } from "@/engine/value.ts";

/** Named inputs or outputs of a function. */
export type TensorMap = { readonly [name: string]: tf.Tensor };

/** The source of a program's input at each call. */
export type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "variable"; readonly variable: tf.Variable }
  | { readonly kind: "value"; readonly value: Value };

/** A tensor that a function returns. */
export type TracedOutput = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
};

/** A traced function. */
export type Traced = {
  readonly graph: Graph;
  /** Values among them are retained until {@link releaseSources}. */
  readonly sources: readonly Source[];
  readonly outputs: readonly TracedOutput[];
  /** Variables that the program writes, each with the position of its input. */
  readonly updates: readonly { readonly variable: tf.Variable; readonly input: number }[];
  /** All nodes that were recorded, also those that no output needs; null unless the function is inspected. */
  readonly recorded: readonly Node[] | null;
  /** Assumptions about sizes that tracing made; see `Tape`. */
  readonly bounds: readonly Bound[];
};

/** Shape and type of an input. */
export type InputInfo = Pick<tf.Tensor, "shape" | "dtype">;

/** A function of tensors as `jit` takes it, with any names. */
export type TracedFunction = (inputs: never) => TensorMap;

/** Runs `run` on placeholders of `inputs` and records its graph. */
export function trace(
  name: string,
  run: TracedFunction,
  inputs: ReadonlyMap<string, InputInfo>,
  backend: RecordingBackend,
): Traced {
  const variables = Object.values(tf.engine().registeredVariables) as tf.Variable[];
  for (const variable of variables) {
    // The variable shares its value with a tensor of another shape; the program needs the variable's shape.
    const value: object = variable.dataId;
    if (!(value instanceof Value) || equalShapes(value.shape, variable.shape)) continue;
    ownValue(variable, backend);
  }
  // Assignments are only recorded here, so the variable's value must survive them.
  const before = variables.map((variable) => ({ variable, dataId: variable.dataId as object }));
  for (const { dataId } of before) backend.incRef(dataId);
  const eager = backend.recording;
  const recording = newRecording(name);
  backend.recording = recording;
  const names = [...inputs.keys()];
  // In a variable, since tf.tidy searches its result for tensors to keep, and would walk the graph node by node.
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
        backend.incRef(value); // retained as long as the program
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
      const { tape } = recording;
      const recorded = isInspecting() ? tape.nodes : null;
      traced = { graph, sources, outputs, updates, recorded, bounds: tape.bounds };
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

/** Restores a variable's value after tracing and drops the reference that was held meanwhile. */
function restore(variable: tf.Variable, dataId: object, backend: RecordingBackend): void {
  if (variable.dataId !== dataId) {
    tf.engine().disposeTensor(variable);
    (variable as { dataId: object }).dataId = dataId;
    tf.engine().incRef(variable, backend);
  }
  backend.decRef(dataId);
}

/** Releases the values that a trace retains. */
export function releaseSources(sources: readonly Source[], backend: RecordingBackend): void {
  for (const source of sources) {
    if (source.kind === "value" && backend.disposeData(source.value)) {
      tf.engine().removeDataId(source.value, backend);
    }
  }
}

/** A variable's value for writing in place: copied first if it is shared or has another shape. */
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
  own.references = 1; // the reference that `incRef` added is the variable's own
  return own;
}

/** The value of a tensor of the recording backend. */
export function valueOf(tensor: tf.Tensor): Value {
  const value: object = tensor.dataId;
  if (!(value instanceof Value)) {
    throw new TypeError(
      "Cannot run a compiled function as its tensors must belong to the recording backend",
    );
  }
  return value;
}
