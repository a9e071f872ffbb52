/**
 * Evaluates the open model of a run on the run's data sets. Scores have accessors by task and split, which throw with the
 * names that exist.
 * @module
 */

import { join } from "node:path";
import type { RunConfig, TaskConfig } from "@/config/config.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { TextModel } from "@/eval/text_model.ts";
import { isFile, readJson } from "@/system/files.ts";
import type { ProgressView } from "@/progress.ts";
import { readSummary } from "@/report/readers/read_parts.ts";
import { didYouMean } from "@/suggest.ts";
import { resolvePrompt } from "@/text/prompts.ts";
import { createRunEvaluator, type RunEvaluator, UNSEEN } from "@/train/evaluate_run.ts";
import { encodeEvaluation, type EvaluationTask, loadRunRows } from "@/train/run_data.ts";
import type { ClassificationScores } from "@/eval/classification.ts";
import type { EntityScores } from "@/eval/entities.ts";
import { Named } from "@/named.ts";
import { isClassification, type MainMeasure, mainMeasure } from "@/report/readers/run_record.ts";

/** Scores by task and split. */
export type ScoresBySplit = Readonly<Record<string, Readonly<Record<string, TaskScores>>>>;

/** Throws if no task has this split; call it before anything is loaded. */
export function checkSplit(split: string, tasks: readonly TaskConfig[]): void {
  const known = [...new Set(["validation", "test", ...tasks.flatMap(({ alsoTest }) => alsoTest)])];
  if (known.includes(split)) return;
  throw new RangeError(
    `Unknown split ${split}${
      split === UNSEEN ? " (it is part of test)" : didYouMean(split, known)
    }: choose one of ${known.join(", ")}`,
  );
}

/** Temperatures that the run fitted on its validation split, by task; empty if the run has not finished. */
async function readTemperatures(run: string): Promise<Record<string, number>> {
  const file = join(run, "summary.json");
  if (!await isFile(file)) return {};
  const { scores } = readSummary(await readJson(file, "run"), { file, key: "" });
  return Object.fromEntries(
    Object.entries(scores).flatMap(([task, { validation }]) =>
      validation && "temperature" in validation && validation.temperature !== undefined
        ? [[task, validation.temperature] as const]
        : []
    ),
  );
}

/** Evaluates one split; `test` also evaluates the additional test sets and the unseen rows. */
async function scoreSplit(evaluator: RunEvaluator, split: string): Promise<ScoresBySplit> {
  if (split === "test") return await evaluator.evaluateTests();
  const scores = Object.entries(await evaluator.evaluate(split));
  return Object.fromEntries(scores.map(([task, found]) => [task, { [split]: found }]));
}

/** Evaluates `split` of every task; `test` includes the data sets of `alsoTest` and the unseen rows. */
export async function scoreRun(model: TextModel, { run, config, split, view, onPredictions }: {
  /** Folder of the run. */
  readonly run: string;
  readonly config: RunConfig;
  readonly split: string;
  readonly view: ProgressView;
  readonly onPredictions?: (record: PredictionRecord) => void;
}): Promise<ScoresBySplit> {
  checkSplit(split, config.tasks);
  const { tokenizer, settings: { maxLength, prompts } } = model;
  const prompt = resolvePrompt(prompts);
  const tasks: EvaluationTask[] = [];
  for (const task of await loadRunRows(config)) {
    tasks.push(await encodeEvaluation(task, { tokenizer, maxLength, prompt }));
  }
  const evaluator = createRunEvaluator(tasks, {
    predictorOf: (task) => model.predictorOf(task, config.training.lengths),
    view,
    temperatures: await readTemperatures(run),
    onPredictions: (record) => Promise.resolve(onPredictions?.(record)),
  });
  const scores = await scoreSplit(evaluator, split);
  await view.finish();
  return scores;
}

/**
 * Scores by task and split. The split defaults to `test`, or to the first one if test was not scored.
 *
 * @example
 * ```ts
 * import { loadRun } from "@/api/library.ts";
 * const { scores } = await loadRun("outputs/minilm-float32");
 * scores.classification("ag_news").accuracy; // 0.9317…
 * scores.entities("conll2003").f1; // 0.8423…
 * scores.main("conll2003"); // { measure: "entity F1", value: 0.8423… }
 * ```
 */
export class RunScores {
  /** All scores by task, then by split, as `summary.json` holds them. */
  readonly bySplit: ScoresBySplit;

  /** Wraps scores as `summary.json` holds them. */
  constructor(bySplit: ScoresBySplit) {
    this.bySplit = bySplit;
  }

  /** Names of the tasks. */
  get tasks(): readonly string[] {
    return Object.keys(this.bySplit);
  }

  /** Scores of each split of a task. */
  splits(task: string): Named<TaskScores> {
    const splits = new Named("task", this.bySplit).get(task);
    return new Named(`split of ${task}`, splits);
  }

  /** Scores of a task, of either kind. */
  get(task: string, split?: string): TaskScores {
    const splits = this.splits(task);
    return splits.get(split ?? (splits.has("test") ? "test" : splits.names[0] ?? "test"));
  }

  /** Scores of a classification task; throws a TypeError if the task is a tagging task. */
  classification(task: string, split?: string): ClassificationScores {
    const scores = this.get(task, split);
    if (isClassification(scores)) return scores;
    throw new TypeError(`${task} is a tagging task: read its scores with entities("${task}")`);
  }

  /** Scores of a tagging task; throws a TypeError if the task is a classification task. */
  entities(task: string, split?: string): EntityScores {
    const scores = this.get(task, split);
    if (!isClassification(scores)) return scores;
    throw new TypeError(
      `${task} is a classification task: read its scores with classification("${task}")`,
    );
  }

  /** Accuracy of a classification task or entity F1 of a tagging task, 0 to 1. */
  main(task: string, split?: string): MainMeasure {
    return mainMeasure(this.get(task, split));
  }
}
