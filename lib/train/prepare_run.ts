/**
 * Preparation of a run before its first step: loads data and model, and creates programs and batch streams.
 * @module
 */
import type { RunConfig, TrainingConfig } from "@/config/config.ts";
import { disposeModel, type MultiTask } from "@/model/parameters.ts";
import type { ProgressView } from "@/progress.ts";
import { streamBatches } from "@/text/batches.ts";
import { prefetchBatches, type PrefetchingStream } from "@/text/prefetch.ts";
import { type PromptSettings, resolvePrompt } from "@/text/prompts.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import { restoreCheckpointInto, type RunState } from "@/train/checkpoint.ts";
import { planMixing } from "@/train/mixing.ts";
import { openModel } from "@/train/open_model.ts";
import { encodeTask, loadRunRows, type RunTask } from "@/train/run_data.ts";
import { digestInputs, type RunInputs } from "@/train/resume.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import { createTrainState, createTrainStep } from "@/train/step.ts";
import { type LoopSetup, type LoopState, type LoopTask, startLoop } from "@/train/train_loop.ts";
import { createTrainedParameters, type TrainedGroup } from "@/train/trained_parameters.ts";

/** A run that is ready for its next step. */
export type PreparedRun = {
  readonly model: MultiTask;
  readonly tokenizer: Tokenizer;
  readonly prompts: PromptSettings;
  readonly tasks: readonly RunTask[];
  /** Digests of the tokenizer and the encoded rows. */
  readonly inputs: RunInputs;
  /** Input of the training loop, without the clock. */
  readonly setup: Omit<LoopSetup, "nowMs">;
  /** State of the training loop: before the first step, or of the checkpoint. */
  readonly start: LoopState;
  /** Parameter groups from bottom to top. */
  readonly groups: readonly TrainedGroup[];
  /** Interval in steps at which one more parameter group is unfrozen; null if all learn from the start. */
  readonly stepsPerStage: number | null;
  /** State of the checkpoint that the run resumes from; null for a new run. */
  readonly saved: RunState | null;
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[];
  /** Frees the model, the programs and the streams. */
  dispose(): void;
};

/**
 * Loads data and model and creates the programs of a run.
 *
 * @param checkpoint Folder with checkpoints to resume from; null or a folder without checkpoints starts from step 0.
 * @param options `view` shows download and encoding progress; aborting `signal` stops the preparation with an error.
 */
export async function prepareRun(
  config: RunConfig,
  checkpoint: string | null,
  options: { readonly view?: ProgressView; readonly signal?: AbortSignal | undefined } = {},
): Promise<PreparedRun> {
  const { training, seed, model: { maxLength, dropout } } = config;
  const data = await loadRunRows(config, options);
  const rows = data.flatMap(({ train }) => train);
  const { model, tokenizer, prompts } = await openModel(config, rows, options);
  const prompt = resolvePrompt(prompts);
  const owned = [() => disposeModel(model)];
  const dispose = () => owned.splice(0).reverse().forEach((free) => free());
  try {
    const tasks: RunTask[] = [];
    for (const each of data) {
      tasks.push(await encodeTask(each, { tokenizer, maxLength, prompt, ...options }));
    }
    const inputs = digestInputs(tokenizer, tasks);
    const { parameters, groups, ...trained } = createTrainedParameters(model, {
      tasks: config.tasks,
      learningRates: training.learningRate,
      weightDecay: training.weightDecay,
      freeze: training.freeze,
      gradualUnfreezing: training.unfreezeEvery !== null,
      lossWeights: training.lossWeights,
    });
    owned.push(trained.dispose);
    const restored = checkpoint === null
      ? null
      : await restoreCheckpointInto(parameters, checkpoint, { inputs });
    const saved = restored?.state ?? null;
    const streams = openStreams(tasks, { training, tokenizer, seed, saved });
    owned.push(() => streams.forEach(({ stream }) => stream.close()));
    const mixing = planMixing(
      training.mixing,
      [...streams].map(([name, { stream: { batchesPerEpoch } }]) => ({ name, batchesPerEpoch })),
      { ...training, seed },
    );
    const { steps } = mixing;
    const { unfreezeEvery } = training;
    const stepsPerStage = unfreezeEvery === "epoch" ? mixing.stepsPerEpoch : unfreezeEvery;
    const lossScale = config.precision === "mixed-float16" ? training.lossScale : null;
    const { schedule, warmup } = training;
    const trainStep = createTrainStep(model, parameters, {
      tasks: config.tasks,
      schedule: (step) => scheduleFactor(schedule, step, { steps, warmup }),
      adam: training.adam,
      clipNorm: training.clipNorm,
      dropout,
      lossScale,
      stepsPerStage,
      seed,
      rowsOf: (task, { examples }) =>
        examples.map((index) => streams.get(task)?.examples[index]?.row ?? -1),
    });
    const start = startLoop(createTrainState(parameters, { lossScale }));
    return {
      model,
      tokenizer,
      prompts,
      tasks,
      inputs,
      setup: { trainStep, tasks: streams, mixing, steps, training },
      start: saved === null ? start : resumeLoop(start, saved),
      groups,
      stepsPerStage,
      saved,
      notes: [
        mixing.note,
        ...describePrompt(prompts),
        ...tasks.flatMap(({ notes }) => notes),
        ...describeStages(groups, stepsPerStage),
        ...restored?.notes ?? [],
      ],
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The state of the loop at a checkpoint; `start` is the state before the first step. */
function resumeLoop({ train }: LoopState, saved: RunState): LoopState {
  const { step, skipped, programs, tokens, sums, best, seconds } = saved;
  const updates = Object.keys(train.updates).map((group) => [group, programs.updates[group] ?? 0]);
  return {
    train: {
      ...train,
      step,
      skipped,
      updates: Object.fromEntries(updates),
      lossScaler: train.lossScaler && (programs.lossScaler ?? train.lossScaler),
    },
    tokens,
    sums,
    best,
    trainSeconds: seconds.train,
  };
}

/** A note about the prompt of all texts, if there is one. */
function describePrompt(prompts: PromptSettings): readonly string[] {
  const prompt = resolvePrompt(prompts);
  if (prompt === "") return [];
  const pooled = prompts.includePrompt ? "" : " Pooling excludes it.";
  return [
    `Every text begins with ${JSON.stringify(prompt)}, the checkpoint's default prompt ` +
    `${JSON.stringify(prompts.defaultPromptName)}.${pooled}`,
  ];
}

/** A note about when parameter groups start learning, if they are unfrozen gradually. */
function describeStages(
  groups: readonly TrainedGroup[],
  stepsPerStage: number | null,
): readonly string[] {
  if (stepsPerStage === null) return [];
  const starts = groups.toReversed().map(({ name, stage }) =>
    `${name} from step ${stage * stepsPerStage + 1}`
  );
  return [`Gradual unfreezing: ${starts.join(", ")}.`];
}

/** Opens the streams of training batches by task, at their saved positions. */
function openStreams(
  tasks: readonly RunTask[],
  options: {
    readonly training: TrainingConfig;
    readonly tokenizer: Tokenizer;
    readonly seed: number;
    readonly saved: RunState | null;
  },
): ReadonlyMap<string, LoopTask & { readonly stream: PrefetchingStream }> {
  const { training, tokenizer: { ids }, seed, saved } = options;
  return new Map(tasks.map(({ task: { name }, train }) => {
    const position = saved?.positions[name];
    const stream = prefetchBatches(streamBatches(train, {
      ...batchSize(training),
      lengths: training.lengths,
      padId: ids.pad,
      clsId: ids.cls,
      seed,
      name,
      ...(position && { position }),
    }));
    return [name, { examples: train, stream }] as const;
  }));
}

/** The configured batch size, in rows or in tokens. */
function batchSize({ batchRows, batchTokens }: TrainingConfig) {
  if (batchRows !== null) return { rows: batchRows };
  if (batchTokens !== null) return { tokens: batchTokens };
  throw new TypeError("internal: neither batchRows nor batchTokens is set");
}
