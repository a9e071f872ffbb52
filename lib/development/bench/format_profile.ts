/**
 * Formats the profile of a training step as a table.
 * @module
 */
import type { Limits } from "./measure_limits.ts";
import type { Breakdown } from "./summarize.ts";
import { type KindTotals, STEP_KINDS } from "./step_profile.ts";

/** Column headings. */
export const PROFILE_HEAD = ["pass", "ms", "share", "GFLOP/s", "of peak", "GB/s"] as const;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Peak throughput of matrix products in GFLOP/s at a precision. */
function peakOf({ float32GFlops, bfloat16GFlops }: Limits, precision: string): number {
  return precision === "mixed-bfloat16" ? bfloat16GFlops ?? float32GFlops : float32GFlops;
}

/** Table rows: one per kind of pass, then time outside passes, then the total. */
export function profileCells(
  { stepMs, kinds, dispatchMs, javascriptMs, limits }: Breakdown,
  precision: string,
): readonly (readonly string[])[] {
  const peak = peakOf(limits, precision);
  const row = (name: string, ms: number, ...rates: string[]) =>
    [name, ms.toFixed(1), percent(ms / stepMs), ...rates, "", "", ""].slice(0, PROFILE_HEAD.length);
  const kindRow = ({ kind, ms, flops, bytes }: KindTotals) => {
    const gflops = flops / ms / 1e6, gbytes = (bytes / ms / 1e6).toFixed(1);
    return flops > 0
      ? row(kind, ms, gflops.toFixed(0), percent(gflops / peak), gbytes)
      : row(kind, ms, "", "", gbytes);
  };
  return [
    ...kinds.map(kindRow),
    row("dispatch", dispatchMs),
    row("JavaScript", javascriptMs),
    row("step", stepMs),
  ];
}

/** Describes the machine's limits in one sentence. */
export function formatLimits(
  { float32GFlops, bfloat16GFlops, memoryGBytes, cacheGBytes }: Limits,
): string {
  const half = bfloat16GFlops === null ? "" : `, ${bfloat16GFlops.toFixed(0)} in bfloat16`;
  return `Limits of this machine: matrix products ${
    float32GFlops.toFixed(0)
  } GFLOP/s in float32${half}; bandwidth ` +
    `(two arrays read, one written) ${memoryGBytes.toFixed(0)} GB/s in memory, ` +
    `${cacheGBytes.toFixed(0)} GB/s in cache (12 MiB).`;
}

/** Lists the generated kernels that take longest; empty if the profile names none. */
export function formatLongest({ longest = [] }: Pick<Breakdown, "longest">): readonly string[] {
  const list = longest.map(({ name, ms }) => `${name} ${ms.toFixed(1)} ms`).join(", ");
  return longest.length === 0 ? [] : [`Generated kernels that take longest, per step: ${list}.`];
}

/** Explains the rows, one line each. */
export function explainProfile({ kinds }: Breakdown): readonly string[] {
  return [
    ...kinds.map(({ kind }) => `${kind}: ${STEP_KINDS[kind]}`),
    "dispatch: inside program calls but outside passes; JavaScript: outside program calls",
    "GB/s: values that a pass reads and writes, each counted once",
  ];
}
