/**
 * Runs one of this project's jobs in the current process.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import { openEngine } from "@/engine/engine.ts";
import type { Job, JobOutcome, Measurement, Work } from "./job.ts";
import { measureEncoding } from "./measure_encode.ts";
import { measureEpoch } from "./measure_epoch.ts";
import { measureLimits } from "./measure_limits.ts";
import { measureOperations } from "./measure_operations.ts";
import { measureSteps } from "./measure_step.ts";
import { readProcessMemory } from "@/system/process_memory.ts";

function measure(work: Work, nowMs: () => number): Promise<readonly Measurement[]> {
  switch (work.kind) {
    case "step":
      return measureSteps(work, nowMs);
    case "encode":
      return measureEncoding(work, nowMs);
    case "epoch":
      return measureEpoch(work, nowMs);
    case "operations":
      return measureOperations(work, nowMs);
    default:
      return assertNever(work, "work");
  }
}

/** Opens the engine with the settings of the job and measures its work. */
export async function runJob({ work, computation }: Job, nowMs: () => number): Promise<JobOutcome> {
  const startMs = nowMs();
  const { device, name, version } = await openEngine(computation);
  const openMs = nowMs() - startMs; // includes compiling the runtime if it is not in the cache
  const found = await measure(work, nowMs);
  const measurements = found.map((each) =>
    each.details.compileMs === undefined ? each : {
      ...each,
      details: { openMs, ...each.details },
    }
  );
  const { peakMiB } = await readProcessMemory();
  const executor = device === "cpu" ? name : version;
  const profiled = measurements.some(({ profile }) => profile !== undefined);
  const limits = profiled ? { limits: await measureLimits(computation, nowMs) } : {};
  return { executor, version, peakMiB, measurements, ...limits };
}
