/**
 * A whole run: preparation, training, evaluation, and the folder that holds it all.
 * @module
 */
import type { RunConfig } from "@/config.ts";
import { currentEngine } from "@/engine/engine.ts";
import { createPredictor } from "@/eval/predict_examples.ts";
import { readPredictions, writePredictions } from "@/eval/prediction_files.ts";
import { isFile, readJson } from "@/files.ts";
import { checkInterrupt, joinInterrupts, untilInterrupt } from "@/interrupt.ts";
import { saveModel } from "@/model/save_model.ts";
import { type ProgressView, SILENT } from "@/progress.ts";
import { readNewestState, type RunState } from "@/train/checkpoint.ts";
import { chooseErrors, writeErrors } from "@/train/choose_errors.ts";
import { chooseExamples } from "@/train/choose_examples.ts";
import { createRunFolder, openRunFolder, type RunFolder } from "@/train/run_folder.ts";
import { hasStopped } from "@/train/early_stopping.ts";
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
import { describeStep } from "@/train/step_progress.ts";
import { averageLosses, LOOP_START, type LoopState, runStep } from "@/train/train_loop.ts";

/** What a step did, for whoever watches. */
export type StepEvent = {
  /** Steps done. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Loss of this step's batch, by task. */
  readonly losses: Readonly<Record<string, number>>;
  /** Word pieces seen so far. */
  readonly tokens: number;
  /** Seconds spent training so far. */
  readonly seconds: number;
};

/** Where a run is written and who watches it. */
export type TrainOptions = {
  /** The run's folder: empty or not there yet; with `resume`, that of the run to go on with. */
  readonly out: string;
  /** Goes on from the folder's checkpoint, or from the start where none was saved yet. */
  readonly resume?: boolean;
  /** A clock in milliseconds; by default `performance.now`. */
  readonly nowMs?: () => number;
  /**
   * What `environment.json` will hold beside date, commit and command, which it may replace; of a resumed
   * run, what differs from its beginning.
   */
  readonly environment?: RunEnvironment;
  readonly view?: ProgressView;
  readonly onStep?: (event: StepEvent) => void;
  /** What a reader of the run should know, a sentence each, before the first step. */
  readonly onNote?: (note: string) => void;
  /**
   * Once aborted, the run saves a checkpoint after the step it is in, and stops; while it is prepared or
   * evaluated it stops at once. An interrupt of the Jupyter kernel that it runs in does the same.
   */
  readonly signal?: AbortSignal;
};

/** Refuses to record one device or precision and compute by another. */
function checkEngine({ device, precision }: RunConfig): void {
  const engine = currentEngine();
  if (engine === null) return;
  if (engine.device !== device) {
    throw new TypeError(
      `Cannot train on ${device} as the engine must be opened for that device: it is ${engine.device}`,
    );
  }
  if (engine.precision !== precision) {
    throw new TypeError(
      `Cannot train in ${precision} as the engine must be opened with that precision: it has ` +
        engine.precision,
    );
  }
}

/** Trains, evaluates and saves a run; its folder then holds all but the report. */
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
  const ended = folder.path("summary.json");
  if (resume && !extendsRun(changed) && await isFile(ended)) {
    onNote(`the run in ${out} has ended: nothing is left to train`);
    return await readJson(ended, "summary") as RunSummary;
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
    // Written once data and model are known to be there: a run that cannot start leaves no trace.
    if (await isFile(ended)) await Deno.remove(ended);
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
      onPredictions: (record) => writePredictions(folder.dir, record), // the last of each split stays
    });
    const writer = createRunWriter(config, {
      run,
      folder,
      changes,
      evaluator,
      nowMs,
    });
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
    const predictions = await readPredictions(folder.dir);
    await writeErrors(folder.dir, chooseErrors(config, run.tasks, predictions));
    const summary = composeSummary({
      name: folder.name,
      preset: config.preset,
      steps: state.step,
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

/** What a run leaves behind: the model as it stands, now the best one where that was asked for. */
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
  const stopped = hasStopped(state.best, earlyStopping);
  const last = stopped ? null : await writer.evaluate(state);
  const best = last?.best ?? state.best;
  if (earlyStopping === null || best === null) {
    return { validation: last?.scores ?? {}, best: null, notes: [] };
  }
  const { step, value } = best;
  const { metric } = earlyStopping;
  const notes = [
    `${
      stopped ? `Stopped early, after step ${state.step} of ${run.setup.steps}. ` : ""
    }The model is ` +
    `that of step ${step}, with the best ${metric}: ${value.toFixed(4)}.`,
  ];
  const kept = { step, metric, value };
  if (last !== null && step === state.step) return { validation: last.scores, best: kept, notes };
  await writer.restoreBest(best);
  // Scored again, since temperatures are fitted on validation.
  const validation = await writer.timed(() => evaluator.evaluate("validation"));
  return { validation, best: kept, notes };
}

/** Does all steps that are left, with what is due at each, and gives the state after the last. */
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
  let state: LoopState = saved === null
    ? LOOP_START
    : { ...pickLoopState(saved), trainSeconds: saved.seconds.train };
  const isDue = (every: number | null) => every !== null && state.step % every === 0;
  const interrupted = (step: number) =>
    new TrainingInterrupted(
      `after step ${step} of ${steps}`,
      `it is saved in ${folder.path("checkpoint")}`,
      true,
    );
  let evaluationDue = saved?.evaluationDue ?? false; // it was interrupted
  while (evaluationDue || state.step < steps && !hasStopped(state.best, earlyStopping)) {
    if (!evaluationDue) {
      const { state: next, losses, line } = await runStep(setup, state);
      state = next;
      const { step, tokens, trainSeconds: seconds, sums } = state;
      const shown = line?.losses ?? averageLosses(sums); // smoother than those of one batch
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
        await writer.save(state, { evaluationDue }); // the first thing to do again
        throw interrupted(state.step);
      }
    }
    evaluationDue = false;
    const { step } = state;
    const stops = signal?.aborted === true && step < steps;
    const ends = step === steps || hasStopped(state.best, earlyStopping);
    const better = state.best?.step === step; // its model must be there at the end
    if (ends || stops || better || isDue(training.checkpointEvery)) await writer.save(state);
    if (stops && !ends) {
      throw interrupted(step);
    }
  }
  return state;
}

/** What the loop goes on from. */
function pickLoopState(
  { step, skipped, tokens, sums, best }: RunState,
): Omit<LoopState, "trainSeconds"> {
  return { step, skipped, tokens, sums, best };
}
