/**
 * How much memory this process has taken, as Linux tells it.
 * @module
 */

/** In MiB. */
export type ProcessMemory = {
  /** Most that was ever resident; what is now, where the system does not say. */
  readonly peakMiB: number;
  /** Most addresses that were ever reserved; null where the system does not say. */
  readonly reservedMiB: number | null;
};

/** Memory of this process. */
export async function readProcessMemory(): Promise<ProcessMemory> {
  let status = "";
  try {
    status = await Deno.readTextFile("/proc/self/status");
  } catch { /* not Linux */ }
  const read = (name: string) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    return found === undefined ? null : Number(found) / 1024;
  };
  return {
    peakMiB: read("VmHWM") ?? Deno.memoryUsage().rss / 2 ** 20,
    reservedMiB: read("VmPeak"),
  };
}
