/**
 * Results to read: columns for a terminal, a table for Markdown.
 * @module
 */
import type { Machine } from "@/bench/machine.ts";
import type { BenchResult } from "@/bench/statistics.ts";

/** Where, with what and by which command results were measured. */
export type BenchContext = {
  readonly machine: Machine;
  /** Versions by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly command: string;
};

const HEAD = [
  "benchmark",
  "shape",
  "precision",
  "executor",
  "ours ms (min)",
  "MiB",
  "PyTorch ms (min)",
  "MiB",
  "variant",
  "ratio",
];

/** Columns of numbers, which are aligned to the right. */
const NUMBERS = new Set([4, 5, 6, 7, 9]);

/** Milliseconds with four digits or so: `1431`, `85.3`, `0.214`. */
export function formatMs(ms: number): string {
  return ms.toFixed(ms < 1 ? 3 : ms < 100 ? 1 : 0);
}

function cellsOf(
  { name, shape, precision, executor, ours, torch, ratio }: BenchResult,
): readonly string[] {
  const times = ({ medianMs, minMs }: { medianMs: number; minMs: number }) =>
    `${formatMs(medianMs)} (${formatMs(minMs)})`;
  return [
    name,
    shape,
    precision,
    executor,
    times(ours),
    String(ours.peakMiB),
    torch === null ? "–" : times(torch),
    torch === null ? "–" : String(torch.peakMiB),
    torch?.variant ?? "–",
    ratio === null ? "–" : ratio.toFixed(2),
  ];
}

/** A detail by its name's unit: shares as percents, milliseconds and rates with few digits. */
function formatDetail(name: string, value: number): string {
  if (name.endsWith("Share")) return `${name} ${(100 * value).toFixed(1)} %`;
  return `${name} ${Number.isInteger(value) ? value : Number(value.toPrecision(3))}`;
}

/** The further figures of a result in one line; empty where there are none. */
export function formatDetails({ name, shape, precision, details, torchAll }: BenchResult): string {
  const own = Object.entries(details).map(([key, value]) => formatDetail(key, value));
  const theirs = torchAll.map(({ variant, medianMs, peakMiB, details }) =>
    [
      `PyTorch ${variant}`,
      ...(torchAll.length > 1 ? [`${formatMs(medianMs)} ms ${peakMiB} MiB`] : []), // else in the table
      ...Object.entries(details).map(([key, value]) => formatDetail(key, value)),
    ].join(" ")
  );
  const all = [...own, ...theirs];
  return all.length === 0 ? "" : `${name} ${shape} ${precision}: ${all.join(", ")}`;
}

/** The lines of a context. */
export function formatContext({ machine, versions, threads, command }: BenchContext): string[] {
  const { cpu, cores, memoryGiB, flags } = machine;
  return [
    `machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB${
      flags.length > 0 ? `; ${flags.join(" ")}` : ""
    }`,
    `versions: ${
      Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")
    }`,
    `threads: ${threads} each`,
    `command: ${command}`,
  ];
}

const READING =
  "Times are medians over all rounds, the least in parentheses; MiB is the most memory that a process " +
  "ever held; PyTorch is its fastest variant at the same precision; ratio is ours / PyTorch, below 1 " +
  "where ours is faster.";

/** Results for a terminal. */
export function formatText(results: readonly BenchResult[], context: BenchContext): string {
  const rows = [HEAD, ...results.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((cell, column) =>
      NUMBERS.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
    ).join("  ").trimEnd()
  );
  const details = results.map(formatDetails).filter((line) => line !== "");
  return [...formatContext(context), "", ...lines, "", ...details, "", READING].join("\n");
}

/** Results as a page of Markdown. */
export function formatMarkdown(results: readonly BenchResult[], context: BenchContext): string {
  const escape = (cell: string) => cell.replaceAll("|", "\\|");
  const row = (cells: readonly string[]) => `| ${cells.map(escape).join(" | ")} |`;
  const rule = HEAD.map((_, column) => NUMBERS.has(column) ? "---:" : "---");
  const details = results.map(formatDetails).filter((line) => line !== "");
  return [
    "# Benchmarks",
    formatContext(context).map((line) => `- ${line}`).join("\n"),
    [row(HEAD), row(rule), ...results.map((result) => row(cellsOf(result)))].join("\n"),
    READING,
    details.map((line) => `- ${line}`).join("\n"),
  ].join("\n\n") + "\n";
}
