/**
 * `deno task compare`: compares two runs by the paired bootstrap.
 * @module
 */
import { compareRuns, type Comparison } from "@/eval/compare_runs.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./run_task.ts";

const OPTIONS = {
  json: {
    type: "boolean",
    help: "print one JSON object per line, with fractions instead of percentages",
  },
} as const satisfies Options;

const NAMES: Readonly<Record<Comparison["measure"], string>> = {
  accuracy: "accuracy",
  macroF1: "macro-F1",
  f1: "F1",
  strictF1: "strict F1",
};

/** Formats comparisons in columns, in percentage points. */
export function formatComparisons(comparisons: readonly Comparison[]): string[] {
  const points = (share: number) => (100 * share).toFixed(2);
  const signed = (share: number) => `${share < 0 ? "" : "+"}${points(share)}`;
  const cells = comparisons.map(({ task, split, measure, rows, ...found }) => [
    task,
    split,
    NAMES[measure],
    `${points(found.first)} → ${points(found.second)}`,
    signed(found.difference),
    `(${found.interval.map(signed).join(" to ")})`,
    `p = ${found.pValue < 0.001 ? found.pValue.toExponential(0) : found.pValue.toFixed(3)}`,
    `${rows} rows`,
  ]);
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length))
  );
  return cells.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}

/** The task `compare`. */
export const COMPARE = {
  name: "compare",
  summary:
    "Compares two runs on the rows that both have predictions for. Prints the difference second − first in\n" +
    "percentage points, with its 95 % confidence interval and two-sided p-value (paired bootstrap).",
  usage: "RUN RUN [--json]",
  options: OPTIONS,
  positionals: { names: ["RUN", "second RUN"], min: 2, max: 2 },
  async run({ values: { json }, positionals: [first = "", second = ""] }) {
    const { comparisons, notes } = await compareRuns(first, second);
    for (const note of notes) console.error(note);
    const lines = json
      ? comparisons.map((each) => JSON.stringify(each))
      : formatComparisons(comparisons);
    for (const line of lines) console.log(line);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(COMPARE);
