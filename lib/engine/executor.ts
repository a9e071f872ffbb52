/**
 * Executors compile and run graphs. Executors know nothing of models, and models nothing of executors.
 * @module
 */
import type { Sizes } from "@/engine/dynamic_dimensions.ts";
import type { Graph } from "@/engine/graph.ts";
import type { Memory } from "@/engine/memory.ts";

/** A compiled graph. Inputs and outputs are blocks of memory in the graph's order. */
export type Program = {
  /** Runs beside the event loop; the blocks must not be touched until the promise settles. */
  run(inputs: readonly Memory[], outputs: readonly Memory[]): Promise<void>;
  /** Runs and blocks. */
  runSync(inputs: readonly Memory[], outputs: readonly Memory[]): void;
  release(): void;
};

/** Runs eager graphs: it must compile at once. */
export type Executor = {
  /** Name and version, for records. */
  readonly name: string;
  readonly version: string;
  readonly threads: number;
  compile(graph: Graph): Program;
};

/** A function's graph at a sample of its free sizes; see `dynamic_dimensions.ts`. */
export type SizedGraph = { readonly graph: Graph; readonly sizes: Sizes };

/** What a function is compiled to for all values of its free sizes. */
export type GenericProgram = {
  /** Makes the program for some sizes, in milliseconds; null where these need one compiled for them. */
  at(sizes: Sizes): (() => Program) | null;
};

/** Runs the graphs of `jit`: compiling may take its time. */
export type TracedExecutor = Omit<Executor, "compile"> & {
  compile(graph: Graph): Program | Promise<Program>;
  /** From the graphs at two samples; null where the function has no form that serves all sizes. */
  compileGeneric?(samples: readonly [SizedGraph, SizedGraph]): Promise<GenericProgram | null>;
};
