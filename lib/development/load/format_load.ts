/**
 * Formats the result of a load test.
 * @module
 */
import { type BenchContext, formatContext } from "../bench/format_results.ts";
import type { LoadResult } from "./drive_load.ts";

/** Lines of a result: number of requests, throughput, latency, memory. */
export function formatLoad(result: LoadResult): readonly string[] {
  const { clients, seconds, answers, errors, errorsByReason, latencyMs, residentMiB } = result;
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const reasons = Object.entries(errorsByReason).map(([reason, count]) => `${count} × ${reason}`);
  return [
    `${clients} clients, ${seconds.toFixed(0)} s: ${answers} answers, ${errors} errors${
      reasons.length > 0 ? ` (${reasons.join(", ")})` : ""
    }`,
    `${result.answersPerSecond.toFixed(1)} texts per second`,
    `latency: p50 ${ms(latencyMs.p50)}, p95 ${ms(latencyMs.p95)}, p99 ${ms(latencyMs.p99)}, ` +
    `max ${ms(latencyMs.max)}`,
    residentMiB === null
      ? "resident memory: unknown on this system"
      : `resident memory of the server: ${residentMiB.start} MiB at the start, ` +
        `${residentMiB.middle} in the middle, ${residentMiB.end} at the end`,
  ];
}

/** Formats a result as a Markdown page. */
export function formatLoadPage(
  result: LoadResult,
  { context, subject }: { readonly context: BenchContext; readonly subject: string },
): string {
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");
  return [
    "# Load test of the demo page's server",
    `${subject} Each client sends one text to \`POST /api/predict\` (topic and entities) and sends the next one as ` +
    "soon as it has the response. A warm-up takes a quarter of the time. Clients and server share the machine.",
    list(formatContext(context)),
    list(formatLoad(result)),
  ].join("\n\n") + "\n";
}
