/**
 * Where the engine's time goes, for benchmarks: counters that only grow; take differences.
 * @module
 */
import type { Program } from "@/engine/executor.ts";

/** Milliseconds and counts since the process began. */
export type EngineTimes = {
  /** Recording and compiling of `jit` functions. */
  readonly prepareMs: number;
  /** Functions compiled, one a signature. */
  readonly prepared: number;
  /** Inside compiled programs. */
  readonly runMs: number;
  readonly runs: number;
};

const times = { prepareMs: 0, prepared: 0, runMs: 0, runs: 0 };

/** The counters as they stand. */
export function readEngineTimes(): EngineTimes {
  return { ...times };
}

/** Does `prepare` on the time of preparation. */
export async function timePreparation<T>(prepare: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await prepare();
  times.prepareMs += performance.now() - startMs;
  times.prepared++;
  return result;
}

function count(startMs: number): void {
  times.runMs += performance.now() - startMs;
  times.runs++;
}

/** Does `run`, a single operation of a library, counted as a run. */
export function timeRun<T>(run: () => T): T {
  const startMs = performance.now();
  try {
    return run();
  } finally {
    count(startMs);
  }
}

/** `program`, its runs counted. */
export function timeRuns(program: Program): Program {
  return {
    async run(inputs, outputs) {
      const startMs = performance.now();
      await program.run(inputs, outputs);
      count(startMs);
    },
    runSync(inputs, outputs) {
      const startMs = performance.now();
      program.runSync(inputs, outputs);
      count(startMs);
    },
    release: () => program.release(),
  };
}
