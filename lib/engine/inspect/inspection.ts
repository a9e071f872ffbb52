/**
 * Inspection of `jit` functions: a listener gets every program when it has been compiled, and can ask for its stages
 * and times. Without a listener nothing is kept for it.
 * @module
 */
import { castGraph } from "@/engine/autocast.ts";
import type { Program } from "@/engine/executor.ts";
import { type Fallback, listFallbacks } from "@/engine/fallbacks.ts";
import type { Graph } from "@/engine/graph.ts";
import {
  type GraphNames,
  type GraphStage,
  listGraph,
  type ProgramStages,
} from "@/engine/inspect/stages.ts";
import type { Precision } from "@/engine/options.ts";
import type { Traced } from "@/engine/trace.ts";

/** Values of dynamic dimensions by name. */
export type NamedSizes = { readonly [dimension: string]: number };

/** The compiler of a program. */
export type Compiler = {
  readonly executor: string;
  readonly version: string;
  readonly threads: number;
  readonly precision: Precision;
};

/** A compiled function at every stage. */
export type Inspection = Compiler & Omit<ProgramStages, "graphs"> & {
  readonly name: string;
  /** The dynamic dimensions of the call, and those at which the graphs were traced; null without any. */
  readonly sizes: { readonly called: NamedSizes; readonly traced: NamedSizes } | null;
  /** The graph as recorded, and after each pass. */
  readonly graphs: readonly GraphStage[];
  /** All fallbacks of the process so far. */
  readonly fallbacks: readonly Fallback[];
};

/** A program of a function, with what its compilation started from. */
export type CompiledFunction = {
  readonly name: string;
  readonly traced: Traced;
  readonly compiler: Compiler;
  readonly sizes: Inspection["sizes"];
  readonly program: Program;
};

/** A function that was compiled; `inspect` gives its stages, with the times of all runs so far. */
export type InspectableFunction = Pick<Inspection, "name" | "sizes"> & {
  readonly inspect: () => Inspection;
};

/** Receives each program of a function when it has been compiled. */
export type ProgramListener = (compiled: InspectableFunction) => void;
const listeners = new Set<ProgramListener>();

/** Calls `listen` after each compilation of a `jit` function from now on, until the returned function is called. */
export function onProgram(listen: ProgramListener): () => void {
  listeners.add(listen);
  return () => void listeners.delete(listen);
}

/** True if there is a listener, for which tracing keeps what it would discard. */
export function isInspecting(): boolean {
  return listeners.size > 0;
}

/** Calls the listeners of {@link onProgram}. */
export function tellProgram(compiled: CompiledFunction): void {
  const { name, sizes } = compiled;
  for (const listen of listeners) {
    listen({ name, sizes, inspect: () => inspectFunction(compiled) });
  }
}

function inspectFunction(
  { name, traced, compiler, sizes, program }: CompiledFunction,
): Inspection {
  const { graph, recorded } = traced;
  const names = namesOf(traced);
  const list = (graph: Pick<Graph, "nodes" | "inputs" | "outputs">, name: string, title: string) =>
    listGraph(graph, names, { name, title });
  const { graphs, ...stages } = program.inspect?.(names) ?? NOTHING;
  return {
    ...{ name, ...compiler, sizes, ...stages, fallbacks: listFallbacks() },
    graphs: [
      list(
        { ...graph, nodes: recorded ?? graph.nodes },
        "traced",
        "Every operation that the function called, with constants folded and equal nodes merged",
      ),
      list(graph, "dead-code", "Only nodes that the outputs need"),
      list(
        castGraph(graph, compiler.precision),
        "autocast",
        "Operands of matrix products rounded for mixed precision",
      ),
      ...graphs,
    ],
  };
}

/** An executor that tells nothing. */
const NOTHING: ProgramStages = {
  ...{
    graphs: [],
    groups: [],
    kernels: [],
    instructions: [],
    operators: [],
    memory: null,
    runs: 0,
  },
};

/** Names of inputs and outputs: those of the function, and of the variables that it reads and assigns. */
function namesOf({ sources, outputs, updates }: Traced): GraphNames {
  let values = 0;
  const inputs = sources.map((source) => {
    switch (source.kind) {
      case "input":
        return source.name;
      case "variable":
        return nameOf(source.variable);
      case "value":
        return `value ${values++}`;
    }
  });
  return {
    inputs,
    outputs: [
      ...outputs.map(({ name }) => name),
      ...updates.map(({ variable }) => nameOf(variable)),
    ],
  };
}

/** A variable's name; TensorFlow.js numbers variables that were not named. */
function nameOf({ name }: { readonly name: string }): string {
  return /^\d+$/.test(name) ? `variable ${name}` : name;
}
