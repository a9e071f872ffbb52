/**
 * Executors compile and run graphs. Executors know nothing of models, and models nothing of executors.
 * @module
 */
import type { Sizes } from "@/engine/dynamic_dimensions.ts";
import type { GraphNames, ProgramStages } from "@/engine/inspect/stages.ts";
import type { Graph } from "@/engine/graph.ts";
import type { Memory } from "@/engine/memory.ts";

/** A compiled graph. Inputs and outputs are blocks of memory in the graph's order. */
export type Program = {
  /** Runs off the main thread; the blocks must not be accessed until the promise settles. */
  run(inputs: readonly Memory[], outputs: readonly Memory[]): Promise<void>;
  /** Runs and blocks. */
  runSync(inputs: readonly Memory[], outputs: readonly Memory[]): void;
  release(): void;
  /** The stages of its compilation and the times of its runs so far; absent if the executor does not tell. */
  inspect?(names: GraphNames): ProgramStages;
};

/** Runs eager graphs: it must compile at once. */
export type Executor = {
  /** Name and version, for records. */
  readonly name: string;
  readonly version: string;
  readonly threads: number;
  compile(graph: Graph): Program;
};

/** A function's graph at a sample of its dynamic dimensions; see `dynamic_dimensions.ts`. */
export type SizedGraph = { readonly graph: Graph; readonly sizes: Sizes };

/** A function compiled for all values of its dynamic dimensions. */
type GenericProgram = {
  /** Builds the program for some sizes, in milliseconds; null if these sizes need one compiled for them. */
  at(sizes: Sizes): (() => Program) | null;
};

/** Runs the graphs of `jit`; compiling may be asynchronous. */
export type TracedExecutor = Omit<Executor, "compile"> & {
  compile(graph: Graph): Program | Promise<Program>;
  /** Compiles from the graphs at two samples; throws a `NotGenericError` if no form serves all sizes. */
  compileGeneric?(samples: readonly [SizedGraph, SizedGraph]): Promise<GenericProgram>;
};
