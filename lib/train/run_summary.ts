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
  /** Steps done. */
  readonly steps: number;
  /** Steps of the schedule, where training stopped before them. */
  readonly plannedSteps?: number;
  /** Word pieces trained on, padding not counted. */
  readonly tokens: number;
  readonly parameters: number;
  readonly seconds: { readonly train: number; readonly evaluate: number };
  /** By task, then by split. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, TaskScores>>>>;
  /** The best model, which `model/` holds, where `training.earlyStopping` asked for it. */
  readonly best?: { readonly step: number; readonly metric: string; readonly value: number };
  /** From the lowest to the highest; `from` is the step, counted from 1, in which a group begins late. */
  readonly groups: readonly (ParameterGroup & { readonly from?: number })[];
  readonly data: Readonly<Record<string, RunTask["counts"]>>;
  readonly notes: readonly string[];
};

/** What {@link composeSummary} cannot know from a run's setup. */
export type Measured =
  & Pick<RunSummary, "name" | "preset" | "steps" | "tokens" | "seconds" | "scores">
  & { readonly best: RunSummary["best"] | null; readonly notes: readonly string[] };

/** Adds to what a run measured all that its setup tells. */
export function composeSummary(
  { name, preset, steps, tokens, seconds, scores, best, notes }: Measured,
  run: PreparedRun,
): RunSummary {
  const { model, tasks, setup } = run;
  return {
    name,
    preset,
    steps,
    ...(steps < setup.steps && { plannedSteps: setup.steps }),
    tokens,
    parameters: countParameters(model),
    seconds,
    scores,
    ...(best && { best }),
    groups: setup.step.groups.map(({ stage, ...group }) => ({
      ...group,
      ...(setup.stepsPerStage !== null && { from: stage * setup.stepsPerStage + 1 }),
    })),
    data: Object.fromEntries(tasks.map(({ task, counts }) => [task.name, counts])),
    notes: [...run.notes, ...notes],
  };
}
