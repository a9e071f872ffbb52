/**
 * The results of a run: the content of `summary.json`.
 * @module
 */
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import { countParameters } from "@/model/parameters.ts";
import type { ParameterGroup } from "@/train/layerwise.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import type { RowCounts } from "@/train/run_data.ts";

/** The content of `summary.json`. */
export type RunSummary = {
  /** Name of the run folder. */
  readonly name: string;
  /** The preset of the configuration. */
  readonly preset: string;
  /** Number of completed steps. */
  readonly steps: number;
  /** Number of planned steps, if training stopped early. */
  readonly plannedSteps?: number;
  /** Tokens processed in training, without padding. */
  readonly tokens: number;
  /** Number of parameters of the model. */
  readonly parameters: number;
  /** Duration of training and of evaluation. */
  readonly seconds: { readonly train: number; readonly evaluate: number };
  /** Scores by task, then by split. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, TaskScores>>>>;
  /** With `training.earlyStopping`: the best model, which is saved in `model/`. */
  readonly best?: { readonly step: number; readonly metric: string; readonly value: number };
  /** Parameter groups from bottom to top; with gradual unfreezing, `from` is a group's first step, counted from 1. */
  readonly groups: readonly (ParameterGroup & { readonly from?: number })[];
  /** Row counts by task. */
  readonly data: Readonly<Record<string, RowCounts>>;
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[];
};

/** Measurements of a run, the input of {@link composeSummary}. */
export type Measured =
  & Pick<RunSummary, "name" | "preset" | "steps" | "tokens" | "seconds" | "scores">
  & { readonly best: RunSummary["best"] | null; readonly notes: readonly string[] };

/** Combines the measurements of a run with facts about its setup. */
export function composeSummary(
  { name, preset, steps, tokens, seconds, scores, best, notes }: Measured,
  run: PreparedRun,
): RunSummary {
  const { model, tasks, setup, groups, stepsPerStage } = run;
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
    groups: groups.map(({ stage, ...group }) => ({
      ...group,
      ...(stepsPerStage !== null && { from: stage * stepsPerStage + 1 }),
    })),
    data: Object.fromEntries(tasks.map(({ task, counts }) => [task.name, counts])),
    notes: [...run.notes, ...notes],
  };
}
