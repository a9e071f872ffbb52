/**
 * Overview page of all committed benchmarks: one table per benchmark with one row per machine and precision,
 * each linked to its own page. Generated from the JSON files alone.
 * @module
 */
import { join } from "node:path";
import { BENCHMARKS, type BenchName } from "./benchmarks.ts";
import type { LoadResult } from "../load/drive_load.ts";
import { type BenchContext, formatMs, formatTable } from "./format_results.ts";
import type { BenchResult } from "./summarize.ts";
import { isObject } from "@/schema.ts";
import { isFolder, readJson, writeFileAtomic } from "@/system/files.ts";

/** A JSON file of benchmark results, as written by `writeResults`. */
type ResultsFile = BenchContext & {
  readonly stem: string;
  readonly results: readonly BenchResult[];
};

/** A JSON file of a load test, as written by `deno task load`. */
type LoadFile = BenchContext & { readonly stem: string; readonly result: LoadResult };

const HEAD = [
  "machine",
  "shape",
  "precision",
  "executor",
  "ours, ms",
  "MiB",
  "PyTorch, ms",
  "MiB",
  "variant",
  "ratio",
  "page",
];
const NUMBERS = new Set([4, 5, 6, 7, 9]);

const LOAD_HEAD = [
  "machine",
  "clients",
  "seconds",
  "texts/s",
  "p50, ms",
  "p95, ms",
  "p99, ms",
  "errors",
  "MiB at start",
  "MiB at end",
  "page",
];
const LOAD_NUMBERS = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]);

const INTRODUCTION =
  "`deno task report` builds this page from the JSON files beside it; `deno task bench NAME --out FILE` makes " +
  "one. Times are medians over all rounds, in milliseconds. MiB is the largest resident memory of a process. " +
  "PyTorch is the fastest of its variants, eager and compiled, at the same precision, measured in the same run " +
  "with the processes in turn. The ratio is ours / PyTorch: below 1, ours is faster. Results without PyTorch " +
  "compare executors or say where the time goes. The linked pages give rounds, versions and commands; " +
  "[notes](notes.md) explain the figures.";

const linkTo = (stem: string) => `[${stem}](${stem}.md)`;

function machineOf({ machine: { cpu, cores } }: BenchContext): string {
  return `${cpu}, ${cores} cores`;
}

function rowOf(file: ResultsFile, result: BenchResult): readonly string[] {
  const { shape, precision, executor, settings, ours, torch, ratio } = result;
  const named = settings === "" ? executor : `${executor}, ${settings}`;
  return [
    machineOf(file),
    shape,
    precision,
    named,
    formatMs(ours.medianMs),
    String(ours.peakMiB),
    torch === null ? "–" : formatMs(torch.medianMs),
    torch === null ? "–" : String(torch.peakMiB),
    torch?.variant ?? "–",
    ratio === null ? "–" : `**${ratio.toFixed(2)}**`,
    linkTo(file.stem),
  ];
}

function loadRow(file: LoadFile): readonly string[] {
  const { clients, seconds, answersPerSecond, latencyMs, errors, residentMiB } = file.result;
  return [
    machineOf(file),
    String(clients),
    seconds.toFixed(0),
    answersPerSecond.toFixed(1),
    ...[latencyMs.p50, latencyMs.p95, latencyMs.p99].map((ms) => ms.toFixed(0)),
    String(errors),
    ...[residentMiB?.start, residentMiB?.end].map((mib) => mib === undefined ? "–" : String(mib)),
    linkTo(file.stem),
  ];
}

const compareText = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;

/** Formats the overview of benchmark results and load tests. */
export function formatSpeedIndex(
  files: readonly ResultsFile[],
  loads: readonly LoadFile[],
): string {
  const sections = (Object.keys(BENCHMARKS) as BenchName[]).flatMap((name) => {
    const rows = files.flatMap((file) =>
      file.results.filter((result) => result.name === name).map((result) => ({
        row: rowOf(file, result),
        isCompared: result.torch !== null,
      }))
    );
    if (rows.length === 0) return [];
    // Comparisons with PyTorch come first, because readers look for them.
    const sorted = rows.toSorted((a, b) =>
      Number(b.isCompared) - Number(a.isCompared) ||
      compareText(a.row.join("\t"), b.row.join("\t"))
    );
    return [
      `## \`${name}\`: ${BENCHMARKS[name]}`,
      formatTable([HEAD, ...sorted.map(({ row }) => row)], NUMBERS),
    ];
  });
  const served = loads.length === 0 ? [] : [
    "## `load`: clients asking the demo page's server, on the same machine",
    formatTable([LOAD_HEAD, ...loads.map(loadRow)], LOAD_NUMBERS),
  ];
  return ["# Speed", INTRODUCTION, ...sections, ...served].join("\n\n") + "\n";
}

/**
 * Writes the `README.md` of a folder of benchmarks from its JSON files. Returns its path, null if the folder
 * has no benchmarks.
 */
export async function writeSpeedIndex(folder: string): Promise<string | null> {
  if (!await isFolder(folder)) return null;
  const files: ResultsFile[] = [], loads: LoadFile[] = [];
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json")).sort();
  for (const name of names) {
    const path = join(folder, name), stem = name.slice(0, -".json".length);
    const content = await readJson(path, "benchmark");
    if (isObject(content) && Array.isArray(content.results)) {
      files.push({ ...content as ResultsFile, stem });
    } else if (isObject(content) && isObject(content.result)) {
      loads.push({ ...content as LoadFile, stem });
    } else {
      throw new SyntaxError(
        `Cannot read benchmark ${path}: it holds neither "results" nor "result"; ` +
          "deno task bench and deno task load write such files",
      );
    }
  }
  if (files.length + loads.length === 0) return null;
  const path = join(folder, "README.md");
  await writeFileAtomic(path, formatSpeedIndex(files, loads));
  return path;
}
