/**
 * A whole run: data, model, training, evaluation, and the folder that holds it all.
 * @module
 */
import type { RunConfig } from "@/config.ts";
import { countParameters, disposeModel } from "@/model/parameters.ts";
import { saveModel } from "@/model/save_model.ts";
import { type ProgressView, SILENT } from "@/progress.ts";
import { createRunFolder, openRunFolder, type RunFolder } from "@/run_folder.ts";
import { streamBatches } from "@/text/batches.ts";
import { restoreCheckpointInto, type RunState, saveCheckpoint } from "@/train/checkpoint.ts";
import { createRunEvaluator } from "@/train/evaluate_run.ts";
import type { ParameterGroup } from "@/train/layerwise.ts";
import { countSteps, planMixing } from "@/train/mixing.ts";
import { openModel } from "@/train/open_model.ts";
import { encodeTask, loadRunRows, type RunTask } from "@/train/run_data.ts";
import { createTrainStep } from "@/train/step.ts";
import { describeStep } from "@/train/step_progress.ts";
import {
  averageLosses,
  type LoopSetup,
  type LoopState,
  NO_SUMS,
  runStep,
} from "@/train/train_loop.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";

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
  /** What a reader of the run should know, a sentence each, as it becomes known. */
  readonly onNote?: (note: string) => void;
  /** Once aborted, the run saves a checkpoint after the step it is in, and stops. */
  readonly signal?: AbortSignal;
};

/** `summary.json`. */
export type RunSummary = {
  readonly name: string;
  readonly preset: string;
  readonly steps: number;
  /** Word pieces trained on, padding not counted. */
  readonly tokens: number;
  readonly parameters: number;
  readonly seconds: { readonly train: number; readonly evaluate: number };
  /** By task, then by split. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, TaskScores>>>>;
  readonly groups: readonly ParameterGroup[];
  readonly data: Readonly<Record<string, RunTask["counts"]>>;
  readonly notes: readonly string[];
};

/** Trains, evaluates and saves a run; the folder holds all but the report. */
export async function trainRun(config: RunConfig, options: TrainOptions): Promise<RunSummary> {
  const { out, resume = false, nowMs, view = SILENT, onStep, onNote = () => {}, signal } = options;
  const folder = resume ? await openRunFolder(out) : await createRunFolder(out);
  const { training, model: { maxLength, dropout } } = config;
  const data = await loadRunRows(config);
  const { model, tokenizer } = await openModel(config, data.flatMap(({ train }) => train));
  const tasks = data.map((each) => encodeTask(each, { tokenizer, maxLength }));
  const programs = createTrainStep(model, {
    tasks: config.tasks,
    rates: training.learningRate,
    weightDecay: training.weightDecay,
    adam: training.adam,
    clipNorm: training.clipNorm,
    dropout,
  });
  const evaluator = createRunEvaluator(model, tasks, {
    tokenizer,
    lengths: training.lengths,
    view,
  });
  try {
    // Written once data and model are known to be there: a run that cannot start leaves no trace.
    await folder.writeJson("config.json", config);
    await folder.writeJson("environment.json", options.environment);
    const saved = resume
      ? await restoreCheckpointInto(programs.parameters, folder.path("checkpoint"))
      : null;
    await folder.truncateMetrics(saved?.metricsLines ?? 0);
    const loopTasks = new Map(tasks.map(({ task: { name }, train }) => {
      const position = saved?.positions[name];
      const stream = streamBatches(train, {
        ...batchSize(training),
        lengths: training.lengths,
        padId: tokenizer.ids.pad,
        clsId: tokenizer.ids.cls,
        seed: config.seed,
        name,
        ...(position && { position }),
      });
      return [name, { examples: train, stream }] as const;
    }));
    const mixing = planMixing(
      training.mixing,
      [...loopTasks].map(([name, { stream }]) => ({
        name,
        batchesPerEpoch: stream.batchesPerEpoch,
      })),
    );
    const steps = countSteps(mixing.stepsPerEpoch, training);
    const notes = [mixing.note, ...tasks.flatMap((task) => task.notes)];
    notes.forEach(onNote);

    const setup: LoopSetup = {
      step: programs,
      tasks: loopTasks,
      mixing,
      steps,
      training,
      seed: config.seed,
      nowMs,
    };
    let state: LoopState = saved === null
      ? { step: 0, tokens: 0, trainSeconds: 0, sums: NO_SUMS }
      : { ...saved, trainSeconds: saved.seconds.train };
    let evaluateSeconds = saved?.seconds.evaluate ?? 0;

    const evaluateValidation = async () => {
      const startMs = nowMs();
      const scores = await evaluator.evaluate("validation");
      const seconds = (nowMs() - startMs) / 1000;
      evaluateSeconds += seconds;
      const { step } = state;
      await folder.appendMetrics({ kind: "evaluate", step, split: "validation", scores, seconds });
      return scores;
    };
    const save = () =>
      saveCheckpoint(
        folder.path("checkpoint"),
        programs.parameters,
        checkpointState(state, evaluateSeconds, loopTasks, folder),
      );
    const isDue = (every: number | null) => every !== null && state.step % every === 0;

    while (state.step < steps) {
      const { state: next, losses, line } = await runStep(setup, state);
      state = next;
      const { step, tokens, trainSeconds: seconds } = state;
      const shown = line?.losses ?? averageLosses(state.sums);
      view.update(describeStep({ step, steps, losses: shown, tokens, seconds }));
      onStep?.({ step, steps, losses, tokens, seconds });
      if (line !== null) await folder.appendMetrics(line);
      if (step < steps && isDue(training.evaluateEvery)) await evaluateValidation();
      if (step === steps || isDue(training.checkpointEvery)) await save();
      if (signal?.aborted && step < steps) {
        await save();
        throw new Deno.errors.Interrupted(
          `Training was interrupted after step ${step} of ${steps}: go on with --resume ${out}`,
        );
      }
    }

    const validation = await evaluateValidation();
    const startMs = nowMs();
    const tests = await evaluator.evaluateTests();
    evaluateSeconds += (nowMs() - startMs) / 1000;
    await saveModel(folder.path("model"), model, { tokenizer, maxLength });
    const summary: RunSummary = {
      name: folder.name,
      preset: config.preset,
      steps,
      tokens: state.tokens,
      parameters: countParameters(model),
      seconds: { train: state.trainSeconds, evaluate: evaluateSeconds },
      scores: Object.fromEntries(tasks.map(({ task: { name } }) => [name, {
        ...(validation[name] && { validation: validation[name] }),
        ...tests[name],
      }])),
      groups: programs.groups,
      data: Object.fromEntries(tasks.map(({ task, counts }) => [task.name, counts])),
      notes,
    };
    await folder.writeJson("summary.json", summary);
    return summary;
  } finally {
    await view.finish();
    programs.dispose();
    disposeModel(model);
  }
}

/** How large batches are: by rows or by word pieces, as the configuration says. */
function batchSize({ batchRows, batchTokens }: RunConfig["training"]) {
  if (batchRows !== null) return { rows: batchRows };
  if (batchTokens !== null) return { tokens: batchTokens };
  throw new TypeError("internal: neither batchRows nor batchTokens is set");
}

/** All that is saved beside the tensors. */
function checkpointState(
  { step, tokens, trainSeconds, sums }: LoopState,
  evaluateSeconds: number,
  tasks: LoopSetup["tasks"],
  folder: RunFolder,
): RunState {
  return {
    step,
    tokens,
    seconds: { train: trainSeconds, evaluate: evaluateSeconds },
    sums,
    positions: Object.fromEntries(
      [...tasks].map(([name, { stream }]) => [name, stream.position()]),
    ),
    metricsLines: folder.metricsLines(),
  };
}
