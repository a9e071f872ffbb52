/**
 * A complete run: preparation, training, evaluation and the run folder.
 * @module
 */
import type { RunConfig } from "@/config/config.ts";
import { currentEngine } from "@/engine/engine.ts";
import { createPredictor } from "@/eval/predict_examples.ts";
import { readPredictions, writePredictions } from "@/eval/prediction_record.ts";
import { isFile, readJson } from "@/system/files.ts";
import { checkInterrupt, joinInterrupts, untilInterrupt } from "@/system/interrupt.ts";
import { saveModel } from "@/model/save_model.ts";
import { type ProgressView, SILENT } from "@/progress.ts";
import { writeBaselines, writeVerdicts } from "@/train/baselines.ts";
import { readNewestState } from "@/train/checkpoint.ts";
import { chooseErrors, writeErrors } from "@/train/choose_errors.ts";
import { chooseExamples } from "@/train/choose_examples.ts";
import { createRunFolder, openRunFolder, type RunFolder } from "@/train/run_folder.ts";
import { isOutOfPatience } from "@/train/early_stopping.ts";
import { createRunEvaluator, type RunEvaluator, type ScoresByTask } from "@/train/evaluate_run.ts";
import { type PreparedRun, prepareRun } from "@/train/prepare_run.ts";
import { describeEngine, type RunEnvironment, writeEnvironment } from "@/train/run_environment.ts";
import {
  checkStepsLeft,
  compareConfigs,
  describeChange,
  describeResume,
  extendsRun,
  TrainingInterrupted,
} from "@/train/resume.ts";
import { composeSummary, type RunSummary } from "@/train/run_summary.ts";
import { createRunWriter, type RunWriter } from "@/train/run_writer.ts";
import { averageLosses, describeStep, type LoopState, runStep } from "@/train/train_loop.ts";

/** A completed step, as passed to `onStep`. */
export type StepEvent = {
  /** Number of completed steps. */
  readonly step: number;
  /** Number of steps in the run. */
  readonly steps: number;
  /** Mean loss per label in this step, by task; a task without labels or with a non-finite loss is omitted. */
  readonly losses: Readonly<Record<string, number>>;
  /** Tokens processed so far, without padding. */
  readonly tokens: number;
  /** Seconds of training so far. */
  readonly seconds: number;
};

/** Options of {@link trainRun}. */
export type TrainOptions = {
  /** The run folder: empty or missing for a new run; with `resume`, the folder of the run to resume. */
  readonly out: string;
  /** Resumes from the newest checkpoint in the folder, or starts from step 0 if there is none. Default: false. */
  readonly resume?: boolean;
  /** Clock in milliseconds; default: `performance.now`. */
  readonly nowMs?: () => number;
  /**
   * Entries for `environment.json`, in addition to date, commit and command; they override entries of the same name.
   * For a resumed run, only differences from its start are recorded. Default: machine, software and engine.
   */
  readonly environment?: RunEnvironment;
  /** Shows progress; default: none. */
  readonly view?: ProgressView;
  /** Called after each step. */
  readonly onStep?: (event: StepEvent) => void;
  /** Called with notes for the user: most before the first step, some after the last. */
  readonly onNote?: (note: string) => void;
  /**
   * If it is aborted during training, the run completes its current step, saves a checkpoint and stops. During
   * preparation or evaluation it stops at once. An interrupt of the Jupyter kernel has the same effect.
   */
  readonly signal?: AbortSignal;
};

/** Throws if the open engine has another device or precision than the configuration, which the run records. */
function checkEngine({ device, precision }: RunConfig): void {
  const engine = currentEngine();
  if (engine === null) return;
  if (engine.device !== device) {
    throw new TypeError(
      `Cannot train on device ${device}: the open engine has device ${engine.device}`,
    );
  }
  if (engine.precision !== precision) {
    throw new TypeError(
      `Cannot train in ${precision}: the open engine has precision ${engine.precision}`,
    );
  }
}

/**
 * Trains, evaluates and saves a run. Its folder then has everything but the report.
 *
 * @throws {TrainingInterrupted} if `signal` was aborted; its `resumable` tells if `resume` can continue the run
 */
export async function trainRun(config: RunConfig, options: TrainOptions): Promise<RunSummary> {
  const { out, resume = false, view = SILENT, onNote = () => {} } = options;
  const { nowMs = () => performance.now(), environment = describeEngine() } = options;
  const signal = joinInterrupts(options.signal);
  checkEngine(config);
  const folder = resume ? await openRunFolder(out) : await createRunFolder(out);
  const checkpoints = folder.path("checkpoint");
  const newest = resume ? await readNewestState(checkpoints) : null;
  const changed = newest === null ? [] : compareConfigs(newest, config);
  const changes = [...newest?.changes ?? [], ...changed];
  const summaryPath = folder.path("summary.json");
  if (resume && !extendsRun(changed) && await isFile(summaryPath)) {
    onNote(`the run in ${out} is complete: there is nothing left to train`);
    return await readJson(summaryPath, "summary") as RunSummary;
  }
  const run = await untilInterrupt(
    prepareRun(config, resume ? checkpoints : null, { view, signal }),
    {
      signal,
      explain: () =>
        new TrainingInterrupted(
          "while data and model were loaded",
          resume ? `the run in ${out} is unchanged` : "nothing was written",
          resume,
        ),
      discard: (late) => late.dispose(),
    },
  ).catch(async (error) => {
    await view.finish();
    throw error;
  });
  try {
    checkStepsLeft(run);
    // These files are written only after data and model are loaded: a run that cannot start leaves no trace.
    if (await isFile(summaryPath)) await Deno.remove(summaryPath);
    await folder.writeJson("config.json", config);
    await writeEnvironment(folder, config, {
      environment,
      resumedAt: resume ? run.saved?.step ?? 0 : null,
    });
    await folder.truncateMetrics(run.saved?.metricsLines ?? 0);
    if (resume) onNote(describeResume(run));
    changed.map(describeChange).forEach(onNote);
    run.notes.forEach(onNote);
    const { pad: padId, cls: clsId } = run.tokenizer.ids;
    const { lengths } = config.training;
    const evaluator = createRunEvaluator(run.tasks, {
      predictorOf: (task) => createPredictor(run.model, task, { lengths, padId, clsId }),
      view,
      onBatch: () =>
        checkInterrupt(
          signal,
          () =>
            new TrainingInterrupted(
              "while the trained model was evaluated",
              `its weights are saved in ${checkpoints}`,
              true,
            ),
        ),
      onPredictions: (record) => writePredictions(folder.dir, record), // replaces earlier ones
    });
    const writer = createRunWriter(config, { run, folder, changes, evaluator, nowMs });
    if (config.data.baselines && run.saved === null) {
      await writeBaselines(folder.dir, run.tasks, {
        model: run.model,
        lengths,
        padId,
        clsId,
        seed: config.seed,
        view,
        onBatch: () =>
          checkInterrupt(
            signal,
            () =>
              new TrainingInterrupted("while baselines were computed", "no step was done", false),
          ),
      });
    }
    const state = await trainSteps(config, { ...options, nowMs, view, signal }, {
      run,
      folder,
      writer,
    });
    const chosen = await chooseModel(config, state, { run, writer, evaluator });
    chosen.notes.forEach(onNote);
    const { validation, best, notes } = chosen;
    const tests: Awaited<ReturnType<RunEvaluator["evaluateTests"]>> = config.data.scoreTest
      ? await writer.timed(() => evaluator.evaluateTests())
      : {};
    const { tokenizer, prompts } = run;
    const { maxLength } = config.model;
    await saveModel(folder.path("model"), run.model, { tokenizer, maxLength, prompts });
    await folder.writeJson("examples.json", chooseExamples(config, run.tasks));
    await writeVerdicts(folder.dir);
    const predictions = await readPredictions(folder.dir);
    await writeErrors(folder.dir, chooseErrors(config, run.tasks, predictions));
    const summary = composeSummary({
      name: folder.name,
      preset: config.preset,
      steps: state.train.step,
      tokens: state.tokens,
      seconds: { train: state.trainSeconds, evaluate: writer.evaluateSeconds() },
      scores: Object.fromEntries(run.tasks.map(({ task: { name } }) => [name, {
        ...(validation[name] && { validation: validation[name] }),
        ...tests[name],
      }])),
      best,
      notes: [...changes.map(describeChange), ...notes],
    }, run);
    await folder.writeJson("summary.json", summary);
    return summary;
  } finally {
    await view.finish();
    run.dispose();
  }
}

/** Evaluates the last model and, with early stopping, restores the best one. */
async function chooseModel(
  { training: { earlyStopping } }: RunConfig,
  state: LoopState,
  { run, writer, evaluator }: {
    readonly run: PreparedRun;
    readonly writer: RunWriter;
    readonly evaluator: RunEvaluator;
  },
): Promise<{
  readonly validation: ScoresByTask;
  readonly best: RunSummary["best"] | null;
  readonly notes: readonly string[];
}> {
  const stopped = isOutOfPatience(state.best, earlyStopping);
  const last = stopped ? null : await writer.evaluate(state);
  const best = last?.best ?? state.best;
  if (earlyStopping === null || best === null) {
    return { validation: last?.scores ?? {}, best: null, notes: [] };
  }
  const { step, value } = best;
  const { metric } = earlyStopping;
  const notes = [
    `${
      stopped ? `Stopped early, after step ${state.train.step} of ${run.setup.steps}. ` : ""
    }The model is ` +
    `from step ${step}, which has the best ${metric}: ${value.toFixed(4)}.`,
  ];
  const kept = { step, metric, value };
  if (last !== null && step === state.train.step) {
    return { validation: last.scores, best: kept, notes };
  }
  await writer.restoreBest(best);
  // Evaluate again, because this fits the calibration temperatures of the restored model.
  const validation = await writer.timed(() => evaluator.evaluate("validation"));
  return { validation, best: kept, notes };
}

/** Runs the remaining steps, with evaluations and checkpoints, and returns the state after the last step. */
async function trainSteps(
  { training }: RunConfig,
  options: Pick<TrainOptions, "onStep"> & {
    readonly nowMs: () => number;
    readonly view: ProgressView;
    readonly signal: AbortSignal | undefined;
  },
  { run, folder, writer }: {
    readonly run: PreparedRun;
    readonly folder: RunFolder;
    readonly writer: RunWriter;
  },
): Promise<LoopState> {
  const { nowMs, view, onStep, signal } = options;
  const { saved } = run;
  const setup = { ...run.setup, nowMs };
  const { steps } = setup;
  const { earlyStopping } = training;
  let state = run.start;
  const isDue = (every: number | null) => every !== null && state.train.step % every === 0;
  const interrupted = (step: number) =>
    new TrainingInterrupted(
      `after step ${step} of ${steps}`,
      `it is saved in ${folder.path("checkpoint")}`,
      true,
    );
  let evaluationDue = saved?.evaluationDue ?? false; // true if the evaluation was interrupted
  while (evaluationDue || state.train.step < steps && !isOutOfPatience(state.best, earlyStopping)) {
    if (!evaluationDue) {
      const { state: next, losses, line } = await runStep(setup, state);
      state = next;
      const { train: { step }, tokens, trainSeconds: seconds, sums } = state;
      const shown = line?.losses ?? averageLosses(sums.losses); // a mean over several steps is less noisy
      view.update(describeStep({ step, steps, losses: shown, tokens, seconds }));
      onStep?.({ step, steps, losses, tokens, seconds });
      if (line !== null) await folder.appendMetrics(line);
      evaluationDue = step < steps && isDue(training.evaluateEvery);
    }
    if (evaluationDue) {
      try {
        state = { ...state, best: (await writer.evaluate(state)).best };
      } catch (error) {
        if (!(error instanceof Deno.errors.Interrupted)) throw error;
        await writer.save(state, { evaluationDue }); // a resumed run starts with it
        throw interrupted(state.train.step);
      }
    }
    evaluationDue = false;
    const { step } = state.train;
    const stops = signal?.aborted === true && step < steps;
    const ends = step === steps || isOutOfPatience(state.best, earlyStopping);
    const better = state.best?.step === step; // the end of the run restores it
    if (ends || stops || better || isDue(training.checkpointEvery)) await writer.save(state);
    if (stops && !ends) throw interrupted(step);
  }
  return state;
}
