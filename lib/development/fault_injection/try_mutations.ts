/**
 * Reads damaged files in child processes, with limits of time and memory for each case, and counts the
 * outcomes. A process that crashes, hangs or exceeds a limit is replaced, and the remaining cases continue.
 * @module
 */
import { join } from "node:path";
import type { MutationJob, MutationOutcome } from "./mutation_job.ts";
import { copySubjects, type SubjectName } from "./subjects.ts";

/** Limits of a case. */
export type Limits = {
  /** Memory, resident or newly reserved. */
  readonly memoryMiB: number;
  /** Time per case; `startMs` includes the start of the process and its first case. */
  readonly caseMs: number;
  readonly startMs: number;
};

/** Default limits, generous enough for a busy machine. */
export const LIMITS: Limits = { memoryMiB: 1024, caseMs: 30_000, startMs: 120_000 };

/** A failed case with a description of the damage and of the failure. */
export type BadCase = { readonly index: number; readonly what: string; readonly message: string };

/** Outcomes of all cases of a subject. */
export type MutationTally = {
  readonly subject: SubjectName;
  readonly cases: number;
  /** Cases in which the file was read and the result was correct. */
  readonly correct: number;
  /** Cases in which the file was refused with a clear error. */
  readonly refused: number;
  /** All other cases: an unclear error, a wrong result, a crash, a hang, too much memory. */
  readonly bad: readonly BadCase[];
  /** Largest resident memory of a process. */
  readonly peakMiB: number;
};

/** Options of {@link tryMutations}. */
export type MutationOptions = {
  /** Folder of a finished run. */
  readonly run: string;
  /** Folder for copies; created if it does not exist. */
  readonly folder: string;
  readonly seed: number;
  readonly cases: number;
  /** Called after each case. */
  readonly onCase?: (done: number) => void;
  /** {@link LIMITS} by default. */
  readonly limits?: Limits;
  /** Program that runs the cases; replaced in tests. */
  readonly program?: string;
};

const PROGRAM = join(import.meta.dirname ?? "", "../../cli/development/mutation_job.ts");

/** End of a process: the next case to run, and the case that stopped the process, if any. */
type Ending = { readonly next: number; readonly stopped: BadCase | null };

/** Runs `cases` cases of a subject and counts the outcomes. */
export async function tryMutations(
  subject: SubjectName,
  options: MutationOptions,
): Promise<MutationTally> {
  const { run, folder, seed, cases, onCase = () => {} } = options;
  const { limits = LIMITS, program = PROGRAM } = options;
  const bad: BadCase[] = [];
  let correct = 0, refused = 0, peakMiB = 0;
  const take = (outcome: MutationOutcome) => {
    const { index, what, verdict, message } = outcome;
    peakMiB = Math.max(peakMiB, outcome.peakMiB);
    if (isLarge(outcome, limits)) {
      bad.push({ index, what, message: describeMemory(outcome) });
    } else if (verdict === "correct") correct++;
    else if (verdict === "refused") refused++;
    else bad.push({ index, what, message: `${verdict}: ${message}` });
    onCase(index + 1);
  };
  for (let first = 0; first < cases;) {
    const place = join(folder, `${subject}-${first}`);
    await copySubjects(run, place);
    const job = { subject, folder: place, seed, first, end: cases };
    const ending = await runJob(job, { take, limits, program });
    await Deno.remove(place, { recursive: true });
    if (ending.stopped !== null) bad.push(ending.stopped);
    first = ending.next;
  }
  return { subject, cases, correct, refused, bad, peakMiB };
}

function isLarge({ peakMiB, grownMiB }: MutationOutcome, { memoryMiB }: Limits): boolean {
  return Math.max(peakMiB, grownMiB) > memoryMiB;
}

function describeMemory({ peakMiB, grownMiB, verdict }: MutationOutcome): string {
  return `used too much memory: ${peakMiB.toFixed(0)} MiB resident, ${
    grownMiB.toFixed(0)
  } MiB more reserved (${verdict})`;
}

/** Runs cases in a child process until one crashes it or exceeds a limit. */
async function runJob(
  job: MutationJob,
  { take, limits, program }: {
    readonly take: (outcome: MutationOutcome) => void;
    readonly limits: Limits;
    readonly program: string;
  },
): Promise<Ending> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", program],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", STX_CACHE: "" },
  }).spawn();
  const said = new Response(child.stderr).text();
  await new Response(JSON.stringify(job)).body?.pipeTo(child.stdin);
  let next = job.first, hung = false, large = false;
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch { /* it has already exited */ }
  };
  const expire = () => {
    hung = true;
    kill();
  };
  let timer = setTimeout(expire, limits.startMs);
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("{")) continue; // output of a library
      const outcome: MutationOutcome = JSON.parse(line);
      take(outcome);
      next = outcome.index + 1;
      clearTimeout(timer);
      timer = setTimeout(expire, limits.caseMs);
      // Kill the process, so that later cases do not count this one's memory.
      large ||= isLarge(outcome, limits);
      if (large) kill();
    }
  }
  clearTimeout(timer);
  const { code, signal } = await child.status;
  const last = (await said).trim().split("\n").at(-1) ?? "";
  if (next >= job.end || large) return { next, stopped: null };
  const message = hung ? "hung" : `crashed: ${signal ?? `code ${code}`}: ${last}`;
  const stopped = { index: next, what: `case ${next}`, message };
  return { next: next + 1, stopped };
}
