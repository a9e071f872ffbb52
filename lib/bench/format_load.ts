/**
 * The result of a load to read.
 * @module
 */
import { type BenchContext, formatContext } from "@/bench/format_results.ts";
import type { LoadResult } from "@/bench/drive_load.ts";

/** Lines of a result: what was asked, how fast it was answered, in how much memory. */
export function formatLoad(result: LoadResult): readonly string[] {
  const { clients, seconds, answers, errors, errorsByReason, latencyMs, residentMiB } = result;
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const reasons = Object.entries(errorsByReason).map(([reason, count]) => `${count} × ${reason}`);
  return [
    `${clients} clients, ${seconds.toFixed(0)} s: ${answers} answers, ${errors} errors${
      reasons.length > 0 ? ` (${reasons.join(", ")})` : ""
    }`,
    `${result.answersPerSecond.toFixed(1)} texts a second`,
    `latency: p50 ${ms(latencyMs.p50)}, p95 ${ms(latencyMs.p95)}, p99 ${ms(latencyMs.p99)}, ` +
    `most ${ms(latencyMs.max)}`,
    residentMiB === null
      ? "resident memory: not known on this system"
      : `resident memory of the server: ${residentMiB.start} MiB at the start, ` +
        `${residentMiB.middle} in the middle, ${residentMiB.end} at the end`,
  ];
}

/** A result as a page of Markdown. */
export function formatLoadPage(
  result: LoadResult,
  { context, subject }: { readonly context: BenchContext; readonly subject: string },
): string {
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");
  return [
    "# Load on the demo page's server",
    `${subject} Each client asks \`POST /api/predict\` with one text (topic and entities) and asks again as ` +
    "soon as it is answered, after a warm-up of a quarter of the time; clients and server share the machine.",
    list(formatContext(context)),
    list(formatLoad(result)),
  ].join("\n\n") + "\n";
}
