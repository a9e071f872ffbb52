/**
 * Aggregates the outcomes of several processes into one result per measurement.
 * @module
 */
import { median } from "@/statistics.ts";
import type { JobOutcome } from "./job.ts";
import { bestLimits, type Limits } from "./measure_limits.ts";
import { averageProfiles, type StepProfile } from "./step_profile.ts";

/** Profile of a step together with the limits of the machine. */
export type Breakdown = StepProfile & { readonly limits: Limits };

/** Timings of one runner over all rounds. */
export type Timings = {
  readonly medianMs: number;
  readonly minMs: number;
  /** Largest peak memory of any of its processes. */
  readonly peakMiB: number;
};

/** Timings of a PyTorch variant. */
export type TorchTimings = Timings & {
  readonly variant: string;
  readonly version: string;
  /** Further values by name. */
  readonly details: Readonly<Record<string, number>>;
};

/** Timings and details of one measurement of one runner. */
export type Summary = Timings & {
  readonly label: string;
  readonly executor: string;
  readonly version: string;
  readonly details: Readonly<Record<string, number>>;
  readonly profile?: Breakdown;
};

/** One result; `--json` prints one per line. */
export type BenchResult = {
  readonly name: string;
  readonly precision: string;
  readonly executor: string;
  /** Settings that differ from those of the whole run; empty if none. */
  readonly settings: string;
  readonly shape: string;
  readonly ours: Timings;
  /** The PyTorch variant with the lowest median; null if PyTorch was not measured. */
  readonly torch: TorchTimings | null;
  readonly torchAll: readonly TorchTimings[];
  /** Our median divided by that of the fastest PyTorch variant. */
  readonly ratio: number | null;
  /** Further values of this project's program by name. */
  readonly details: Readonly<Record<string, number>>;
  /** Profile of this project's program; absent if not requested. */
  readonly profile?: Breakdown;
};

const round = (value: number, digits: number) => Number(value.toFixed(digits));

/** Summarizes the rounds of one runner: one summary per measurement. */
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

/** The entry with the lowest median, the first of equal ones; null if there are none. */
export function pickFastest<T extends Timings>(all: readonly T[]): T | null {
  return all.reduce<T | null>(
    (best, each) => best === null || each.medianMs < best.medianMs ? each : best,
    null,
  );
}

/** Combines this project's summary with those of the PyTorch variants by name. */
export function composeResult(
  { name, precision, settings, shape }: Pick<
    BenchResult,
    "name" | "precision" | "settings" | "shape"
  >,
  { label, executor, medianMs, minMs, peakMiB, details, profile }: Summary,
  variants: ReadonlyMap<string, Summary>,
): BenchResult {
  const torchAll = [...variants].map(([variant, { version, ...found }]): TorchTimings => ({
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
