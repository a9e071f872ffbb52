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
import { digestInputs, type RunInputs } from "@/train/run_inputs.ts";
import { createTrainStep } from "@/train/step.ts";
import type { LoopSetup, LoopTask } from "@/train/train_loop.ts";

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
    const step = createTrainStep(model, {
      tasks: config.tasks,
      learningRates: training.learningRate,
      weightDecay: training.weightDecay,
      adam: training.adam,
      clipNorm: training.clipNorm,
      dropout,
      lossWeights: training.lossWeights,
      lossScale: config.precision === "mixed-float16" ? training.lossScale : null,
      freeze: training.freeze,
      gradualUnfreezing: training.unfreezeEvery !== null,
    });
    owned.push(step.dispose);
    const restored = checkpoint === null
      ? null
      : await restoreCheckpointInto(step.parameters, checkpoint, { inputs });
    const saved = restored?.state ?? null;
    if (saved !== null) step.restoreState(saved.programs);
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
    return {
      model,
      tokenizer,
      prompts,
      tasks,
      inputs,
      setup: { step, tasks: streams, mixing, steps, stepsPerStage, training, seed },
      saved,
      notes: [
        mixing.note,
        ...describePrompt(prompts),
        ...tasks.flatMap(({ notes }) => notes),
        ...describeStages(step.groups, stepsPerStage),
        ...restored?.notes ?? [],
      ],
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
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
  groups: PreparedRun["setup"]["step"]["groups"],
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
