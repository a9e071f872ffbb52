/**
 * Damaged files read in processes of their own, each case within limits of time and memory, and what came
 * of them counted. A process that ends, hangs or takes too much is replaced, and the work goes on.
 * @module
 */
import { join } from "node:path";
import type { MutationJob, MutationOutcome } from "@/torture/mutation_job.ts";
import { copySubjects, type SubjectName } from "@/torture/subjects.ts";

/** What a case may take. */
export type Limits = {
  /** Of memory, resident or newly reserved. */
  readonly memoryMiB: number;
  /** From one case to the next; the first waits for the process to start. */
  readonly caseMs: number;
  readonly startMs: number;
};

/** What a case may take on a machine that may be busy with other things. */
export const LIMITS: Limits = { memoryMiB: 1024, caseMs: 30_000, startMs: 120_000 };

/** A case that did not end as it must, and all that there is to say about it. */
export type BadCase = { readonly index: number; readonly what: string; readonly message: string };

/** What the cases of a subject came to. */
export type MutationTally = {
  readonly subject: SubjectName;
  readonly cases: number;
  /** Files that were read all the same, to a right result. */
  readonly right: number;
  /** Files that were refused with a clear error. */
  readonly refused: number;
  /** All others: an unclear error, a wrong result, a crash, a hang, too much memory. */
  readonly bad: readonly BadCase[];
  /** The most that was resident in a process. */
  readonly peakMiB: number;
};

/** Whose files are damaged, and how often. */
export type MutationOptions = {
  /** A finished run. */
  readonly run: string;
  /** A folder for copies; it need not be there. */
  readonly folder: string;
  readonly seed: number;
  readonly cases: number;
  /** Told after each case. */
  readonly onCase?: (done: number) => void;
  /** {@link LIMITS} by default. */
  readonly limits?: Limits;
  /** Program that does the cases; another one in tests. */
  readonly program?: string;
};

const PROGRAM = join(import.meta.dirname ?? "", "../cli/mutation_job.ts");

/** How one process ended: where it got to, and what stopped it, if it was not the last case. */
type Ending = { readonly next: number; readonly stopped: BadCase | null };

/** Damages the files of a subject `cases` times and counts what comes of it. */
export async function tryMutations(
  subject: SubjectName,
  options: MutationOptions,
): Promise<MutationTally> {
  const { run, folder, seed, cases, onCase = () => {} } = options;
  const { limits = LIMITS, program = PROGRAM } = options;
  const bad: BadCase[] = [];
  let right = 0, refused = 0, peakMiB = 0;
  const take = (outcome: MutationOutcome) => {
    const { index, what, verdict, message } = outcome;
    peakMiB = Math.max(peakMiB, outcome.peakMiB);
    if (isLarge(outcome, limits)) {
      bad.push({ index, what, message: describeMemory(outcome) });
    } else if (verdict === "right") right++;
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
  return { subject, cases, right, refused, bad, peakMiB };
}

function isLarge({ peakMiB, grownMiB }: MutationOutcome, { memoryMiB }: Limits): boolean {
  return Math.max(peakMiB, grownMiB) > memoryMiB;
}

function describeMemory({ peakMiB, grownMiB, verdict }: MutationOutcome): string {
  return `took too much memory: ${peakMiB.toFixed(0)} MiB resident, ${
    grownMiB.toFixed(0)
  } MiB more reserved (${verdict})`;
}

/** Runs cases in a process until one stops it, or takes more memory than it may. */
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
    } catch { /* it has ended */ }
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
      if (!line.startsWith("{")) continue; // a library's own words
      const outcome: MutationOutcome = JSON.parse(line);
      take(outcome);
      next = outcome.index + 1;
      clearTimeout(timer);
      timer = setTimeout(expire, limits.caseMs);
      // The next cases must not be charged for what this one took.
      large ||= isLarge(outcome, limits);
      if (large) kill();
    }
  }
  clearTimeout(timer);
  const { code, signal } = await child.status;
  const last = (await said).trim().split("\n").at(-1) ?? "";
  if (next >= job.end || large) return { next, stopped: null };
  const message = hung ? "hung" : `ended the process: ${signal ?? `code ${code}`}: ${last}`;
  const stopped = { index: next, what: `case ${next}`, message };
  return { next: next + 1, stopped };
}
