/**
 * Counts the tests in a JUnit report of `deno test --junit-path`.
 * @module
 */

/** Numbers of tests by outcome. */
export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

/** Adds up the counts of several parts. */
export function addCounts(counts: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => counts.reduce((total, count) => total + count[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** Formats the last line of `deno task test`: `12 passed, 0 failed`, plus `, 3 skipped` if there are any. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Counts the test cases of a report, including steps. Regular expressions are sufficient because the report escapes
 * all text from the tests.
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
