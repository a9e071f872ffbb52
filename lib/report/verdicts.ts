/**
 * The verdict of a report: the model's scores on validation beside those of baselines.
 * @module
 */

import { type BaselineName, BASELINES, type TaskVerdict } from "@/train/baselines.ts";
import { formatPercent } from "./format.ts";
import { escapeMarkdown, formatTable, numbers, words } from "./tables.ts";

/** One sentence that says if a trained model is better than the best baseline. */
export function describeVerdict(
  { task, measure, score, baselines, best, difference, interval, verdict }: TaskVerdict,
): string {
  const known = baselines.find(({ name }) => name === best)?.score ?? NaN;
  const points = (value: number) => `${value >= 0 ? "+" : "−"}${formatPercent(Math.abs(value))}`;
  const relation = {
    better: "better than",
    "no better": "no better than",
    worse: "worse than",
  }[verdict];
  const advice = verdict === "better"
    ? ""
    : known > 0.99
    ? " The baseline leaves no room for improvement: the task is easy, or rows of validation are in train."
    : " More rows, more steps or a pretrained encoder may help.";
  return `**${escapeMarkdown(task)}: the model is ${relation} the best baseline.** It has ${
    formatPercent(score)
  } % ${measure === "f1" ? "entity F1" : "accuracy"}, ${BASELINES[best]} has ${
    formatPercent(known)
  } %: ` +
    `${points(difference)} points (95 % interval ${points(interval[0])} to ${
      points(interval[1])
    }).${advice}`;
}

/** Table of the scores of model and baselines. */
export function verdictTable(verdicts: readonly TaskVerdict[]): string {
  const names = (Object.keys(BASELINES) as BaselineName[]).filter((name) =>
    verdicts.some(({ baselines }) => baselines.some((each) => each.name === name))
  );
  const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
  return formatTable(
    [...words("Task"), ...numbers("Model", ...names.map((name) => capital(BASELINES[name])))],
    verdicts.map(({ task, score, baselines }) => [
      task,
      formatPercent(score),
      ...names.map((name) => {
        const found = baselines.find((each) => each.name === name);
        return found === undefined ? "" : formatPercent(found.score);
      }),
    ]),
  );
}

/** Notes below {@link verdictTable}. */
export const VERDICT_NOTES = [
  "Scores are percentages of the validation rows. Intervals of differences are by the paired bootstrap over rows; they do not cover the choice of the seed.",
  "TF-IDF vectors count words and word pairs. The linear probe is logistic regression on the vectors of the encoder before training, from at most 2,000 rows.",
];
