/**
 * Time spent in the engine, for benchmarks: counters that only grow; take differences.
 * @module
 */
import type { Program } from "@/engine/executor.ts";

/** Milliseconds and counts since the process began. */
type EngineTimes = {
  /** Tracing and compiling of `jit` functions. */
  readonly prepareMs: number;
  /** Number of functions compiled, one for each signature. */
  readonly prepared: number;
  /** Running compiled programs. */
  readonly runMs: number;
  readonly runs: number;
};

const times = { prepareMs: 0, prepared: 0, runMs: 0, runs: 0 };

/** The counters at this moment. */
export function readEngineTimes(): EngineTimes {
  return { ...times };
}

/** Runs `prepare` and adds its time to the preparation time. */
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

/** Runs `run`, a single operation of a library, and counts it as a program. */
export function timeRun<T>(run: () => T): T {
  const startMs = performance.now();
  try {
    return run();
  } finally {
    count(startMs);
  }
}

/** `program` with its runs timed. */
export function timeRuns(program: Program): Program {
  return {
    ...program,
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
  };
}
