/**
 * Memory usage of processes as reported by Linux, and a forced garbage collection of JavaScript's heap.
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isSystemError } from "@/engine/system.ts";

/** Memory usage of a process. */
export type ProcessMemory = {
  /** Peak resident memory; the current value if the system does not report the peak. */
  readonly peakMiB: number;
  /** Peak size of the address space; null if the system does not report it. */
  readonly reservedMiB: number | null;
};

/** Returns a reader of the values in /proc/<process>/status, in MiB; `process` is a process ID or `self`. */
async function openStatus(process: number | "self"): Promise<(name: string) => number | null> {
  let status = "";
  try {
    status = await Deno.readTextFile(`/proc/${process}/status`);
  } catch (error) {
    if (!isSystemError(error)) throw error; // not Linux, or the process has ended
  }
  return (name) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    return found === undefined ? null : Number(found) / 1024;
  };
}

/** Memory usage of this process. */
export async function readProcessMemory(): Promise<ProcessMemory> {
  const read = await openStatus("self");
  return {
    peakMiB: read("VmHWM") ?? Deno.memoryUsage().rss / 2 ** 20,
    reservedMiB: read("VmPeak"),
  };
}

/** Resident memory of another process in MiB; null if the system does not report it. */
export async function readResidentMiB(process: number): Promise<number | null> {
  return (await openStatus(process))("VmRSS");
}

/** Returns V8's full garbage collection, which frees unreachable objects immediately. */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
