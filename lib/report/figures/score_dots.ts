/**
 * Main scores of several runs, as dots with intervals.
 * @module
 */

import type { ScoreDot } from "./interval_dots.ts";
import { mainMeasure, type RunRecord } from "../readers/run_record.ts";

/** A run with the name of its dots. */
type ScoredRun = { readonly name: string; readonly record: Pick<RunRecord, "summary"> };

/** Accuracy or entity F1 of every task on one split, with its interval; each task is a group. */
export function scoreDots(runs: readonly ScoredRun[], split: string): ScoreDot[] {
  return runs.flatMap(({ name, record }) =>
    Object.entries(record.summary.scores).flatMap(([task, splits]) => {
      const scores = splits[split];
      if (scores === undefined) return [];
      const { value } = mainMeasure(scores);
      return [{ name, group: task, value, interval: scores.interval }];
    })
  );
}
