/**
 * Starts `run_job.ts` with the sanitizers in its process, or without.
 * @module
 */
import { fileURLToPath } from "node:url";
import { sanitizedEnvironment, type Sanitizers } from "./find_sanitizers.ts";

/** How a job ended. */
export type JobOutcome = {
  /** What the job found; null where it ended early. */
  readonly found: unknown;
  /** A sanitizer's report with the first places it names, or the error that ended the job; empty where none did. */
  readonly report: string;
};

const PROGRAM = fileURLToPath(new URL("./run_job.ts", import.meta.url));

/** Lines of a report that tell where the fault is. */
const REPORT_LINES = 12;

/** From the line that says what was found; the last lines where none does. */
function findReport(stderr: string): string {
  const lines = stderr.trimEnd().split("\n");
  const start = lines.findIndex((line) => /ERROR: \w+Sanitizer|runtime error: /.test(line));
  return start < 0
    ? lines.slice(-REPORT_LINES).join("\n")
    : lines.slice(start, start + REPORT_LINES).join("\n");
}

/** Has a process do a job; programs and runtime are built with `sanitizers`, where they are not null. */
export async function startJob(
  job: readonly [name: string, ...numbers: number[]],
  { sanitizers, cache, onProgress = () => {} }: {
    readonly sanitizers: Sanitizers | null;
    /** Folder of compiled programs; null: the usual one. */
    readonly cache: string | null;
    readonly onProgress?: (text: string) => void;
  },
): Promise<JobOutcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", PROGRAM, ...job.map(String)],
    env: {
      ...sanitizers === null ? {} : sanitizedEnvironment(sanitizers),
      ...cache === null ? {} : { STX_CACHE: cache },
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "";
  const listening = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      onProgress(text);
    }
  })();
  const stdout = await new Response(child.stdout).text();
  await listening;
  const { success, code, signal } = await child.status;
  if (success) return { found: JSON.parse(stdout.trim().split("\n").at(-1) ?? "null"), report: "" };
  return { found: null, report: findReport(said) || `the process ended with ${signal ?? code}` };
}
