/**
 * The committed results of declared experiments, for notebooks: as many of their runs as are there.
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compareResults, type VariantSummary } from "@/experiment/compare_variants.ts";
import { curveFigures } from "@/experiment/compose_report.ts";
import { type ExperimentResults, readResults } from "@/experiment/results.ts";
import { openRunPool } from "@/experiment/run_pool.ts";
import { describeFindings } from "@/experiment/describe_findings.ts";
import { differenceDots } from "@/report/difference_dots.ts";
import type { Figure } from "@/report/figure.ts";
import { type Displayable, displayable } from "./displayable.ts";

const EXPERIMENTS = fileURLToPath(new URL("../../outputs/experiments", import.meta.url));

/** An experiment with its variants compared. */
export type ReadExperiment = ExperimentResults & {
  readonly summaries: readonly VariantSummary[];
};

/** Reads the experiment that is declared in `outputs/experiments/NAME/`; `folder` is another place of them. */
export async function readExperiment(
  name: string,
  { folder = EXPERIMENTS }: { readonly folder?: string } = {},
): Promise<ReadExperiment> {
  const results = await readResults(join(folder, name), openRunPool(join(folder, "runs")));
  return { ...results, summaries: compareResults(results) };
}

/** Markdown on how many runs are there and what they show, all of it from the numbers. */
export function tellExperiment({ experiment, runs, rows, summaries }: ReadExperiment): string {
  const { name, title, base, reference, score, variants } = experiment;
  const seeds = [...new Set(rows.map(({ seed }) => seed))].sort((a, b) => a - b);
  if (runs.present === 0) return `**${title}:** ${describeNone(name)}`;
  const steps = base["training.maxSteps"];
  const longer = variants.some(({ set }) => "training.maxSteps" in set);
  return [
    `**${title}:** ${runs.present} of ${runs.declared} runs are there (seed${
      seeds.length > 1 ? "s" : ""
    } ${seeds.join(", ")}), ${
      typeof steps === "number"
        ? `${steps} steps${longer ? ", more where a variant sets them" : ""}, `
        : ""
    }scored on ${score}; differences to **${reference}** in points of 100. ` +
    `More: \`outputs/experiments/${name}/report.md\`.`,
    "",
    ...describeFindings(summaries, reference).map(({ task, sentences }) =>
      `- \`${task}\`: ${sentences.join(" ")}`
    ),
  ].join("\n");
}

function describeNone(name: string): string {
  return `none of its runs is there yet; \`deno task experiment outputs/experiments/${name}/experiment.json\` ` +
    "does them.";
}

/** The paired differences to the reference on every task; a sentence where there is nothing to compare. */
export function experimentDifferences(
  { experiment: { name, title, reference, score }, runs, summaries }: ReadExperiment,
): Figure | Displayable {
  const compared = summaries.flatMap(({ variant, task, measure, difference }) =>
    difference === null
      ? []
      : [{ variant, task, measure, ...difference, differences: difference.values }]
  );
  if (compared.length > 0) return differenceDots(compared, { title, reference, split: score });
  return say(
    runs.present === 0 ? describeNone(name) : `no other variant has a seed of ${reference} yet.`,
  );
}

/** Training losses of one task by variant; a sentence where no run of it is there. */
export function experimentCurves(
  { experiment: { name, reference }, curves }: ReadExperiment,
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
