/**
 * Results kept as files: a page to read and the figures behind it.
 * @module
 */
import { writeFileAtomic } from "@/files.ts";
import { type BenchContext, formatMarkdown } from "@/bench/format_results.ts";
import type { BenchResult } from "@/bench/statistics.ts";

/** Writes `path.md` and `path.json`; an ending `.md` or `.json` of `path` does not count. */
export async function writePair(
  path: string,
  { markdown, figures }: { readonly markdown: string; readonly figures: unknown },
): Promise<void> {
  const stem = path.replace(/\.(md|json)$/, "");
  await writeFileAtomic(`${stem}.md`, markdown);
  await writeFileAtomic(`${stem}.json`, JSON.stringify(figures, null, 2) + "\n");
}

/** Writes the results of benchmarks by {@link writePair}. */
export async function writeResults(
  path: string,
  results: readonly BenchResult[],
  context: BenchContext,
): Promise<void> {
  const markdown = formatMarkdown(results, context);
  await writePair(path, { markdown, figures: { ...context, results } });
}
