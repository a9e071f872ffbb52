/**
 * `deno task conformance`: runs all of TensorFlow.js's own tests against the engine, prints counts and
 * writes `outputs/conformance.md`, with `--native` `outputs/conformance-native.md`; or compares random
 * graphs with TensorFlow.js.
 * @module
 */
import { type Options, parseInteger } from "@/cli/arguments.ts";
import { runTask, type Task } from "@/cli/run_task.ts";
import { createTerminalProgress } from "@/cli/terminal_progress.ts";
import { openEngine } from "@/engine/engine.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { compareGraphs } from "../engine/compare_graphs.ts";
import { EXCLUSIONS } from "./exclusions.ts";
import {
  countSpecs,
  failedSpecs,
  type Group,
  GROUPS,
  kernelsSeen,
  type SpecRecord,
} from "./records.ts";
import { findCore, findTestFiles } from "./stage.ts";
import { MISSED, startFiles } from "./start_files.ts";

/** The title of each executor's report, and its description of the method. */
const REPORTS = {
  onnx: {
    path: "outputs/conformance.md",
    intro: [
      "engine's recording backend, operations run by ONNX Runtime. Made by `deno task conformance`.",
    ],
  },
  native: {
    path: "outputs/conformance-native.md",
    intro: [
      "engine's recording backend, all that a test reads compiled to C as a program of `jit` would be. What C",
      "lacks ran on ONNX Runtime and is counted as falling back. Made by `deno task conformance --native`.",
    ],
  },
} as const;
type ExecutorName = keyof typeof REPORTS;

/** Number of files that one process runs between two progress updates. */
const FILES_AT_ONCE = 8;

const MEANING: Record<Group, string> = {
  compiled: "compiled operations only",
  fallback: "some operation that fell back",
  none: "no operation runs: arguments, shapes, types",
};

const PARTS = [
  { title: "Operations", holds: (file: string) => file.startsWith("ops/") },
  {
    title: "Engine, tensors, optimizers and the rest",
    holds: (f: string) => !f.startsWith("ops/"),
  },
] as const;

function countKind(records: readonly SpecRecord[], kind: SpecRecord["kind"]): number {
  return records.filter((record) => record.kind === kind).length;
}

/** The counts of a part of the files as a table. */
function writeTable(title: string, records: readonly SpecRecord[]): string {
  const counts = countSpecs(records);
  const files = new Set(records.map(({ file }) => file)).size;
  const total = GROUPS.reduce((sum, g) => sum + counts[g].passed + counts[g].failed, 0);
  const passed = GROUPS.reduce((sum, group) => sum + counts[group].passed, 0);
  const share = (100 * passed / (total + countKind(records, "excluded"))).toFixed(2);
  return [
    `## ${title}`,
    "",
    `${files} files. ${passed} of ${total} specs passed, ${
      countKind(records, "excluded")
    } excluded ` +
    `(passed of all: ${share} %); ${countKind(records, "pending")} turned off by TensorFlow.js; ` +
    `${countKind(records, "elsewhere")} suites ask for another environment, mostly a browser.`,
    "",
    "| specs with | passed | failed |",
    "| --- | ---: | ---: |",
    ...GROUPS.map((g) => `| ${MEANING[g]} | ${counts[g].passed} | ${counts[g].failed} |`),
    "",
  ].join("\n");
}

function writeReport(records: readonly SpecRecord[], executor: ExecutorName): string {
  const compiled = kernelsSeen(records, "compiled");
  const seen = kernelsSeen(records, "fallback");
  const fallback = seen.filter((name) => !name.startsWith(MISSED));
  const missed = seen.filter((name) => name.startsWith(MISSED));
  const failed = failedSpecs(records);
  const elsewhere = records.filter(({ kind }) => kind === "elsewhere");
  return [
    "# Conformance",
    "",
    "TensorFlow.js's own tests (the `*_test.js` files that `@tensorflow/tfjs-core` ships) against the",
    ...REPORTS[executor].intro,
    "",
    ...PARTS.map(({ title, holds }) =>
      writeTable(title, records.filter(({ file }) => holds(file)))
    ),
    "## Excluded",
    "",
    ...EXCLUSIONS.map(({ file, spec, reason }) => `- \`${file}\` ${spec}: ${reason}`),
    "",
    ...failed.length === 0 ? [] : [
      "## Failed",
      "",
      ...failed.map(({ file, name, failures }) => `- \`${file}\` ${name}: ${failures[0]}`),
      "",
    ],
    "## Kernels",
    "",
    `${compiled.length} ran compiled: ${compiled.join(", ")}.`,
    "",
    `${fallback.length} ran on TensorFlow.js's own JavaScript kernels, always or for strings and complex ` +
    `numbers: ${fallback.join(", ")}.`,
    "",
    ...missed.length === 0 ? [] : [
      "What C lacks, by the number of specs that met it:",
      "",
      ...missed.map((reason) =>
        `- ${reason.slice(MISSED.length)}: ${countMissed(records, reason)}`
      ),
      "",
    ],
    "## Suites that ask for another environment",
    "",
    ...elsewhere.map(({ file, name }) => `- \`${file}\` ${name}`),
    "",
  ].join("\n");
}

function countMissed(records: readonly SpecRecord[], reason: string): number {
  return records.filter((record) => record.kind === "spec" && record.fallback.includes(reason))
    .length;
}

/** Runs files a few at a time, with progress. */
async function runAll(executor: ExecutorName, files: readonly string[]): Promise<SpecRecord[]> {
  const view = createTerminalProgress();
  const records: SpecRecord[] = [];
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const next = files.slice(at, at + FILES_AT_ONCE);
    view.update({ done: at, total: files.length, label: "conformance", details: next.slice(0, 1) });
    records.push(...await startFiles(executor, next));
  }
  await view.finish();
  return records;
}

/** Runs the files whose names contain one of `parts`, or all files; only a run of all writes a report. */
async function conform(executor: ExecutorName, parts: readonly string[]): Promise<boolean> {
  const all = findTestFiles(findCore());
  const files = parts.length === 0 ? all : all.filter((f) => parts.some((p) => f.includes(p)));
  if (files.length === 0) {
    throw new RangeError(`Cannot run conformance as a file's name must hold ${parts.join(" or ")}`);
  }
  const records = await runAll(executor, files);
  for (const { file, name, failures } of failedSpecs(records)) {
    console.error(`failed: ${file} ${name}: ${failures.join("; ")}`);
  }
  for (const { title, holds } of PARTS) {
    const part = records.filter(({ file }) => holds(file));
    if (part.length > 0) console.log(writeTable(title, part));
  }
  if (parts.length === 0) {
    await writeFileAtomic(REPORTS[executor].path, writeReport(records, executor));
  }
  return failedSpecs(records).length === 0;
}

/** Compares random graphs. If one fails, the error shows the smallest graph that fails. */
async function compare(executor: ExecutorName, count: number, seed: number): Promise<boolean> {
  await openEngine({ executor });
  const view = createTerminalProgress();
  const label = `random graphs, ${executor}`;
  await compareGraphs({
    count,
    seed,
    onGraph: (done) => view.update({ done: Math.min(done, count), total: count, label }),
  });
  await view.finish();
  console.log(`${count} random graphs are what TensorFlow.js makes of them, seed ${seed}`);
  return true;
}

const OPTIONS = {
  native: { type: "boolean", help: "run generated C instead of ONNX Runtime" },
  graphs: {
    type: "string",
    value: "N",
    help: "compare random graphs instead of running the tests",
  },
  seed: { type: "string", value: "N", help: "seed of the random graphs", default: "1" },
} as const satisfies Options;

/** The task `conformance`. */
export const CONFORMANCE = {
  name: "conformance",
  summary:
    "Runs TensorFlow.js's own tests on the engine, all or those of files named in part, and " +
    "reports on all; or compares random graphs with TensorFlow.js.",
  usage: "[--native] [PART OF A FILE'S NAME …] | [--native] --graphs N [--seed N]",
  options: OPTIONS,
  positionals: { names: ["PART"], min: 0, max: Infinity },
  async run({ values, positionals }) {
    const executor = values.native ? "native" : "onnx";
    if (values.graphs === undefined) return await conform(executor, positionals);
    const count = parseInteger("conformance", "graphs", values.graphs, 1);
    return await compare(executor, count, parseInteger("conformance", "seed", values.seed));
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(CONFORMANCE);
