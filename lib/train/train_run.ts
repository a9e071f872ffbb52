/**
 * A whole run: preparation, training, evaluation, and the folder that holds it all.
 * @module
 */
import type { RunConfig } from "@/config.ts";
import { writePredictions } from "@/eval/prediction_files.ts";
import { saveModel } from "@/model/save_model.ts";
import { type ProgressView, SILENT } from "@/progress.ts";
import { createRunFolder, openRunFolder, type RunFolder } from "@/train/run_folder.ts";
import { saveCheckpoint } from "@/train/checkpoint.ts";
import { createRunEvaluator, type RunEvaluator } from "@/train/evaluate_run.ts";
import { type PreparedRun, prepareRun } from "@/train/prepare_run.ts";
import { composeSummary, type RunSummary } from "@/train/run_summary.ts";
import { describeStep } from "@/train/step_progress.ts";
import { averageLosses, type LoopState, NO_SUMS, runStep } from "@/train/train_loop.ts";

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
  /** A clock in milliseconds, such as `performance.now`. */
  readonly nowMs: () => number;
  /** What `environment.json` will hold. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly view?: ProgressView;
  readonly onStep?: (event: StepEvent) => void;
  /** What a reader of the run should know, a sentence each, before the first step. */
  readonly onNote?: (note: string) => void;
  /** Once aborted, the run saves a checkpoint after the step it is in, and stops. */
  readonly signal?: AbortSignal;
};

/** Trains, evaluates and saves a run; its folder then holds all but the report. */
export async function trainRun(config: RunConfig, options: TrainOptions): Promise<RunSummary> {
  const { out, resume = false, view = SILENT, onNote = () => {} } = options;
  const folder = resume ? await openRunFolder(out) : await createRunFolder(out);
  const run = await prepareRun(config, resume ? folder.path("checkpoint") : null);
  try {
    // Written once data and model are known to be there: a run that cannot start leaves no trace.
    await folder.writeJson("config.json", config);
    await folder.writeJson("environment.json", options.environment);
    await folder.truncateMetrics(run.saved?.metricsLines ?? 0);
    run.notes.forEach(onNote);
    const evaluator = createRunEvaluator(run.model, run.tasks, {
      tokenizer: run.tokenizer,
      lengths: config.training.lengths,
      view,
      onPredictions: (record) => writePredictions(folder.dir, record), // the last of each split stays
    });
    const writer = createWriter({ run, folder, evaluator, nowMs: options.nowMs });
    const state = await trainSteps(config, { ...options, view }, { run, folder, writer });
    const validation = await writer.evaluate(state);
    const tests = await writer.timed(() => evaluator.evaluateTests());
    const { tokenizer } = run;
    const { maxLength } = config.model;
    await saveModel(folder.path("model"), run.model, { tokenizer, maxLength });
    const summary = composeSummary({
      name: folder.name,
      preset: config.preset,
      tokens: state.tokens,
      seconds: { train: state.trainSeconds, evaluate: writer.evaluateSeconds() },
      scores: Object.fromEntries(run.tasks.map(({ task: { name } }) => [name, {
        ...(validation[name] && { validation: validation[name] }),
        ...tests[name],
      }])),
    }, run);
    await folder.writeJson("summary.json", summary);
    return summary;
  } finally {
    await view.finish();
    run.dispose();
  }
}

/** Writes validation scores and checkpoints of a run, and keeps the time that scoring takes. */
type Writer = {
  /** Scores validation and writes its line. */
  evaluate(state: LoopState): ReturnType<RunEvaluator["evaluate"]>;
  save(state: LoopState): Promise<void>;
  /** Does `work` on the time of evaluation. */
  timed<T>(work: () => Promise<T>): Promise<T>;
  evaluateSeconds(): number;
};

function createWriter({ run, folder, evaluator, nowMs }: {
  readonly run: PreparedRun;
  readonly folder: RunFolder;
  readonly evaluator: RunEvaluator;
  readonly nowMs: () => number;
}): Writer {
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
    async evaluate({ step }) {
      const before = evaluateSeconds;
      const scores = await timed(() => evaluator.evaluate("validation"));
      const seconds = evaluateSeconds - before;
      await folder.appendMetrics({ kind: "evaluate", step, split: "validation", scores, seconds });
      return scores;
    },
    save: ({ step, tokens, trainSeconds, sums }) =>
      saveCheckpoint(folder.path("checkpoint"), run.setup.step.parameters, {
        step,
        tokens,
        seconds: { train: trainSeconds, evaluate: evaluateSeconds },
        sums,
        positions: Object.fromEntries(
          [...run.setup.tasks].map(([name, { stream }]) => [name, stream.position()]),
        ),
        metricsLines: folder.metricsLines(),
      }),
  };
}

/** Does all steps that are left, with what is due at each, and gives the state after the last. */
async function trainSteps(
  { training }: RunConfig,
  options: TrainOptions & { readonly view: ProgressView },
  { run, folder, writer }: {
    readonly run: PreparedRun;
    readonly folder: RunFolder;
    readonly writer: Writer;
  },
): Promise<LoopState> {
  const { out, nowMs, view, onStep, signal } = options;
  const { saved } = run;
  const setup = { ...run.setup, nowMs };
  const { steps } = setup;
  let state: LoopState = saved === null
    ? { step: 0, tokens: 0, trainSeconds: 0, sums: NO_SUMS }
    : { ...saved, trainSeconds: saved.seconds.train };
  const isDue = (every: number | null) => every !== null && state.step % every === 0;
  while (state.step < steps) {
    const { state: next, losses, line } = await runStep(setup, state);
    state = next;
    const { step, tokens, trainSeconds: seconds, sums } = state;
    const shown = line?.losses ?? averageLosses(sums); // smoother than those of one batch
    view.update(describeStep({ step, steps, losses: shown, tokens, seconds }));
    onStep?.({ step, steps, losses, tokens, seconds });
    if (line !== null) await folder.appendMetrics(line);
    if (step < steps && isDue(training.evaluateEvery)) await writer.evaluate(state);
    const stops = signal?.aborted === true && step < steps;
    if (step === steps || stops || isDue(training.checkpointEvery)) await writer.save(state);
    if (stops) {
      throw new Deno.errors.Interrupted(
        `Training was interrupted after step ${step} of ${steps}: go on with --resume ${out}`,
      );
    }
  }
  return state;
}
