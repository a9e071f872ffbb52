/**
 * The programs of `jit`: their executor, and the programs that are in use.
 * @module
 */
import type { Precision } from "@/engine/options.ts";
import { castGraph } from "@/engine/autocast.ts";
import type { SizedGraph, TracedExecutor } from "@/engine/executor.ts";
import type { Sizes } from "@/engine/dynamic_dimensions.ts";
import { type Graph, graphKey } from "@/engine/graph.ts";
import { type HeldProgram, HeldPrograms } from "@/engine/program_store.ts";
import type { Compiler } from "@/engine/inspect/inspection.ts";
import { timeRuns } from "@/engine/timing.ts";

/** The programs of a function for all values of its dynamic dimensions. */
export type GenericPrograms = {
  /** The program for some sizes, retained; null if these sizes need one of their own. */
  hold(sizes: Sizes): Promise<HeldProgram | null>;
};

/** Compiles the graphs of `jit` and retains the programs. */
export class TracedPrograms {
  #held = new HeldPrograms();

  #executor: TracedExecutor;
  #precision: Precision;

  constructor(executor: TracedExecutor, precision: Precision) {
    this.#executor = executor;
    this.#precision = precision;
  }

  /** Sets the executor and the precision of matrix products for programs compiled from now on. */
  compileWith(executor: TracedExecutor, precision: Precision): void {
    this.#executor = executor;
    this.#precision = precision;
  }

  /** The executor and the precision of programs compiled from now on. */
  get compiler(): Compiler {
    const { name, version, threads } = this.#executor;
    return { executor: name, version, threads, precision: this.#precision };
  }

  /** The executor, its version, threads and precision as one string. */
  get compilerName(): string {
    const { name, version, threads } = this.#executor;
    return `${name} ${version} ${threads} ${this.#precision}`;
  }

  /** Number of programs that are retained. */
  get size(): number {
    return this.#held.size;
  }

  /** The program for a graph, retained until it is released; equal graphs share one. */
  async compile(graph: Graph): Promise<HeldProgram> {
    const executor = this.#executor;
    const cast = castGraph(graph, this.#precision);
    return await this.#held.hold(
      `${this.compilerName}\n${graphKey(cast)}`,
      async () => timeRuns(await executor.compile(cast)),
    );
  }

  /** True if the executor can compile a function for all values of its dynamic dimensions. */
  get isGeneric(): boolean {
    return this.#executor.compileGeneric !== undefined;
  }

  /** The programs of a function from its graphs at two samples; throws a `NotGenericError` if no form serves all sizes. */
  async compileGeneric(samples: readonly [SizedGraph, SizedGraph]): Promise<GenericPrograms> {
    const [one, other] = samples.map(({ graph, sizes }) => ({
      graph: castGraph(graph, this.#precision),
      sizes,
    })) as [SizedGraph, SizedGraph];
    const generic = await this.#executor.compileGeneric?.([one, other]);
    if (generic === undefined) {
      throw new Error("internal: the executor compiles single shapes only");
    }
    // The order of the samples distinguishes equal graphs whose dimensions are named in another order.
    const key = [
      this.compilerName,
      ...[one, other].map(({ graph, sizes }) => `${graphKey(graph)} at ${sizes}`),
    ].join("\n");
    return {
      hold: async (sizes) => {
        const build = generic.at(sizes);
        if (build === null) return null;
        return await this.#held.hold(
          `${key}\n${sizes}`,
          () => Promise.resolve(timeRuns(build())),
        );
      },
    };
  }
}
