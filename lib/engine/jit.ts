/**
 * `jit(name, f)`: traces `f` once per input signature and afterwards only binds new inputs.
 *
 * Inside `f`, `tf.Variable`s have the value that they have at each call, and `variable.assign(…)` updates them
 * in place when the call runs. Tensors from outside are inputs; tensors that `f` creates from numbers are
 * constants of the program. On a backend that does not record, `f` simply runs.
 *
 * If `f` declares dynamic dimensions, executors that can compile it once for all their values; see
 * `dynamic_dimensions.ts`. `f` is then called at two or more samples of them, and must not make decisions that
 * depend on a size. A call that needs more (a slice longer than the axis, for example) is traced at its own
 * sizes.
 * @module
 */
import { setImmediate } from "node:timers";
import * as tf from "@tensorflow/tfjs";
import { RecordingBackend } from "@/engine/backend.ts";
import {
  type DynamicDimensions,
  namesOf,
  type Sizes,
  solveSizes,
} from "@/engine/dynamic_dimensions.ts";
import { type Inspection, isInspecting, tellProgram } from "@/engine/inspect/inspection.ts";
import { recordFallback } from "./fallbacks.ts";
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

/** A function from tensors to tensors. The caller keeps its inputs and owns the outputs. */
export type Jitted<I extends TensorMap, O extends TensorMap> = {
  (inputs: I): Promise<O>;
  /** Releases the programs, and the tensors from outside; a later call compiles again. */
  release(): void;
};

/** Options of {@link jit}. */
export type JitOptions = {
  /** Dimensions of the inputs that differ from call to call; left out: one program for each shape. */
  readonly dynamic?: DynamicDimensions;
};

/** Receives the name of each program before it is compiled, which takes about a second, and of the runtime. */
export type CompileListener = (name: string) => void;
let listener: CompileListener = () => {};

/** Calls `listen` before each compilation. */
export function onCompile(listen: CompileListener): void {
  listener = listen;
}

/** Calls the listener of {@link onCompile}. */
export function tellCompile(name: string): void {
  listener(name);
}

type Compiled = Pick<Traced, "sources" | "outputs" | "updates"> & {
  readonly held: HeldProgram;
  readonly backend: RecordingBackend;
};

/** The compiled forms of a function. */
type Known = {
  /** Programs by the signature of their inputs. */
  readonly programs: Map<string, Compiled>;
  /** Generic forms by the signature of the static inputs; null: there is none. */
  readonly generic: Map<string, GenericFunction | null>;
  /** Traces to release. */
  readonly recordings: Set<Pick<Compiled, "sources" | "backend">>;
};

/** Releases the programs of functions that have been garbage collected. */
const forgotten = new FinalizationRegistry(releaseAll);

/** Compiles `f`; see the head of the file. `name` appears in errors and progress. */
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

/** Signature of inputs: types and shapes, or the number of axes if these are dynamic. */
function describeInputs(inputs: TensorMap, axes: DynamicDimensions["axes"]): string {
  return Object.entries(inputs)
    .map(([key, { dtype, shape }]) => `${key} ${dtype} ${axes[key] ? shape.length : shape}`)
    .join(";");
}

/** The program for inputs of these shapes: from the generic form if there is one, else traced at these shapes. */
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
  const { compiler } = backend.traced;
  const tell = (traced: Traced, { program }: HeldProgram, sizes: Inspection["sizes"]) =>
    tellProgram({ name, traced, compiler, sizes, program });
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
    const isServed = generic?.servesAt(sizes);
    const held = isServed ? await generic?.programs.hold(sizes) : null;
    if (generic && !held) {
      const reason = isServed
        ? "a size is 0, or its memory cannot be laid out at the sizes of a call"
        : "the sizes of a call exceed a limit, or break an assumption of tracing such as a slice that fits";
      recordFallback({ subject: name, to: "a program for the shapes of that call", reason });
    }
    if (generic && held) {
      if (generic.sample !== null) {
        const { traced, sizes: sampled } = generic.sample;
        const named = (sizes: Sizes) =>
          Object.fromEntries(namesOf(dynamic).map((name, i) => [name, sizes[i] as number]));
        tell(traced, held, { called: named(sizes), traced: named(sampled) });
      }
      const { sources, updates } = generic;
      return { sources, updates, outputs: generic.outputsAt(sizes), held, backend };
    }
  }
  listener(name);
  const traced = trace(name, run, tensors, backend);
  const { sources, outputs, updates } = traced;
  known.recordings.add({ sources, backend });
  const held = await backend.traced.compile(traced.graph);
  if (isInspecting()) tell(traced, held, null);
  return { sources, outputs, updates, held, backend };
}

/** Releases everything that a function has compiled, in place. */
function releaseAll({ programs, generic, recordings }: Known): void {
  for (const { held } of programs.values()) held.drop();
  for (const { sources, backend } of recordings) releaseSources(sources, backend);
  programs.clear();
  generic.clear();
  recordings.clear();
}

/** Yields to the event loop: in a long loop without a program to wait for, nothing else would run. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Binds inputs and variables and runs the program; no other program may run meanwhile. */
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
