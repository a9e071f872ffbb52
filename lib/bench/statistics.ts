/**
 * From the outcomes of many processes to one line a benchmark.
 * @module
 */
import type { JobOutcome } from "@/bench/job.ts";
import { bestLimits, type Limits } from "@/bench/measure_limits.ts";
import { averageProfiles, type StepProfile } from "@/bench/step_profile.ts";

/** Where the time of a step goes, and what the machine could do at most. */
export type Breakdown = StepProfile & { readonly limits: Limits };

/** Where half of the values are below and half above; NaN where there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? NaN;
  const high = sorted[Math.floor(middle)] ?? NaN;
  return (low + high) / 2;
}

/** Times of one contestant over all rounds. */
export type Figures = {
  readonly medianMs: number;
  readonly minMs: number;
  /** Most memory that any of its processes held. */
  readonly peakMiB: number;
};

/** A PyTorch variant's times. */
export type TorchFigures = Figures & {
  readonly variant: string;
  readonly version: string;
  /** Further figures by name. */
  readonly details: Readonly<Record<string, number>>;
};

/** A contestant's figures for one measurement, with what else it found. */
export type Summary = Figures & {
  readonly label: string;
  readonly executor: string;
  readonly version: string;
  readonly details: Readonly<Record<string, number>>;
  readonly profile?: Breakdown;
};

/** What `--json` prints a line of. */
export type BenchResult = {
  readonly name: string;
  readonly precision: string;
  readonly executor: string;
  /** What ours was computed with beyond the settings of the whole run; empty: nothing. */
  readonly settings: string;
  readonly shape: string;
  readonly ours: Figures;
  /** The fastest variant by its median; null where PyTorch was not measured. */
  readonly torch: TorchFigures | null;
  readonly torchAll: readonly TorchFigures[];
  /** Ours / the fastest of PyTorch, of the medians. */
  readonly ratio: number | null;
  /** Further figures of ours by name. */
  readonly details: Readonly<Record<string, number>>;
  /** Where ours spends its time; left out where that was not asked for. */
  readonly profile?: Breakdown;
};

const round = (value: number, digits: number) => Number(value.toFixed(digits));

/** One summary a measurement, over the outcomes of a contestant's rounds. */
export function summarizeRounds(rounds: readonly JobOutcome[]): readonly Summary[] {
  const [first] = rounds;
  if (first === undefined) return [];
  return first.measurements.map(({ label, details }, i) => {
    const all = rounds.flatMap(({ measurements }) => measurements[i] ?? []);
    const times = all.flatMap(({ timesMs }) => timesMs);
    const names = Object.keys(details);
    const profile = averageProfiles(all.flatMap(({ profile }) => profile ?? []));
    const limits = bestLimits(rounds.flatMap(({ limits }) => limits ?? []));
    return {
      label,
      executor: first.executor,
      version: first.version,
      medianMs: round(median(times), 3),
      minMs: round(Math.min(...times), 3),
      peakMiB: Math.round(Math.max(...rounds.map(({ peakMiB }) => peakMiB))),
      details: Object.fromEntries(
        names.map((name) => [name, median(all.map(({ details }) => details[name] ?? NaN))]),
      ),
      ...(profile === undefined || limits === undefined ? {} : { profile: { ...profile, limits } }),
    };
  });
}

/** The fastest by the median; the first of equals, null of none. */
export function pickFastest<T extends Figures>(all: readonly T[]): T | null {
  return all.reduce<T | null>(
    (best, each) => best === null || each.medianMs < best.medianMs ? each : best,
    null,
  );
}

/** The line of a benchmark out of ours and PyTorch's variants, by name. */
export function composeResult(
  { name, precision, settings, shape }: Pick<
    BenchResult,
    "name" | "precision" | "settings" | "shape"
  >,
  { label, executor, medianMs, minMs, peakMiB, details, profile }: Summary,
  variants: ReadonlyMap<string, Summary>,
): BenchResult {
  const torchAll = [...variants].map(([variant, { version, ...found }]): TorchFigures => ({
    medianMs: found.medianMs,
    minMs: found.minMs,
    peakMiB: found.peakMiB,
    variant,
    version,
    details: found.details,
  }));
  const torch = pickFastest(torchAll);
  return {
    name,
    precision,
    executor,
    settings,
    shape: label === "" ? shape : label,
    ours: { medianMs, minMs, peakMiB },
    torch,
    torchAll,
    ratio: torch === null ? null : round(medianMs / torch.medianMs, 3),
    details,
    ...(profile === undefined ? {} : { profile }),
  };
}
