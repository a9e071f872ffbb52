/**
 * Shares of this machine's processors for processes that run beside each other. Programs that divide
 * their work among as many threads as there are processors, and wait for the last of them, lose more by
 * sharing a processor than they gain by running at once; with processors of their own they lose nothing.
 * @module
 */

import { isSystemError } from "@/files.ts";

/** Numbers of processors that a process may run on. */
export type ProcessorShare = readonly number[];

/** The processors that `Cpus_allowed_list` of Linux's `/proc/self/status` names, such as `0-3,8`. */
export function parseProcessors(status: string): ProcessorShare {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1] ?? "";
  return list.split(",").filter((range) => range !== "").flatMap((range) => {
    const [first = NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Deals processors out to at most `count` shares of at least one. */
export function dealProcessors(
  processors: ProcessorShare,
  count: number,
): readonly ProcessorShare[] {
  const shares = Math.min(count, processors.length);
  const start = (share: number) => Math.floor(processors.length * share / shares);
  return Array.from({ length: shares }, (_, i) => processors.slice(start(i), start(i + 1)));
}

/** Whether `taskset` of util-linux is there to keep a process on its share. */
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

/** Shares for `count` processes at once; null where this system cannot keep them apart. */
export async function shareProcessors(count: number): Promise<readonly ProcessorShare[] | null> {
  if (Deno.build.os !== "linux" || !await hasTaskset()) return null;
  const shares = dealProcessors(
    parseProcessors(await Deno.readTextFile("/proc/self/status")),
    count,
  );
  return shares.length === count ? shares : null;
}

/** A command line that keeps to its share. */
export function onShare(
  share: ProcessorShare | null,
  [program, ...args]: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  if (share === null) return [program, ...args];
  return ["taskset", "--cpu-list", share.join(","), program, ...args];
}
