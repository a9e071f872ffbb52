/**
 * Results kept as files: a page to read and the figures behind it.
 * @module
 */
import { writeFileAtomic } from "@/files.ts";
import { type BenchContext, formatMarkdown } from "@/bench/format_results.ts";
import type { BenchResult } from "@/bench/statistics.ts";

/** Writes `path.md` and `path.json`; an ending `.md` or `.json` of `path` does not count. */
export async function writeResults(
  path: string,
  results: readonly BenchResult[],
  context: BenchContext,
): Promise<void> {
  const stem = path.replace(/\.(md|json)$/, "");
  await writeFileAtomic(`${stem}.md`, formatMarkdown(results, context));
  await writeFileAtomic(`${stem}.json`, JSON.stringify({ ...context, results }, null, 2) + "\n");
}
