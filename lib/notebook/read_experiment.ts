/**
 * Results of experiments in notebooks, complete or not: text, figures and accessors by variant and task.
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  compareResults,
  compareVariants,
  type VariantSummary,
} from "@/experiment/compare_variants.ts";
import type { PairedDifference } from "@/statistics.ts";
import { curveFigures, describeFindings } from "@/experiment/experiment_report.ts";
import { type ExperimentResults, readResults, type ResultRow } from "@/experiment/results.ts";
import { openRunPool } from "@/experiment/run_pool.ts";
import { Named } from "@/named.ts";
import { differenceDots } from "@/report/figures/difference_dots.ts";
import type { Figure } from "@/report/figures/figure.ts";
import { type Displayable, displayable } from "./displayable.ts";

const EXPERIMENTS = fileURLToPath(new URL("../../outputs/experiments", import.meta.url));

/** Mean difference of a variant to the reference, over the seeds that both have. Scores are 0 to 1. */
type NotebookDifference = {
  /** One difference per seed. */
  readonly values: readonly number[];
  readonly mean: number;
  /** Ends of the 95 % confidence interval of the mean. */
  readonly low: number;
  readonly high: number;
};

/** Results of an experiment with its variants compared. Accessors throw with the names that exist. */
export type NotebookExperiment = ExperimentResults & {
  readonly summaries: readonly VariantSummary[];
  /** Scores of a variant on a task. */
  readonly scores: (variant: string, task: string) => VariantSummary;
  /** Difference of a variant to the reference on a task. */
  readonly difference: (variant: string, task: string) => NotebookDifference;
  /** Variants that are better than the reference on a task: the 95 % confidence interval is above 0. */
  readonly better: (task: string) => readonly string[];
  /** Variants that are worse than the reference on a task: the 95 % confidence interval is below 0. */
  readonly worse: (task: string) => readonly string[];
};

/** Compares the variants of an experiment with its reference. */
export function compareExperiment(results: ExperimentResults): NotebookExperiment {
  const { reference } = results.experiment;
  const summaries = compareResults(results);
  const ofTask = (task: string) =>
    new Named("task", Map.groupBy(summaries, (summary) => summary.task)).get(task);
  const scores = (variant: string, task: string) =>
    new Named("variant", ofTask(task).map((summary) => [summary.variant, summary] as const))
      .get(variant);
  const select = (task: string, holds: (low: number, high: number) => boolean) =>
    ofTask(task).flatMap(({ variant, difference }) => {
      const interval = difference?.interval;
      return interval && holds(...interval) ? [variant] : [];
    });
  return {
    ...results,
    summaries,
    scores,
    difference: (variant, task) =>
      withInterval(scores(variant, task).difference, `${variant} and ${reference} on ${task}`),
    better: (task) => select(task, (low) => low > 0),
    worse: (task) => select(task, (_, high) => high < 0),
  };
}

/** Difference between two variants on a task. */
type RowDifference = NotebookDifference & {
  readonly task: string;
  readonly variant: string;
  readonly reference: string;
};

/**
 * Compares pairs of variants over the rows of one or more experiments, on each task.
 *
 * @throws {RangeError} if two variants share fewer than two seeds
 */
export function compareRows(
  rows: readonly ResultRow[],
  pairs: readonly (readonly [variant: string, reference: string])[],
): readonly RowDifference[] {
  return pairs.flatMap(([variant, reference]) =>
    compareVariants(rows, { variants: [variant], reference }).map(({ task, difference }) => ({
      task,
      variant,
      reference,
      ...withInterval(difference, `${variant} and ${reference} on ${task}`),
    }))
  );
}

/** A difference with its interval; throws if there is none. */
function withInterval(difference: PairedDifference | null, what: string): NotebookDifference {
  if (difference === null || difference.interval === null) {
    throw new RangeError(
      `there is no confidence interval for ${what}: they share fewer than two seeds`,
    );
  }
  const { values, mean, interval: [low, high] } = difference;
  return { values, mean, low, high };
}

/** Reads the committed experiment `name`, from `outputs/experiments/` or another `folder`. */
export async function readExperiment(
  name: string,
  { folder = EXPERIMENTS }: { readonly folder?: string } = {},
): Promise<NotebookExperiment> {
  return compareExperiment(
    await readResults(join(folder, name), openRunPool(join(folder, "runs"))),
  );
}

/** Describes an experiment and its findings in Markdown, generated from the results. */
export function tellExperiment({ experiment, runs, rows, summaries }: NotebookExperiment): string {
  const { name, title, base, reference, score, variants } = experiment;
  const seeds = [...new Set(rows.map(({ seed }) => seed))].sort((a, b) => a - b);
  if (runs.present === 0) return `**${title}:** ${describeNone(name)}`;
  const steps = base["training.maxSteps"];
  const longer = variants.some(({ set }) => "training.maxSteps" in set);
  return [
    `**${title}:** ${runs.present} of ${runs.declared} runs (seed${seeds.length > 1 ? "s" : ""} ${
      seeds.join(", ")
    }), ${
      typeof steps === "number" ? `${steps} steps${longer ? " (more in some variants)" : ""}, ` : ""
    }scored on ${score}. Differences to **${reference}** in percentage points. ` +
    `More: \`outputs/experiments/${name}/report.md\`.`,
    "",
    ...describeFindings(summaries, reference).map(({ task, sentences }) =>
      `- \`${task}\`: ${sentences.join(" ")}`
    ),
  ].join("\n");
}

function describeNone(name: string): string {
  return `no run is finished yet; \`deno task experiment outputs/experiments/${name}/experiment.json\` ` +
    "trains them.";
}

/** Figure of the differences to the reference on every task; a sentence if there is nothing to compare. */
export function experimentDifferences(
  { experiment: { name, title, reference, score }, runs, summaries }: NotebookExperiment,
): Figure | Displayable {
  const compared = summaries.flatMap(({ variant, task, measure, difference }) =>
    difference === null
      ? []
      : [{ variant, task, measure, ...difference, differences: difference.values }]
  );
  if (compared.length > 0) return differenceDots(compared, { title, reference, split: score });
  return say(
    runs.present === 0
      ? describeNone(name)
      : `no other variant shares a seed with ${reference} yet.`,
  );
}

/** Figure of the training losses of one task by variant; a sentence if the task has no run. */
export function experimentCurves(
  { experiment: { name, reference }, curves }: NotebookExperiment,
  task: string,
): Figure | Displayable {
  const own = curves.filter((row) => row.task === task);
  const [first] = curveFigures(own, { task, reference });
  return first === undefined ? say(describeNone(name)) : first[1];
}

function say(sentence: string): Displayable {
  const text = sentence[0]?.toUpperCase() + sentence.slice(1);
  return displayable({ "text/plain": text, "text/html": `<p>${text.replaceAll("`", "")}</p>` });
}
