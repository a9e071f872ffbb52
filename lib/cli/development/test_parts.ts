/**
 * Parts of `deno task test`. Each part runs in a separate Deno process, since TensorFlow.js and native libraries share
 * state within a process. Its tests are counted from its JUnit report.
 * @module
 */

import { join } from "node:path";
import { isSystemError } from "@/engine/system.ts";
import { pinnedCommand, type ProcessorSet } from "./processor_sets.ts";

/** Part of the checks. */
export type Part = {
  /** Name for display and selection: `format`, `test/engine`, `notebooks/00_tour.ipynb`. */
  readonly name: string;
  /** Arguments of `deno`. */
  readonly args: readonly string[];
  /** True if the part reports individual tests; other parts count as one test. */
  readonly reports: boolean;
};

/** Result of a part. */
export type PartOutcome = {
  readonly counts: Counts;
  /** Output of the process, printed if it failed. */
  readonly output: string;
};

/** Test folders that take minutes. */
const SLOW_FOLDERS: ReadonlySet<string> = new Set(["test/engine", "test/train"]);

/** Time limit of a part. */
const PART_MS = 900_000;

/**
 * Lists the parts for the project in the current folder. Quick checks come first, then the slowest parts, so that short
 * parts fill the remaining time when several run concurrently.
 */
export async function listParts(): Promise<readonly Part[]> {
  const gate = (name: string, ...args: string[]): Part => ({ name, args, reports: false });
  const tests = (name: string, ...args: string[]): Part => ({
    name,
    args: ["test", "--allow-all", "--no-check", ...args],
    reports: true,
  });
  const files = await listFiles("test", "_test.ts");
  const folders = Map.groupBy(files, (file) => {
    const [folder, name] = file.split("/").slice(1);
    return name === undefined ? "test" : `test/${folder}`; // files directly in test/ form one part
  });
  const folderTests = [...folders].map(([folder, files]) => tests(folder, ...files));
  return [
    gate("format", "fmt", "--check"),
    gate("lint", "lint"),
    gate("types", "check", "lib", "test"),
    tests("examples", "--doc", "lib"),
    ...folderTests.filter(({ name }) => SLOW_FOLDERS.has(name)),
    ...(await listFiles("notebooks", ".ipynb")).map((file) =>
      gate(file, "run", "--allow-all", "lib/cli/notebooks.ts", "--check", file)
    ),
    ...folderTests.filter(({ name }) => !SLOW_FOLDERS.has(name)),
  ];
}

/** Runs a part on its processor set. A crash or an exceeded time limit counts as a failure. */
export async function runPart(
  part: Part,
  { signal, processors = null }: {
    readonly signal: AbortSignal;
    readonly processors?: ProcessorSet | null;
  },
): Promise<PartOutcome> {
  const folder = await Deno.makeTempDir({ prefix: "test-" });
  try {
    const report = join(folder, "report.xml");
    const [task = "", ...rest] = part.args;
    const reporting = part.reports ? [`--junit-path=${report}`] : [];
    const [command, ...args] = pinnedCommand(processors, [
      Deno.execPath(),
      task,
      ...reporting,
      ...rest,
    ]);
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(PART_MS)]),
    }).output();
    const decoder = new TextDecoder();
    const output = decoder.decode(stdout) + decoder.decode(stderr);
    const counts = part.reports ? countTests(await readReport(report)) : NOTHING;
    return { counts: judge(part, counts, success), output };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Adjusts the counts: a failure without a failed test, such as a crash or an import error, counts as one. */
function judge(part: Part, counts: Counts, success: boolean): Counts {
  if (!part.reports) return { ...NOTHING, [success ? "passed" : "failed"]: 1 };
  return success || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

async function readReport(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return ""; // the process ended before it wrote a report
  }
}

/** Lists the files under a folder whose names end with `ending`, sorted. */
async function listFiles(folder: string, ending: string): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.name.startsWith(".") || entry.name === "fixtures") continue;
    if (entry.isDirectory) files.push(...await listFiles(path, ending));
    else if (entry.name.endsWith(ending)) files.push(path);
  }
  return files.sort();
}

/** Numbers of tests by outcome. */
export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
};

/** Adds up the counts of several parts. */
export function addCounts(counts: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => counts.reduce((total, count) => total + count[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** Formats the last line of `deno task test`: `12 passed, 0 failed`, plus `, 3 skipped` if there are any. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Counts the test cases of a report, including steps. Regular expressions are sufficient because the report escapes
 * all text from the tests.
 */
export function countTests(report: string): Counts {
  let passed = 0, failed = 0, skipped = 0;
  for (const [, inside = ""] of report.matchAll(/<testcase\b[^>]*?(?:\/>|>([^]*?)<\/testcase>)/g)) {
    if (/<(failure|error)\b/.test(inside)) failed++;
    else if (/<skipped\b/.test(inside)) skipped++;
    else passed++;
  }
  return { passed, failed, skipped };
}
