/**
 * Evaluation of a run's model on the splits of its tasks.
 * @module
 */
import {
  fitRowTemperature,
  predictRows,
  scoreRows,
  type TaskScores,
} from "@/eval/evaluate_rows.ts";
import type { Predictor } from "@/eval/predict_examples.ts";
import { type PredictionRecord, recordPredictions } from "@/eval/prediction_record.ts";
import type { ProgressView } from "@/progress.ts";
import type { EvaluationTask } from "@/train/run_data.ts";

/** Key of the scores on test rows whose text does not occur in train. */
export const UNSEEN = "test-unseen";

/** Scores by task. */
export type ScoresByTask = Readonly<Record<string, TaskScores>>;

/** Evaluates a model with its current weights; its compiled programs are reused between calls. */
export type RunEvaluator = {
  /** Scores of every task on `split`; tasks without that split are omitted. */
  evaluate(split: string): Promise<ScoresByTask>;
  /** Scores by task on all splits except validation: test, test-unseen and the data sets of `alsoTest`. */
  evaluateTests(): Promise<Readonly<Record<string, Readonly<Record<string, TaskScores>>>>>;
};

/** Options of {@link createRunEvaluator}. */
type RunEvaluatorOptions = {
  /** Shows progress. */
  readonly view: ProgressView;
  /** Calibration temperatures by task, already fitted; each evaluation of validation fits them again. */
  readonly temperatures?: Readonly<Record<string, number>>;
  /** Called after each batch; if it throws, the evaluation ends with that error. */
  readonly onBatch?: () => void;
  /** Creates the predictor of a task. */
  readonly predictorOf: (task: string) => Predictor;
  /** Receives the predictions for the rows of a split after it is scored. */
  readonly onPredictions?: (record: PredictionRecord) => Promise<unknown>;
};

/** Creates an evaluator for the tasks of a run. */
export function createRunEvaluator(
  tasks: readonly EvaluationTask[],
  options: RunEvaluatorOptions,
): RunEvaluator {
  const { view, predictorOf, onPredictions, onBatch = () => {} } = options;
  const temperatures = new Map(Object.entries(options.temperatures ?? {}));
  const predictors = new Map(tasks.map(({ task: { name } }) => [name, predictorOf(name)]));

  /** Scores one task on one split; on test, also on the unseen rows if some rows of test occur in train. */
  const score = async ({ task, evaluation, unseen }: EvaluationTask, split: string) => {
    const set = evaluation.get(split), predictor = predictors.get(task.name);
    if (set === undefined || predictor === undefined) return null;
    const label = `evaluate ${task.name} ${split}`;
    const predictions = await predictRows(
      predictor,
      task,
      set,
      (done, total) => {
        view.update({ done, total, label });
        onBatch();
      },
    );
    const { name, labels } = task;
    if (split === "validation") {
      const fitted = fitRowTemperature(set.rows, predictions);
      if (fitted !== undefined) temperatures.set(name, fitted);
    }
    const temperature = temperatures.get(name);
    const scores = {
      all: scoreRows(set.rows, predictions, { labels, temperature }),
      unseen: split === "test" && unseen !== null && unseen.length > 0
        ? scoreRows(set.rows, predictions, { labels, temperature, chosen: unseen })
        : null,
    };
    await onPredictions?.(recordPredictions({ task: name, split, labels }, set.rows, predictions));
    return scores;
  };

  return {
    async evaluate(split) {
      const scores: Record<string, TaskScores> = {};
      for (const task of tasks) {
        const found = await score(task, split);
        if (found !== null) scores[task.task.name] = found.all;
      }
      return scores;
    },
    async evaluateTests() {
      const scores: Record<string, Record<string, TaskScores>> = {};
      for (const task of tasks) {
        const own: Record<string, TaskScores> = {};
        for (const split of task.evaluation.keys()) {
          if (split === "validation") continue;
          const found = await score(task, split);
          if (found === null) continue;
          own[split] = found.all;
          if (found.unseen !== null) own[UNSEEN] = found.unseen;
        }
        scores[task.task.name] = own;
      }
      return scores;
    },
  };
}
