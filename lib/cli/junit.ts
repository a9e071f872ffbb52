/**
 * The counts of a JUnit report as `deno test --junit-path` writes it.
 * @module
 */

/** Tests by outcome. */
export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

/** The counts of all parts together. */
export function addCounts(counts: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => counts.reduce((total, count) => total + count[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** The line that ends `deno task test`: `12 passed, 0 failed`, and `, 3 skipped` where there are any. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Counts the test cases of a report, steps of tests included. A test's own text is escaped in the
 * report, so its elements can be told by their names.
 */
export function countTests(report: string): Counts {
  let passed = 0, failed = 0, skipped = 0;
  for (const [, inside = ""] of report.matchAll(/<testcase\b[^>]*?(?:\/>|>([^]*?)<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(inside)) failed++;
    else if (/<skipped\b/.test(inside)) skipped++;
    else passed++;
  }
  return { passed, failed, skipped };
}
