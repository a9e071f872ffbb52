/**
 * What a run came to: the content of `summary.json`.
 * @module
 */
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import { countParameters } from "@/model/parameters.ts";
import type { ParameterGroup } from "@/train/layerwise.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import type { RunTask } from "@/train/run_data.ts";

/** `summary.json`. */
export type RunSummary = {
  readonly name: string;
  readonly preset: string;
  readonly steps: number;
  /** Word pieces trained on, padding not counted. */
  readonly tokens: number;
  readonly parameters: number;
  readonly seconds: { readonly train: number; readonly evaluate: number };
  /** By task, then by split. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, TaskScores>>>>;
  readonly groups: readonly ParameterGroup[];
  readonly data: Readonly<Record<string, RunTask["counts"]>>;
  readonly notes: readonly string[];
};

/** Adds to what a run measured all that its setup tells. */
export function composeSummary(
  measured: Pick<RunSummary, "name" | "preset" | "tokens" | "seconds" | "scores">,
  { model, tasks, setup, notes }: PreparedRun,
): RunSummary {
  const { name, preset, tokens, seconds, scores } = measured;
  return {
    name,
    preset,
    steps: setup.steps,
    tokens,
    parameters: countParameters(model),
    seconds,
    scores,
    groups: setup.step.groups,
    data: Object.fromEntries(tasks.map(({ task, counts }) => [task.name, counts])),
    notes,
  };
}
