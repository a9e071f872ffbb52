/**
 * Writes results to files: a Markdown page and the data behind it as JSON.
 * @module
 */
import { writeFileAtomic } from "@/system/files.ts";
import { type BenchContext, formatMarkdown } from "./format_results.ts";
import type { BenchResult } from "./summarize.ts";

/** Writes `path.md` and `path.json`; a suffix `.md` or `.json` of `path` is ignored. */
export async function writePair(
  path: string,
  { markdown, figures }: { readonly markdown: string; readonly figures: unknown },
): Promise<void> {
  const stem = path.replace(/\.(md|json)$/, "");
  await writeFileAtomic(`${stem}.md`, markdown);
  await writeFileAtomic(`${stem}.json`, JSON.stringify(figures, null, 2) + "\n");
}

/** Writes benchmark results as Markdown and JSON. */
export async function writeResults(
  path: string,
  results: readonly BenchResult[],
  context: BenchContext,
): Promise<void> {
  const markdown = formatMarkdown(results, context);
  await writePair(path, { markdown, figures: { ...context, results } });
}
