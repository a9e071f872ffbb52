/**
 * Small experiments that a notebook trains itself: variants by seed, compared in the same way as the
 * committed experiments.
 * @module
 */

import {
  type Changes,
  type Experiment,
  selectTasks,
  type Variant,
} from "@/experiment/declaration.ts";
import { type CurveRow, listResults, type ResultRow } from "@/experiment/results.ts";
import { notebookConfig } from "./notebook_config.ts";
import type { NamedList } from "./named_list.ts";
import { compareExperiment, type NotebookExperiment } from "./read_experiment.ts";
import { type TrainedRun, trainRuns, type TrainRunsOptions } from "./train_runs.ts";

/** Title, seeds and settings that all variants share. */
type VariantsOptions = TrainRunsOptions & {
  readonly title: string;
  readonly seeds: readonly number[];
  /** Configuration of all variants, by dotted key. */
  readonly set?: Changes;
  /** Further configuration for the built-in sample, which keeps its runs short. */
  readonly sample?: Changes;
  /** Reads an environment variable, as in {@link notebookConfig}. */
  readonly read?: (name: string) => string | undefined;
};

/** A variant: the configuration that it changes, and its tasks (all by default). */
type NotebookVariant = Pick<Variant, "tasks"> & { readonly set?: Changes };

/** An experiment with its trained runs, named `VARIANT, seed SEED`. */
type TrainedExperiment = NotebookExperiment & { readonly trained: NamedList<TrainedRun> };

const assignments = (changes: Changes) =>
  Object.entries(changes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);

/** Trains each variant with each seed. Compares validation scores with those of the first variant. */
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
          // a variant's own settings override those of the sample
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
    if (run === undefined) throw new TypeError("internal: each plan must have a run");
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
  const compared = compareExperiment({
    experiment,
    rows,
    curves,
    runs: { present: trained.length, declared: trained.length },
    machines: [],
    starts: { dates: [], commits: [] },
  });
  return { ...compared, trained };
}
