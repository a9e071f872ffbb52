/**
 * `jit(name, f)`: records what `f` does once per input signature and afterwards only binds new inputs.
 *
 * Inside `f`, `tf.Variable`s are read as they stand at each call, and `variable.assign(…)` updates
 * them in place when the call runs. Tensors from outside stand for themselves; tensors that `f` makes
 * from numbers are constants of the program. On a backend that does not record, `f` simply runs.
 * @module
 */
import { setImmediate } from "node:timers";
import * as tf from "@tensorflow/tfjs";
import { RecordingBackend } from "@/engine/backend.ts";
import { type Graph, makeGraph } from "@/engine/graph.ts";
import type { DType, Node } from "@/engine/ir.ts";
import type { Memory } from "@/engine/memory.ts";
import type { HeldProgram } from "@/engine/program_store.ts";
import { newRecording } from "@/engine/recording.ts";
import { equalShapes } from "@/engine/tape.ts";
import { timePreparation } from "@/engine/timing.ts";
import { Value } from "@/engine/value.ts";

/** Named tensors in or out of a jitted function. */
export type TensorMap = { readonly [name: string]: tf.Tensor };

/** A function from tensors to tensors; inputs stay the caller's, outputs become the caller's. */
export type Jitted<I extends TensorMap, O extends TensorMap> = {
  (inputs: I): Promise<O>;
  /** Lets go of what was compiled, and of tensors from outside; a later call compiles anew. */
  release(): void;
};

/** Told of each program as it is compiled, which takes about a second, and of an executor's runtime. */
export type CompileListener = (name: string) => void;
let listener: CompileListener = () => {};

/** Calls `listen` before each compilation. */
export function onCompile(listen: CompileListener): void {
  listener = listen;
}

/** Tells the listener of {@link onCompile} what is compiled now. */
export function tellCompile(name: string): void {
  listener(name);
}

/** Where a program's input comes from at each call. */
type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "variable"; readonly variable: tf.Variable }
  | { readonly kind: "value"; readonly value: Value };

type Traced = {
  readonly graph: Graph;
  readonly sources: readonly Source[];
  readonly outputs: readonly { name: string; shape: readonly number[]; dtype: DType }[];
  /** Variables that the program writes, each with the position of its input. */
  readonly updates: readonly { variable: tf.Variable; input: number }[];
};

type Compiled = Omit<Traced, "graph"> & {
  readonly held: HeldProgram;
  readonly backend: RecordingBackend;
};

/** What functions that nobody can call any more have compiled is released like the rest of them. */
const forgotten = new FinalizationRegistry(releaseAll);

/** See the head of the file. `name` appears in errors and progress. */
export function jit<I extends TensorMap, O extends TensorMap>(
  name: string,
  run: (inputs: I) => O,
): Jitted<I, O> {
  const known = new Map<string, Compiled>();
  const jitted = async (inputs: I): Promise<O> => {
    const backend = tf.backend();
    if (!(backend instanceof RecordingBackend)) {
      await nextTurn();
      return tf.tidy(name, () => run(inputs) as unknown as tf.TensorContainer) as unknown as O;
    }
    return await backend.hold(async () => {
      backend.flush();
      const shapes = Object.entries(inputs)
        .map(([key, { dtype, shape }]) => `${key} ${dtype} ${shape}`).join(";");
      const signature = `${backend.compilerName};${shapes}`;
      let compiled = known.get(signature);
      if (compiled === undefined) {
        listener(name);
        compiled = await timePreparation(async () => {
          const { graph, ...bindings } = trace(name, run, inputs, backend);
          return { ...bindings, held: await backend.compileTraced(graph), backend };
        });
        known.set(signature, compiled);
      }
      return await call(compiled, inputs) as O;
    });
  };
  const released = Object.assign(jitted, { release: () => releaseAll(known) });
  forgotten.register(released, known);
  return released;
}

/** Lets go of all that a function has compiled, in place. */
function releaseAll(known: Map<string, Compiled>): void {
  for (const { held, sources, backend } of known.values()) {
    held.drop();
    for (const source of sources) {
      if (source.kind === "value" && backend.disposeData(source.value)) {
        tf.engine().removeDataId(source.value, backend);
      }
    }
  }
  known.clear();
}

/** Lets what waits for its turn have it: without a program to wait for, nothing else would in a long loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs `run` on placeholders; the graph of what it recorded, with what its inputs and outputs are. */
function trace<I extends TensorMap, O extends TensorMap>(
  name: string,
  run: (inputs: I) => O,
  inputs: I,
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
  const names = Object.keys(inputs);
  // by a variable, since tf.tidy looks through all that it is given for tensors to keep, graphs node by node
  let traced: Traced | null = null;
  try {
    tf.tidy(() => {
      const placeholders = names.map((key) => {
        const { shape, dtype } = inputs[key] as tf.Tensor;
        const value = new Value([...shape], dtype as DType);
        backend.adopt(value);
        backend.nodeOf({ dataId: value, shape, dtype }); // leaves 0, 1, … are the inputs
        return [key, tf.engine().makeTensorFromDataId(value, shape, dtype)] as const;
      });
      const results = run(Object.fromEntries(placeholders) as unknown as I);
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
          lasting: new Set(sources.flatMap(({ kind }, i) => kind === "input" ? [] : [i])),
        },
      );
      traced = { graph, sources, outputs, updates };
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

/** Binds inputs and variables and runs the program; nothing else may run meanwhile. */
async function call(
  { held, sources, outputs, updates, backend }: Compiled,
  inputs: TensorMap,
): Promise<TensorMap> {
  const owned = updates.map(({ variable }) => ownValue(variable, backend));
  const blocks = sources.map((source) => {
    const value = source.kind === "value"
      ? source.value
      : valueOf(source.kind === "input" ? inputs[source.name] as tf.Tensor : source.variable);
    if (value.node !== null) backend.flush();
    return value.allocate();
  });
  const results = outputs.map(({ shape, dtype }) => new Value(shape, dtype));
  const targets: Memory[] = [...results, ...owned].map((value) => value.allocate());
  for (const { memory } of owned) if (memory !== null) memory.writes++;
  await held.program.run(blocks, targets);
  return Object.fromEntries(outputs.map(({ name, shape, dtype }, i) => {
    const value = results[i] as Value;
    backend.adopt(value);
    return [name, tf.engine().makeTensorFromDataId(value, [...shape], dtype)];
  }));
}

function valueOf(tensor: tf.Tensor): Value {
  const value: object = tensor.dataId;
  if (!(value instanceof Value)) {
    throw new TypeError(
      "Cannot run a compiled call as its tensors must be of the recording backend",
    );
  }
  return value;
}

/** A variable's value, to be written in place: first copied where others share it or it has another shape. */
function ownValue(variable: tf.Variable, backend: RecordingBackend): Value {
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
