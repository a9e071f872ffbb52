/**
 * The parts of `deno task test`: each a Deno process of its own, as TensorFlow.js and native libraries
 * share state within a process.
 * @module
 */

import { join } from "node:path";
import { isSystemError } from "@/files.ts";
import { type Counts, countTests } from "./junit.ts";
import { onShare, type ProcessorShare } from "./processor_shares.ts";

/** A part of the checks. */
export type Part = {
  /** As it is shown, and asked for: `format`, `test/engine`, `notebooks/00_tour.ipynb`. */
  readonly name: string;
  /** Arguments of `deno`. */
  readonly args: readonly string[];
  /** It reports tests; other parts count as one. */
  readonly reports: boolean;
};

/** How a part ended. */
export type PartOutcome = {
  readonly counts: Counts;
  /** What it printed, for the reader of a failure. */
  readonly output: string;
};

/** Rooms whose tests take minutes. */
const LONG_ROOMS: ReadonlySet<string> = new Set(["test/engine", "test/train"]);

/** Longest that a part may take. */
const PART_MS = 900_000;

/**
 * The parts for the project in the current folder: gates first, as they are quick; then what takes
 * longest, so that short parts fill the end where several run at once.
 */
export async function listParts(): Promise<readonly Part[]> {
  const gate = (name: string, ...args: string[]): Part => ({ name, args, reports: false });
  const tests = (name: string, ...args: string[]): Part => ({
    name,
    args: ["test", "--allow-all", "--no-check", ...args],
    reports: true,
  });
  const files = await listFiles("test", "_test.ts");
  const rooms = Map.groupBy(files, (file) => {
    const [room, name] = file.split("/").slice(1);
    return name === undefined ? "test" : `test/${room}`; // files beside the rooms make one part
  });
  const roomTests = [...rooms].map(([room, files]) => tests(room, ...files));
  return [
    gate("format", "fmt", "--check"),
    gate("lint", "lint"),
    gate("types", "check", "lib", "test"),
    tests("examples", "--doc", "lib"),
    ...roomTests.filter(({ name }) => LONG_ROOMS.has(name)),
    ...(await listFiles("notebooks", ".ipynb")).map((file) =>
      gate(file, "run", "--allow-all", "lib/cli/notebooks.ts", "--check", file)
    ),
    ...roomTests.filter(({ name }) => !LONG_ROOMS.has(name)),
  ];
}

/** Runs a part to its end, on its share of processors; one that dies or takes too long has failed. */
export async function runPart(
  part: Part,
  { signal, share = null }: {
    readonly signal: AbortSignal;
    readonly share?: ProcessorShare | null;
  },
): Promise<PartOutcome> {
  const folder = await Deno.makeTempDir({ prefix: "test-" });
  try {
    const report = join(folder, "report.xml");
    const [task = "", ...rest] = part.args;
    const reporting = part.reports ? [`--junit-path=${report}`] : [];
    const [command, ...args] = onShare(share, [Deno.execPath(), task, ...reporting, ...rest]);
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

/** A failure that no test reports, such as a file that does not load or a crash, counts as one. */
function judge(part: Part, counts: Counts, success: boolean): Counts {
  if (!part.reports) return { ...NOTHING, [success ? "passed" : "failed"]: 1 };
  return success || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

async function readReport(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return ""; // the process ended before it could write one
  }
}

/** Files under a folder whose names end so, in order. */
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
