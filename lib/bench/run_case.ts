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
  /** Null: PyTorch is left out. */
  readonly torch: Torch | null;
  /** Told before each process. */
  readonly onTurn: (turn: Turn) => void;
  /** Told of a PyTorch variant that could not be measured. */
  readonly onNote: (note: string) => void;
  /** Does a job; another one in tests. */
  readonly run?: (contestant: Contestant, job: Job) => Promise<JobOutcome>;
};

/** A contestant's turn in a round, both counted from 0. */
export type Turn = {
  readonly contestant: string;
  readonly done: number;
  readonly total: number;
};

const WITHOUT_DROPOUT = "ours without dropout";

type Entrant = Contestant & { readonly work: Work };

function listEntrants({ ours, withoutDropout, torch, variants }: Case, found: Torch | null) {
  const own = ourContestant();
  const entrants: Entrant[] = [{ ...own, work: ours }];
  if (withoutDropout !== null) {
    entrants.push({ ...own, name: WITHOUT_DROPOUT, work: withoutDropout });
  }
  if (found !== null) {
    for (const variant of variants) {
      entrants.push({ ...torchContestant(found, variant), work: torch });
    }
  }
  return entrants;
}

/**
 * Measures a case. The order turns by one from round to round, so that no contestant always comes
 * after the same one. A failure of ours is an error; a PyTorch variant that fails is left out.
 */
export async function runCase(each: Case, options: CaseOptions): Promise<readonly BenchResult[]> {
  const { computation, torch, onTurn, onNote, run = runContestant } = options;
  let entrants = listEntrants(each, torch);
  const total = entrants.length * each.rounds;
  const outcomes = new Map<string, JobOutcome[]>(entrants.map(({ name }) => [name, []]));
  let done = 0;
  for (let round = 0; round < each.rounds; round++) {
    const first = round % entrants.length;
    for (const entrant of [...entrants.slice(first), ...entrants.slice(0, first)]) {
      const { name, work } = entrant;
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
  return composeResults(each, computation.precision, outcomes);
}

function isTorch({ variants }: Case, name: string): boolean {
  return variants.some((variant) => variant === name);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** One result a measurement of ours, PyTorch's beside it. */
function composeResults(
  each: Case,
  precision: string,
  outcomes: ReadonlyMap<string, readonly JobOutcome[]>,
): readonly BenchResult[] {
  const summaries = (name: string) => summarizeRounds(outcomes.get(name) ?? []);
  const bare = summaries(WITHOUT_DROPOUT);
  return summaries("ours").map((found, i) => {
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
    return composeResult({ ...each, precision }, { ...found, details }, variants);
  });
}
