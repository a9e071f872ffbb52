/**
 * `jit(name, f)`: records what `f` does once per input signature and afterwards only binds new inputs.
 *
 * Inside `f`, `tf.Variable`s are read as they stand at each call, and `variable.assign(…)` updates
 * them in place when the call runs. Tensors from outside stand for themselves; tensors that `f` makes
 * from numbers are constants of the program. On a backend that does not record, `f` simply runs.
 *
 * Where `f` says which sizes of its inputs are free, it is recorded once for all their values, by executors
 * that can: see `dynamic_dimensions.ts`. It is called at two samples of them then, or more, and what it does must
 * follow from sizes as products of them alone: it must not decide by them. Where the engine finds that a call
 * needs more (a slice that is longer than the axis, say), that call is recorded at its own sizes.
 * @module
 */
import { setImmediate } from "node:timers";
import * as tf from "@tensorflow/tfjs";
import { RecordingBackend } from "@/engine/backend.ts";
import { type DynamicDimensions, solveSizes } from "@/engine/dynamic_dimensions.ts";
import type { Memory } from "@/engine/memory.ts";
import type { HeldProgram } from "@/engine/program_store.ts";
import { type GenericFunction, recordGeneric } from "@/engine/record_generic.ts";
import { timePreparation } from "@/engine/timing.ts";
import {
  ownValue,
  releaseSources,
  type TensorMap,
  trace,
  type Traced,
  type TracedFunction,
  valueOf,
} from "@/engine/trace.ts";
import { Value } from "@/engine/value.ts";

export type { TensorMap } from "@/engine/trace.ts";

/** A function from tensors to tensors; inputs stay the caller's, outputs become the caller's. */
export type Jitted<I extends TensorMap, O extends TensorMap> = {
  (inputs: I): Promise<O>;
  /** Lets go of what was compiled, and of tensors from outside; a later call compiles anew. */
  release(): void;
};

/** What is known of a function beside what it does. */
export type JitOptions = {
  /** Sizes of its inputs that differ from call to call; left out: a program for each shape. */
  readonly dynamic?: DynamicDimensions;
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

type Compiled = Pick<Traced, "sources" | "outputs" | "updates"> & {
  readonly held: HeldProgram;
  readonly backend: RecordingBackend;
};

/** What a function has been compiled to. */
type Known = {
  /** Programs by the signature of their inputs. */
  readonly programs: Map<string, Compiled>;
  /** Forms for all free sizes by what else the inputs are; null: there is none. */
  readonly generic: Map<string, GenericFunction | null>;
  /** What to let go of. */
  readonly recordings: Set<Pick<Compiled, "sources" | "backend">>;
};

/** What functions that nobody can call any more have compiled is released like the rest of them. */
const forgotten = new FinalizationRegistry(releaseAll);

/** See the head of the file. `name` appears in errors and progress. */
export function jit<I extends TensorMap, O extends TensorMap>(
  name: string,
  run: (inputs: I) => O,
  options: JitOptions = {},
): Jitted<I, O> {
  const known: Known = { programs: new Map(), generic: new Map(), recordings: new Set() };
  const jitted = async (inputs: I): Promise<O> => {
    const backend = tf.backend();
    if (!(backend instanceof RecordingBackend)) {
      await nextTurn();
      return tf.tidy(name, () => run(inputs) as unknown as tf.TensorContainer) as unknown as O;
    }
    return await backend.hold(async () => {
      backend.flush();
      const shapes = describeInputs(inputs, {});
      const signature = `${backend.traced.compilerName};${shapes}`;
      let compiled = known.programs.get(signature);
      if (compiled === undefined) {
        compiled = await timePreparation(() =>
          prepare(name, run, { inputs, backend, known, ...options })
        );
        known.programs.set(signature, compiled);
      }
      return await call(compiled, inputs) as O;
    });
  };
  const released = Object.assign(jitted, { release: () => releaseAll(known) });
  forgotten.register(released, known);
  return released;
}

/** Types and shapes of inputs; of those with free axes the number of axes. */
function describeInputs(inputs: TensorMap, axes: DynamicDimensions["axes"]): string {
  return Object.entries(inputs)
    .map(([key, { dtype, shape }]) => `${key} ${dtype} ${axes[key] ? shape.length : shape}`)
    .join(";");
}

/** The program for inputs like these: of the form for all sizes where there is one, else of its own. */
async function prepare(
  name: string,
  run: TracedFunction,
  { inputs, backend, known, dynamic }: JitOptions & {
    readonly inputs: TensorMap;
    readonly backend: RecordingBackend;
    readonly known: Known;
  },
): Promise<Compiled> {
  const tensors = new Map(Object.entries(inputs));
  if (dynamic !== undefined && backend.traced.isGeneric) {
    const sizes = solveSizes(
      dynamic,
      new Map([...tensors].map(([key, { shape }]) => [key, shape])),
    );
    const signature = `${backend.traced.compilerName};${describeInputs(inputs, dynamic.axes)}`;
    let generic = known.generic.get(signature);
    if (generic === undefined) {
      listener(name);
      generic = await recordGeneric(name, run, { inputs: tensors, dynamic, backend });
      known.generic.set(signature, generic);
      if (generic !== null) known.recordings.add({ sources: generic.sources, backend });
    }
    const held = generic?.servesAt(sizes) ? await generic.programs.hold(sizes) : null;
    if (generic && held) {
      const { sources, updates } = generic;
      return { sources, updates, outputs: generic.outputsAt(sizes), held, backend };
    }
  }
  listener(name);
  const { graph, ...bindings } = trace(name, run, tensors, backend);
  known.recordings.add({ sources: bindings.sources, backend });
  return { ...bindings, held: await backend.traced.compile(graph), backend };
}

/** Lets go of all that a function has compiled, in place. */
function releaseAll({ programs, generic, recordings }: Known): void {
  for (const { held } of programs.values()) held.drop();
  for (const { sources, backend } of recordings) releaseSources(sources, backend);
  programs.clear();
  generic.clear();
  recordings.clear();
}

/** Lets what waits for its turn have it: without a program to wait for, nothing else would in a long loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
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
