/**
 * Measures a case: every contestant in a process of its own, in turn, round after round.
 * @module
 */
import type { BenchResult } from "@/bench/statistics.ts";
import { composeResult, summarizeRounds, type Summary } from "@/bench/statistics.ts";
import type { Case } from "@/bench/benchmarks.ts";
import {
  type Contestant,
  ourContestant,
  runContestant,
  type Torch,
  torchContestant,
} from "@/bench/contestants.ts";
import type { Computation, Job, JobOutcome, Work } from "@/bench/job.ts";

/** How a case is measured. */
export type CaseOptions = {
  readonly computation: Computation;
  /** Ours again, computed otherwise. */
  readonly variants: readonly OwnVariant[];
  /** Null: PyTorch is left out. */
  readonly torch: Torch | null;
  /** Told before each process. */
  readonly onTurn: (turn: Turn) => void;
  /** Told of a PyTorch variant that could not be measured. */
  readonly onNote: (note: string) => void;
  /** Does a job; another one in tests. */
  readonly run?: (contestant: Contestant, job: Job) => Promise<JobOutcome>;
};

/** Another way of computing the same. */
export type OwnVariant = {
  /** Settings, such as `native.isa=avx2`. */
  readonly name: string;
  readonly computation: Computation;
};

/** A contestant's turn in a round, both counted from 0. */
export type Turn = {
  readonly contestant: string;
  readonly done: number;
  readonly total: number;
};

const WITHOUT_DROPOUT = "ours without dropout";

type Entrant = Contestant & Job;

/** Ours by the name of its settings. */
const nameOwn = (settings: string) => settings === "" ? "ours" : `ours, ${settings}`;

function listEntrants(each: Case, { computation, variants, torch }: CaseOptions): Entrant[] {
  const own = (name: string, work: Work, how = computation) => ({
    ...ourContestant(),
    name,
    work,
    computation: how,
  });
  return [
    own(nameOwn(""), each.ours),
    ...(each.withoutDropout === null ? [] : [own(WITHOUT_DROPOUT, each.withoutDropout)]),
    ...variants.map(({ name, computation }) => own(nameOwn(name), plain(each.ours), computation)),
    ...(torch === null ? [] : each.variants.map((variant) => (
      { ...torchContestant(torch, variant), work: each.torch, computation }
    ))),
  ];
}

/** Work without its profile. */
function plain(work: Work): Work {
  return work.kind === "step" ? { ...work, profile: false } : work;
}

/**
 * Measures a case. The order turns by one from round to round, so that no contestant always comes
 * after the same one. A failure of ours is an error; a PyTorch variant that fails is left out.
 */
export async function runCase(each: Case, options: CaseOptions): Promise<readonly BenchResult[]> {
  const { computation, variants, onTurn, onNote, run = runContestant } = options;
  let entrants = listEntrants(each, options);
  const total = entrants.length * each.rounds;
  const outcomes = new Map<string, JobOutcome[]>(entrants.map(({ name }) => [name, []]));
  let done = 0;
  for (let round = 0; round < each.rounds; round++) {
    const first = round % entrants.length;
    for (const entrant of [...entrants.slice(first), ...entrants.slice(0, first)]) {
      const { name, work, computation } = entrant;
      onTurn({ contestant: name, done: done++, total });
      try {
        outcomes.get(name)?.push(await run(entrant, { work, computation }));
      } catch (error) {
        if (!isTorch(each, name)) throw error;
        onNote(`PyTorch ${name} is left out of ${each.name}: ${reasonOf(error)}`);
        entrants = entrants.filter((other) => other !== entrant);
        outcomes.delete(name);
      }
    }
  }
  onTurn({ contestant: "", done: total, total });
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

/** One result a measurement of ours with some settings, PyTorch's beside it. */
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
