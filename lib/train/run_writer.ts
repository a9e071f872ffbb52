/**
 * Writes validation scores and checkpoints of a run while it trains, and keeps the time that scoring takes.
 * @module
 */
import type { RunConfig } from "@/config.ts";
import { restoreWeightsInto, saveCheckpoint } from "@/train/checkpoint.ts";
import { type Best, judge, readMetric } from "@/train/early_stopping.ts";
import type { RunEvaluator, ScoresByTask } from "@/train/evaluate_run.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import type { ConfigChange } from "@/train/resume.ts";
import type { RunFolder } from "@/train/run_folder.ts";
import type { LoopState } from "@/train/train_loop.ts";

/** See the head of the file. */
export type RunWriter = {
  /** Scores validation, writes its line, and says what the best model now is, if any is sought. */
  evaluate(
    state: LoopState,
  ): Promise<{ readonly scores: ScoresByTask; readonly best: Best | null }>;
  /** Saves a checkpoint; with `evaluationDue`, before the evaluation of its step. */
  save(state: LoopState, options?: { readonly evaluationDue: boolean }): Promise<void>;
  /** Gives the model the weights of the best step, in place. */
  restoreBest(best: Best): Promise<void>;
  /** Does `work` on the time of evaluation. */
  timed<T>(work: () => Promise<T>): Promise<T>;
  evaluateSeconds(): number;
};

/** A writer for a run in its folder. */
export function createRunWriter(config: RunConfig, { run, folder, changes, ...options }: {
  readonly run: PreparedRun;
  readonly folder: RunFolder;
  /** What `config` changed when the run was resumed. */
  readonly changes: readonly ConfigChange[];
  readonly evaluator: RunEvaluator;
  readonly nowMs: () => number;
}): RunWriter {
  const { tasks, training } = config;
  const { evaluator, nowMs } = options;
  const { step: programs, tasks: streams } = run.setup;
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
    async evaluate({ step, best }) {
      const before = evaluateSeconds;
      const scores = await timed(() => evaluator.evaluate("validation"));
      const seconds = evaluateSeconds - before;
      await folder.appendMetrics({ kind: "evaluate", step, split: "validation", scores, seconds });
      if (earlyStopping === null) return { scores, best: null };
      const value = readMetric(earlyStopping.metric, tasks, scores);
      return { scores, best: judge(best, { step, value }, earlyStopping) };
    },
    async save({ trainSeconds, ...state }, { evaluationDue } = { evaluationDue: false }) {
      await saveCheckpoint(checkpoints, programs.parameters, {
        ...state,
        seconds: { train: trainSeconds, evaluate: evaluateSeconds },
        programs: await programs.readState(),
        positions: Object.fromEntries(
          [...streams].map(([name, { stream }]) => [name, stream.position()]),
        ),
        metricsLines: folder.metricsLines(),
        inputs: run.inputs,
        config,
        changes,
        evaluationDue,
      }, { keep });
    },
    restoreBest: ({ step }) => restoreWeightsInto(programs.parameters, checkpoints, step),
  };
}
