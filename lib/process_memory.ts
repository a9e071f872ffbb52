/**
 * How much memory a process has taken, as Linux tells it, and how to have JavaScript's heap give back what
 * it does not need.
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isSystemError } from "@/files.ts";

/** In MiB. */
export type ProcessMemory = {
  /** Most that was ever resident; what is now, where the system does not say. */
  readonly peakMiB: number;
  /** Most addresses that were ever reserved; null where the system does not say. */
  readonly reservedMiB: number | null;
};

/** Reads figures in MiB from what Linux says of a process: its number, or `self`. */
async function openStatus(process: number | "self"): Promise<(name: string) => number | null> {
  let status = "";
  try {
    status = await Deno.readTextFile(`/proc/${process}/status`);
  } catch (error) {
    if (!isSystemError(error)) throw error; // not Linux, or the process is gone
  }
  return (name) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    return found === undefined ? null : Number(found) / 1024;
  };
}

/** Memory of this process. */
export async function readProcessMemory(): Promise<ProcessMemory> {
  const read = await openStatus("self");
  return {
    peakMiB: read("VmHWM") ?? Deno.memoryUsage().rss / 2 ** 20,
    reservedMiB: read("VmPeak"),
  };
}

/** MiB of another process that are resident now; null where the system does not say. */
export async function readResidentMiB(process: number): Promise<number | null> {
  return (await openStatus(process))("VmRSS");
}

/** V8's full collection: until then JavaScript's heap may hold what nobody can reach any more. */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
