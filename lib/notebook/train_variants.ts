/**
 * A small experiment of a notebook's own: variants over seeds, trained here, compared as the committed ones
 * are.
 * @module
 */

import { compareResults } from "@/experiment/compare_variants.ts";
import {
  type Changes,
  type Experiment,
  selectTasks,
  type Variant,
} from "@/experiment/declaration.ts";
import { type CurveRow, listResults, type ResultRow } from "@/experiment/results.ts";
import { notebookConfig } from "./notebook_config.ts";
import type { ReadExperiment } from "./read_experiment.ts";
import { type TrainedRun, trainRuns, type TrainRunsOptions } from "./train_runs.ts";

/** What is varied, and over what. */
export type VariantsOptions = TrainRunsOptions & {
  readonly title: string;
  readonly seeds: readonly number[];
  /** Common to all variants, by dotted key. */
  readonly set?: Changes;
  /** The same on the built-in sample alone, to end within seconds. */
  readonly sample?: Changes;
  /** As of {@link notebookConfig}. */
  readonly read?: (name: string) => string | undefined;
};

/** A variant as a notebook gives it: what it sets, and its tasks where they are not all. */
export type NotebookVariant = Pick<Variant, "tasks"> & { readonly set?: Changes };

/** An experiment whose runs are there, models included. */
export type TrainedExperiment = ReadExperiment & { readonly trained: readonly TrainedRun[] };

const assignments = (changes: Changes) =>
  Object.entries(changes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);

/** Trains every variant with every seed and compares them on validation; the first is the reference. */
export async function trainVariants(
  given: Readonly<Record<string, NotebookVariant>>,
  { title, seeds, set = {}, sample = {}, read, ...options }: VariantsOptions,
): Promise<TrainedExperiment> {
  const variants: readonly Variant[] = Object.entries(given)
    .map(([name, { set = {}, ...rest }]) => ({ name, set, ...rest }));
  const planned = variants.flatMap((variant) =>
    seeds.map((seed) => ({
      variant,
      seed,
      config: selectTasks(
        notebookConfig({
          set: assignments({ ...set, ...variant.set, seed }),
          // what a variant sets goes before what the sample makes short
          sample: assignments(sample),
          ...(read !== undefined && { read }),
        }),
        variant,
      ),
    }))
  );
  const trained = await trainRuns(
    Object.fromEntries(
      planned.map(({ variant, seed, config }) => [`${variant.name}, seed ${seed}`, config]),
    ),
    options,
  );
  const rows: ResultRow[] = [], curves: CurveRow[] = [];
  planned.forEach(({ variant, seed }, i) => {
    const run = trained[i];
    if (run === undefined) throw new TypeError("internal: there is a run for every plan");
    const found = listResults(run.record, { variant: variant.name, seed, score: "validation" });
    rows.push(...found.rows);
    curves.push(...found.curves);
  });
  const experiment: Experiment = {
    name: "notebook",
    title,
    question: title,
    preset: planned[0]?.config.preset ?? "",
    base: { ...sample, ...set },
    variants,
    reference: variants[0]?.name ?? "",
    seeds,
    score: "validation",
  };
  return {
    experiment,
    rows,
    curves,
    runs: { present: trained.length, declared: trained.length },
    machines: [],
    starts: { dates: [], commits: [] },
    summaries: compareResults({ experiment, rows }),
    trained,
  };
}
