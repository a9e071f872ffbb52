/**
 * Measures a case. Every runner gets a process of its own, and the runners alternate for several rounds.
 * @module
 */
import type { BenchResult } from "./summarize.ts";
import { composeResult, summarizeRounds, type Summary } from "./summarize.ts";
import type { Case } from "./benchmarks.ts";
import { ownRunner, runJobInProcess, type Runner, type Torch, torchRunner } from "./runners.ts";
import type { Computation, Job, JobOutcome, Work } from "./job.ts";

/** Options of {@link runCase}. */
export type CaseOptions = {
  readonly computation: Computation;
  /** Alternative settings of this project's engine. */
  readonly variants: readonly OwnVariant[];
  /** Null to skip PyTorch. */
  readonly torch: Torch | null;
  /** Called before each process. */
  readonly onTurn: (turn: Turn) => void;
  /** Called with a message if a PyTorch variant cannot be measured. */
  readonly onNote: (note: string) => void;
  /** Runs a job; replaced in tests. */
  readonly run?: (runner: Runner, job: Job) => Promise<JobOutcome>;
};

/** Alternative settings of this project's engine. */
export type OwnVariant = {
  /** The settings as text, such as `native.isa=avx2`. */
  readonly name: string;
  readonly computation: Computation;
};

/** Progress: the runner that is about to start, and the numbers of finished and of all processes. */
export type Turn = {
  readonly runner: string;
  readonly done: number;
  readonly total: number;
};

const WITHOUT_DROPOUT = "ours without dropout";

type ScheduledJob = Runner & Job;

/** Name of this project's runner with given settings. */
const nameOwn = (settings: string) => settings === "" ? "ours" : `ours, ${settings}`;

function listJobs(each: Case, { computation, variants, torch }: CaseOptions): ScheduledJob[] {
  const own = (name: string, work: Work, how = computation) => ({
    ...ownRunner(),
    name,
    work,
    computation: how,
  });
  return [
    own(nameOwn(""), each.ours),
    ...(each.withoutDropout === null ? [] : [own(WITHOUT_DROPOUT, each.withoutDropout)]),
    ...variants.map(({ name, computation }) => own(nameOwn(name), plain(each.ours), computation)),
    ...(torch === null ? [] : each.variants.map((variant) => (
      { ...torchRunner(torch, variant), work: each.torch, computation }
    ))),
  ];
}

/** The same work without profiling. */
function plain(work: Work): Work {
  return work.kind === "step" ? { ...work, profile: false } : work;
}

/**
 * Measures a case. The order of the runners rotates by one each round, so that no runner always follows the
 * same other. A failure of this project's program is an error; a PyTorch variant that fails is dropped.
 */
export async function runCase(each: Case, options: CaseOptions): Promise<readonly BenchResult[]> {
  const { computation, variants, onTurn, onNote, run = runJobInProcess } = options;
  let jobs = listJobs(each, options);
  const total = jobs.length * each.rounds;
  const outcomes = new Map<string, JobOutcome[]>(jobs.map(({ name }) => [name, []]));
  let done = 0;
  for (let round = 0; round < each.rounds; round++) {
    const first = round % jobs.length;
    for (const scheduled of [...jobs.slice(first), ...jobs.slice(0, first)]) {
      const { name, work, computation } = scheduled;
      onTurn({ runner: name, done: done++, total });
      try {
        outcomes.get(name)?.push(await run(scheduled, { work, computation }));
      } catch (error) {
        if (!isTorch(each, name)) throw error;
        onNote(`PyTorch ${name} is skipped in ${each.name}: ${reasonOf(error)}`);
        jobs = jobs.filter((other) => other !== scheduled);
        outcomes.delete(name);
      }
    }
  }
  onTurn({ runner: "", done: total, total });
  return ["", ...variants.map(({ name }) => name)].flatMap((settings) =>
    composeResults(each, { precision: computation.precision, settings }, outcomes)
  );
}

function isTorch({ variants }: Case, name: string): boolean {
  return variants.some((variant) => variant === name);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Results for one set of settings: one per measurement, with PyTorch's timings. */
function composeResults(
  each: Case,
  { precision, settings }: { readonly precision: string; readonly settings: string },
  outcomes: ReadonlyMap<string, readonly JobOutcome[]>,
): readonly BenchResult[] {
  const summaries = (name: string) => summarizeRounds(outcomes.get(name) ?? []);
  const bare = settings === "" ? summaries(WITHOUT_DROPOUT) : [];
  return summaries(nameOwn(settings)).map((found, i) => {
    const variants = new Map(
      each.variants.flatMap((variant): [string, Summary][] => {
        const summary = summaries(variant)[i];
        return summary === undefined ? [] : [[variant, summary]];
      }),
    );
    const without = bare[i];
    const details = without === undefined
      ? found.details
      : { ...found.details, dropoutShare: 1 - without.medianMs / found.medianMs };
    return composeResult({ ...each, precision, settings }, { ...found, details }, variants);
  });
}
