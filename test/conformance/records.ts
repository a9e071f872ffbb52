/**
 * What a run of TensorFlow.js's tests tells, spec by spec, and sums of it.
 * @module
 */

/** One line of `run_files.ts`. */
export type SpecRecord =
  | {
    readonly kind: "spec";
    readonly file: string;
    readonly name: string;
    /** Kernels that it ran compiled, and those that ran on TensorFlow.js's own. */
    readonly compiled: readonly string[];
    readonly fallback: readonly string[];
    /** Expectations that failed; none where the spec passed. */
    readonly failures: readonly string[];
  }
  /** Left out by `exclusions.ts`; turned off by TensorFlow.js; a suite that asks for another environment. */
  | {
    readonly kind: "excluded" | "pending" | "elsewhere";
    readonly file: string;
    readonly name: string;
  };

/** Specs are counted apart by what they ran. */
export const GROUPS = ["compiled", "fallback", "none"] as const;
export type Group = typeof GROUPS[number];

export type Counts = { readonly passed: number; readonly failed: number };

/** `compiled`: nothing but compiled operations; `fallback`: any other; `none`: no operation at all. */
export function groupOf({ compiled, fallback }: SpecRecord & { kind: "spec" }): Group {
  return fallback.length > 0 ? "fallback" : compiled.length > 0 ? "compiled" : "none";
}

/** Passed and failed specs by group. */
export function countSpecs(records: readonly SpecRecord[]): Record<Group, Counts> {
  const counts = Object.fromEntries(GROUPS.map((group) => [group, { passed: 0, failed: 0 }]));
  for (const record of records) {
    if (record.kind !== "spec") continue;
    const count = counts[groupOf(record)] as { passed: number; failed: number };
    count[record.failures.length === 0 ? "passed" : "failed"]++;
  }
  return counts as Record<Group, Counts>;
}

/** Specs that failed. */
export function failedSpecs(records: readonly SpecRecord[]): (SpecRecord & { kind: "spec" })[] {
  return records.flatMap((record) =>
    record.kind === "spec" && record.failures.length > 0 ? [record] : []
  );
}

/** The kernels of a kind that specs ran, in alphabetical order. */
export function kernelsSeen(records: readonly SpecRecord[], kind: "compiled" | "fallback") {
  const specs = records.filter((record) => record.kind === "spec");
  return [...new Set(specs.flatMap((record) => record[kind]))].sort();
}
