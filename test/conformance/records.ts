/**
 * Records of a run of TensorFlow.js's tests, one for each spec, and their counts.
 * @module
 */

/** One line of `run_files.ts`. */
export type SpecRecord =
  | {
    readonly kind: "spec";
    readonly file: string;
    readonly name: string;
    /** Kernels that ran compiled, and those that ran on TensorFlow.js's own backend. */
    readonly compiled: readonly string[];
    readonly fallback: readonly string[];
    /** Failed expectations; empty if the spec passed. */
    readonly failures: readonly string[];
  }
  /** Excluded by `exclusions.ts`, disabled by TensorFlow.js, or in a suite for another environment. */
  | {
    readonly kind: "excluded" | "pending" | "elsewhere";
    readonly file: string;
    readonly name: string;
  };

/** Groups of specs by the kernels that they ran. */
export const GROUPS = ["compiled", "fallback", "none"] as const;
export type Group = typeof GROUPS[number];

export type Counts = { readonly passed: number; readonly failed: number };

/** `compiled`: compiled operations only; `fallback`: any other operation; `none`: no operation. */
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

/** Names of the kernels of a kind that specs ran, sorted. */
export function kernelsSeen(records: readonly SpecRecord[], kind: "compiled" | "fallback") {
  const specs = records.filter((record) => record.kind === "spec");
  return [...new Set(specs.flatMap((record) => record[kind]))].sort();
}
