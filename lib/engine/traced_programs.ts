/**
 * The programs of `jit`: what compiles them, and those that are held.
 * @module
 */
import type { Precision } from "@/config.ts";
import { castGraph } from "@/engine/autocast.ts";
import type { SizedGraph, TracedExecutor } from "@/engine/executor.ts";
import type { Sizes } from "@/engine/dynamic_dimensions.ts";
import { type Graph, graphKey } from "@/engine/graph.ts";
import { type HeldProgram, HeldPrograms } from "@/engine/program_store.ts";
import { timeRuns } from "@/engine/timing.ts";

/** The programs of a function for all values of its free sizes. */
export type GenericPrograms = {
  /** The program for some sizes, held; null where these need one compiled for them. */
  hold(sizes: Sizes): Promise<HeldProgram | null>;
};

/** See the head of the file. */
export class TracedPrograms {
  #held = new HeldPrograms();

  #executor: TracedExecutor;
  #precision: Precision;

  constructor(executor: TracedExecutor, precision: Precision) {
    this.#executor = executor;
    this.#precision = precision;
  }

  /** From now on programs are compiled by `executor`, their products in `precision`. */
  compileWith(executor: TracedExecutor, precision: Precision): void {
    this.#executor = executor;
    this.#precision = precision;
  }

  /** What programs are compiled with, as a text. */
  get compilerName(): string {
    const { name, version, threads } = this.#executor;
    return `${name} ${version} ${threads} ${this.#precision}`;
  }

  /** Number of programs that are held. */
  get size(): number {
    return this.#held.size;
  }

  /** The program for a graph, kept until it is dropped; equal graphs share one. */
  async compile(graph: Graph): Promise<HeldProgram> {
    const executor = this.#executor;
    const cast = castGraph(graph, this.#precision);
    return await this.#held.hold(
      `${this.compilerName}\n${graphKey(cast)}`,
      async () => timeRuns(await executor.compile(cast)),
    );
  }

  /** Whether functions may be compiled for all values of their free sizes. */
  get isGeneric(): boolean {
    return this.#executor.compileGeneric !== undefined;
  }

  /** The programs of a function from its graphs at two samples; null where no form serves all sizes. */
  async compileGeneric(
    samples: readonly [SizedGraph, SizedGraph],
  ): Promise<GenericPrograms | null> {
    const [one, other] = samples.map(({ graph, sizes }) => ({
      graph: castGraph(graph, this.#precision),
      sizes,
    })) as [SizedGraph, SizedGraph];
    const generic = await this.#executor.compileGeneric?.([one, other]);
    if (generic === undefined || generic === null) return null;
    // Which sample is whose tells sizes of equal graphs apart that are named in another order.
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
