/**
 * Partitions the processors of this machine among concurrent processes. A program that splits its work over one thread
 * per processor and waits for the slowest of them loses much time if other programs use the same processors. With
 * disjoint processor sets, programs do not disturb each other.
 * @module
 */

import { isSystemError } from "@/engine/system.ts";

/** Numbers of the processors that a process may use. */
export type ProcessorSet = readonly number[];

/** Parses `Cpus_allowed_list` in Linux's `/proc/self/status`, such as `0-3,8`. */
export function parseProcessors(status: string): ProcessorSet {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1] ?? "";
  return list.split(",").filter((range) => range !== "").flatMap((range) => {
    const [first = NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Splits processors into `count` sets, or into one set per processor if there are fewer processors. */
export function splitProcessors(
  processors: ProcessorSet,
  count: number,
): readonly ProcessorSet[] {
  const sets = Math.min(count, processors.length);
  const start = (set: number) => Math.floor(processors.length * set / sets);
  return Array.from({ length: sets }, (_, i) => processors.slice(start(i), start(i + 1)));
}

/** True if `taskset` of util-linux is installed, which pins a process to its processors. */
async function hasTaskset(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("taskset", {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** Partitions the processors into `count` sets; null if this system cannot pin processes or has too few processors. */
export async function partitionProcessors(count: number): Promise<readonly ProcessorSet[] | null> {
  if (Deno.build.os !== "linux" || !await hasTaskset()) return null;
  const sets = splitProcessors(
    parseProcessors(await Deno.readTextFile("/proc/self/status")),
    count,
  );
  return sets.length === count ? sets : null;
}

/** Command line that runs a program on a processor set; null for all processors. */
export function pinnedCommand(
  set: ProcessorSet | null,
  [program, ...args]: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  if (set === null) return [program, ...args];
  return ["taskset", "--cpu-list", set.join(","), program, ...args];
}
