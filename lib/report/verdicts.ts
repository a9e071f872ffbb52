/**
 * The verdict of a report: the model's scores on validation beside those of baselines.
 * @module
 */

import { type BaselineName, BASELINES, type TaskVerdict } from "@/train/baselines.ts";
import { formatCount, formatPercent } from "./format.ts";
import type { LearningCurve } from "@/train/learning_curve.ts";
import { escapeMarkdown, formatTable, numbers, words } from "./tables.ts";

/** One sentence that says if a trained model is better than the best baseline. */
export function describeVerdict(
  { task, measure, score, baselines, best, difference, interval, verdict }: TaskVerdict,
): string {
  const known = baselines.find(({ name }) => name === best)?.score ?? NaN;
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
    `${formatPoints(difference)} points (95 % interval ${formatPoints(interval[0])} to ${
      formatPoints(interval[1])
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

/** One sentence that says if more training rows would help, from the step from half of the rows to all. */
export function describeLearningCurve(
  { task, measure, points, difference, interval }: LearningCurve,
): string {
  const all = points.at(-1);
  const claim = interval[0] > 0
    ? "more rows would probably help"
    : interval[1] < 0
    ? "more rows of this kind did not help"
    : "no sign that more rows would help";
  return `**${escapeMarkdown(task)}: ${claim}.** From half of the ${
    formatCount(all?.rows ?? 0)
  } training rows to all, ${measure === "f1" ? "entity F1" : "accuracy"} changes by ${
    formatPoints(difference)
  } points (95 % interval ${formatPoints(interval[0])} to ${formatPoints(interval[1])}).`;
}

/** Notes below the learning curves. */
export const LEARNING_CURVE_NOTES = [
  "Each point is a training of the same number of steps on a random sample of the training rows, scored on all validation rows. Whiskers are 95 % bootstrap intervals over validation rows; they do not cover the choice of the seed.",
];

/** A difference in percentage points with its sign. */
function formatPoints(value: number): string {
  return `${value >= 0 ? "+" : "−"}${formatPercent(Math.abs(value))}`;
}
