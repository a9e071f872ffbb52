/**
 * Formats scores for the terminal.
 * @module
 */
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { ScoresBySplit } from "@/export/score_run.ts";

const percent = (share: number) => (100 * share).toFixed(2);

/** Formats the scores of a split in one line, main score first. */
function formatSplit(scores: TaskScores): string {
  const [low, high] = scores.interval.map(percent);
  if ("accuracy" in scores) {
    return `accuracy ${percent(scores.accuracy)} (${low} to ${high})  ` +
      `macro-F1 ${percent(scores.macroF1)}`;
  }
  return `F1 ${percent(scores.f1)} (${low} to ${high})  strict ${percent(scores.strictF1)}  ` +
    `precision ${percent(scores.precision)}  recall ${percent(scores.recall)}`;
}

/** Formats one line per task and split, in percent, with 95 % confidence intervals. */
export function formatScores(scores: ScoresBySplit): string[] {
  const rows = Object.entries(scores).flatMap(([task, splits]) =>
    Object.entries(splits).map(([split, found]) => ({ task, split, found }))
  );
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(({ length }) => length));
  const tasks = widest(rows.map(({ task }) => task));
  const splits = widest(rows.map(({ split }) => split));
  return rows.map(({ task, split, found }) =>
    `${task.padEnd(tasks)}  ${split.padEnd(splits)}  ${formatSplit(found)}  ${found.rows} rows`
  );
}
