/**
 * Evaluates the open model of a run on the run's data sets.
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
