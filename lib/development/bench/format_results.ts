/**
 * Formats benchmark results: aligned columns for a terminal, tables for Markdown.
 * @module
 */
import type { Machine } from "@/system/machine.ts";
import {
  explainProfile,
  formatLimits,
  formatLongest,
  PROFILE_HEAD,
  profileCells,
} from "./format_profile.ts";
import type { BenchResult } from "./summarize.ts";

/** Machine, versions, threads and command of a measurement. */
export type BenchContext = {
  readonly machine: Machine;
  /** Version by package name. */
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

/** Indices of right-aligned columns. */
const NUMBERS = new Set([4, 5, 6, 7, 9]);

/** Formats milliseconds with three or four significant digits: `1431`, `85.3`, `0.214`. */
export function formatMs(ms: number): string {
  return ms.toFixed(ms < 1 ? 3 : ms < 100 ? 1 : 0);
}

function cellsOf(
  { name, shape, precision, executor, settings, ours, torch, ratio }: BenchResult,
): readonly string[] {
  const times = ({ medianMs, minMs }: { medianMs: number; minMs: number }) =>
    `${formatMs(medianMs)} (${formatMs(minMs)})`;
  return [
    name,
    shape,
    precision,
    settings === "" ? executor : `${executor}, ${settings}`,
    times(ours),
    String(ours.peakMiB),
    torch === null ? "–" : times(torch),
    torch === null ? "–" : String(torch.peakMiB),
    torch?.variant ?? "–",
    ratio === null ? "–" : ratio.toFixed(2),
  ];
}

/** Formats a detail: a name ending in `Share` as percent, other values with three significant digits. */
function formatDetail(name: string, value: number): string {
  if (name.endsWith("Share")) return `${name} ${(100 * value).toFixed(1)} %`;
  return `${name} ${Number.isInteger(value) ? value : Number(value.toPrecision(3))}`;
}

/** Title of a result: name, shape, precision and settings. */
function titleOf(
  { name, shape, precision, settings }: Pick<
    BenchResult,
    "name" | "shape" | "precision" | "settings"
  >,
): string {
  return [name, shape, precision, settings].filter((part) => part !== "").join(" ");
}

/** Details of a result in one line; empty if there are none. */
export function formatDetails(
  { name, shape, precision, settings, details, torchAll }: BenchResult,
): string {
  const own = Object.entries(details).map(([key, value]) => formatDetail(key, value));
  const theirs = (settings === "" ? torchAll : []).map(({ variant, medianMs, peakMiB, details }) =>
    [
      `PyTorch ${variant}`,
      ...(torchAll.length > 1 ? [`${formatMs(medianMs)} ms ${peakMiB} MiB`] : []), // otherwise the table shows them
      ...Object.entries(details).map(([key, value]) => formatDetail(key, value)),
    ].join(" ")
  );
  const all = [...own, ...theirs];
  return all.length === 0
    ? ""
    : `${titleOf({ name, shape, precision, settings })}: ${all.join(", ")}`;
}

/** Formats a context, one line per item. */
export function formatContext({ machine, versions, threads, command }: BenchContext): string[] {
  const { cpu, cores, memoryGiB, flags } = machine;
  return [
    `machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB${
      flags.length > 0 ? `; ${flags.join(" ")}` : ""
    }`,
    `versions: ${
      Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")
    }`,
    `threads: ${threads} per program`,
    `command: ${command}`,
  ];
}

const READING =
  "Times are medians over all rounds, with the minimum in parentheses. MiB is the peak resident memory of a " +
  "process. The PyTorch columns show its fastest variant at the same precision. The ratio is ours / PyTorch; " +
  "below 1, ours is faster.";

/** Aligns rows of cells in columns. The columns in `numbers` are right-aligned. */
function alignColumns(
  rows: readonly (readonly string[])[],
  numbers: ReadonlySet<number>,
): readonly string[] {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row.map((cell, column) =>
      numbers.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
    ).join("  ").trimEnd()
  );
}

/** Formats rows of cells as a Markdown table; the first row is the header. */
export function formatTable(
  [head = [], ...rows]: readonly (readonly string[])[],
  numbers: ReadonlySet<number>,
): string {
  const escape = (cell: string) => cell.replaceAll("|", "\\|");
  const line = (cells: readonly string[]) => `| ${cells.map(escape).join(" | ")} |`;
  const rule = head.map((_, column) => numbers.has(column) ? "---:" : "---");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** All columns of a profile except the first. */
const PROFILE_NUMBERS = new Set(PROFILE_HEAD.map((_, column) => column).slice(1));

/** Profiles of results, each with title, table rows, limits and explanations. */
function profilesOf(results: readonly BenchResult[]) {
  return results.flatMap((result) => {
    const { profile, precision } = result;
    return profile === undefined ? [] : [{
      title: `Profile of a step: ${titleOf(result)}`,
      rows: [PROFILE_HEAD, ...profileCells(profile, precision)],
      limits: formatLimits(profile.limits),
      longest: formatLongest(profile),
      notes: explainProfile(profile),
    }];
  });
}

/** Formats results for a terminal. */
export function formatText(results: readonly BenchResult[], context: BenchContext): string {
  const lines = alignColumns([HEAD, ...results.map(cellsOf)], NUMBERS);
  const details = results.map(formatDetails).filter((line) => line !== "");
  const profiles = profilesOf(results).flatMap(({ title, rows, limits, longest }) => [
    "",
    title,
    "",
    ...alignColumns(rows, PROFILE_NUMBERS),
    "",
    ...longest,
    limits,
  ]);
  return [...formatContext(context), "", ...lines, "", ...details, "", READING, ...profiles]
    .join("\n");
}

/** Formats results as a Markdown page. */
export function formatMarkdown(results: readonly BenchResult[], context: BenchContext): string {
  const details = results.map(formatDetails).filter((line) => line !== "");
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");
  const profiles = profilesOf(results);
  return [
    "# Benchmarks",
    list(formatContext(context)),
    formatTable([HEAD, ...results.map(cellsOf)], NUMBERS),
    READING,
    list(details),
    ...profiles.flatMap(({ title, rows, limits, longest }) => [
      `## ${title}`,
      formatTable(rows, PROFILE_NUMBERS),
      ...longest,
      limits,
    ]),
    ...profiles.slice(0, 1).map(({ notes }) => list(notes)),
  ].join("\n\n") + "\n";
}
