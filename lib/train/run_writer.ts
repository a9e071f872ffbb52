/**
 * Evaluates a run on validation and saves checkpoints during training, and measures the time spent on evaluation.
 * @module
 */
import type { RunConfig } from "@/config/config.ts";
import { restoreWeightsInto, saveCheckpoint } from "@/train/checkpoint.ts";
import { type Best, readMetric, updateBest } from "@/train/early_stopping.ts";
import type { RunEvaluator, ScoresByTask } from "@/train/evaluate_run.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import type { ConfigChange } from "@/train/resume.ts";
import type { RunFolder } from "@/train/run_folder.ts";
import type { LoopState } from "@/train/train_loop.ts";

/** Evaluates and saves a run during training. */
export type RunWriter = {
  /** Evaluates on validation, appends a line to `metrics.jsonl`, and updates the best model if early stopping is on. */
  evaluate(
    state: LoopState,
  ): Promise<{ readonly scores: ScoresByTask; readonly best: Best | null }>;
  /** Saves a checkpoint; `evaluationDue` is true if the step still has to be evaluated. */
  save(state: LoopState, options?: { readonly evaluationDue: boolean }): Promise<void>;
  /** Restores the weights of the best step into the model, in place. */
  restoreBest(best: Best): Promise<void>;
  /** Runs `work` and counts its duration as evaluation time. */
  timed<T>(work: () => Promise<T>): Promise<T>;
  evaluateSeconds(): number;
};

/** Creates the writer of a run. */
export function createRunWriter(config: RunConfig, { run, folder, changes, ...options }: {
  readonly run: PreparedRun;
  readonly folder: RunFolder;
  /** Configuration changes made when the run was resumed. */
  readonly changes: readonly ConfigChange[];
  readonly evaluator: RunEvaluator;
  readonly nowMs: () => number;
}): RunWriter {
  const { tasks, training } = config;
  const { evaluator, nowMs } = options;
  const { parameters } = run.start.train;
  const { earlyStopping, keepCheckpoints: keep } = training;
  const checkpoints = folder.path("checkpoint");
  let evaluateSeconds = run.saved?.seconds.evaluate ?? 0;
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const startMs = nowMs();
    const result = await work();
    evaluateSeconds += (nowMs() - startMs) / 1000;
    return result;
  };
  return {
    timed,
    evaluateSeconds: () => evaluateSeconds,
    async evaluate({ train: { step }, best }) {
      const before = evaluateSeconds;
      const scores = await timed(() => evaluator.evaluate("validation"));
      const seconds = evaluateSeconds - before;
      await folder.appendMetrics({ kind: "evaluate", step, split: "validation", scores, seconds });
      if (earlyStopping === null) return { scores, best: null };
      const value = readMetric(earlyStopping.metric, tasks, scores);
      return { scores, best: updateBest(best, { step, value }, earlyStopping) };
    },
    async save(state, { evaluationDue } = { evaluationDue: false }) {
      const { train: { step, skipped, updates, lossScaler }, tokens, sums, best } = state;
      await saveCheckpoint(checkpoints, parameters, {
        step,
        skipped,
        tokens,
        sums,
        best,
        seconds: { train: state.trainSeconds, evaluate: evaluateSeconds },
        programs: { updates, lossScaler },
        positions: Object.fromEntries(
          [...run.setup.tasks].map(([name, { stream }]) => [name, stream.position()]),
        ),
        metricsLines: folder.metricsLines(),
        inputs: run.inputs,
        config,
        changes,
        evaluationDue,
      }, { keep });
    },
    restoreBest: ({ step }) => restoreWeightsInto(parameters, checkpoints, step),
  };
}
