/**
 * The configuration of a run. Presets are in `presets.ts`, and `resolve_config.ts` combines them with the user's
 * settings. A configuration is resolved once, saved with the run and never passed into a layer.
 * @module
 */
import type { Device, ExecutorChoice, Isa, Precision } from "@/engine/options.ts";

/** Kinds of tasks: one class per text, or one tag per word. */
export const TASK_KINDS = ["classification", "tagging"] as const;
/** One of {@link TASK_KINDS}. */
export type TaskKind = typeof TASK_KINDS[number];

/** Poolings of the token vectors into one sentence embedding. */
export const POOLING_MODES = ["mean", "cls", "cls-token", "max"] as const;
/** `cls` is the pooler's tanh layer on [CLS], as in the reference project; `cls-token` is the vector of [CLS] itself. */
export type PoolingMode = typeof POOLING_MODES[number];

/** Norm by which a sentence embedding is divided. */
export const NORMALIZE_MODES = ["none", "l1", "l2"] as const;
/** One of {@link NORMALIZE_MODES}. */
export type NormalizeMode = typeof NORMALIZE_MODES[number];

/** Decay of the learning rates after warmup. */
export const SCHEDULES = ["linear", "cosine"] as const;
/** One of {@link SCHEDULES}. */
export type Schedule = typeof SCHEDULES[number];

/**
 * How training steps alternate between tasks: with `both`, a step has one batch of every task; with the others, one
 * batch of one task. See `train/mixing.ts`.
 */
export const MIXINGS = ["both", "proportional", "round-robin", "temperature", "annealed"] as const;
/** One of {@link MIXINGS}. */
export type Mixing = typeof MIXINGS[number];

/** Weights of the tasks' losses: fixed (`tasks.N.weight`) or learned; see `train/losses.ts`. */
export const LOSS_WEIGHTS = ["fixed", "uncertainty"] as const;
/** One of {@link LOSS_WEIGHTS}. */
export type LossWeights = typeof LOSS_WEIGHTS[number];

/** Scores that can represent a task, by kind of task; the first one is the default. */
export const METRICS = {
  classification: ["accuracy", "macroF1"],
  tagging: ["f1", "strictF1"],
} as const satisfies { readonly [K in TaskKind]: readonly string[] };

/** Columns of a classification task. */
export type TextColumns = {
  /** Column with the texts. */
  readonly text: string;
  /** Column with the classes. */
  readonly label: string;
};

/** Columns of a tagging task. */
export type TokenColumns = {
  /** Column with the words of each text. */
  readonly tokens: string;
  /** Column with one BIO tag per word. */
  readonly tags: string;
};

/** Columns of a task's files, by kind of task. */
export type TaskColumns = TextColumns | TokenColumns;

/** The splits of a task: names of splits in its data set, paths of files, or null for rows carved from train. */
export type SplitConfig = {
  /** Split or file for validation; null: carved from train (`data.validationRows`). */
  readonly validation: string | null;
  /** Split or file for test; null: carved from train, as many rows as for validation. */
  readonly test: string | null;
  /** Column with the name of each row's split, if all splits are in the same files; else null. */
  readonly column: string | null;
  /** Column by which rows belong together; a carved split never divides a group. Null: rows are independent. */
  readonly group: string | null;
  /** True if carved splits have the proportions of the classes of all rows; false for a simple random sample. */
  readonly stratify: boolean;
};

/** A task: the source of its rows and what is predicted from them. */
export type TaskConfig = {
  /** Name of the task in scores, predictions and file names. */
  readonly name: string;
  /** What the task predicts: `classification` is one class per text, `tagging` one tag per word. */
  readonly kind: TaskKind;
  /** Folder in `data.dir`, name of a data set on the Hub, or path of a file, a folder (`./folder`) or a glob pattern. */
  readonly dataset: string;
  /** Columns with inputs and labels. */
  readonly columns: TextColumns | TokenColumns;
  /** Names of the classes or BIO tags, by index. BIO tags are O and the tags that begin with B- or I-. */
  readonly labels: readonly string[];
  /** How the rows are split into train, validation and test. */
  readonly split: SplitConfig;
  /** True to leave out rows with missing or unknown values; false to stop with an error that names them. */
  readonly dropInvalid: boolean;
  /** Additional data sets whose test split is scored, in `scores.<task>.<dataset>`. */
  readonly alsoTest: readonly string[];
  /** Weight of the task's loss in the sum. */
  readonly weight: number;
  /** The score that represents the task. */
  readonly metric: typeof METRICS[TaskKind][number];
};

/** A randomly initialized encoder, used if `model.source` is null. */
export type FreshModelConfig = {
  /** Length of the token vectors; a multiple of `attentionHeads`. */
  readonly hiddenSize: number;
  /** Number of transformer layers. */
  readonly layers: number;
  /** Number of attention heads per layer. */
  readonly attentionHeads: number;
  /** Hidden units of the feed-forward network in each layer. */
  readonly intermediateSize: number;
  /** Number of position embeddings, the upper limit of `maxLength`. */
  readonly maxPositions: number;
  /** Size of the word piece vocabulary, which is learned from the run's training rows. */
  readonly vocabularySize: number;
};

/** Dropout probabilities. */
export type DropoutConfig = {
  /** Dropout of hidden states in the encoder. */
  readonly hidden: number;
  /** Dropout of attention weights. */
  readonly attention: number;
  /** Dropout in the heads of the tasks. */
  readonly head: number;
};

/** The encoder, and how its output becomes a sentence embedding. */
export type ModelConfig = {
  /**
   * A checkpoint folder or Hub name; its default prompt precedes every text of the run. Weights stored in float16 or
   * bfloat16 are read as float32; `precision` alone says in what the run computes. Null: a randomly initialized encoder
   * with a learned vocabulary.
   */
  readonly source: string | null;
  /** The encoder to create if `source` is null. */
  readonly fresh: FreshModelConfig;
  /**
   * How token vectors are combined into the sentence embedding; `cls` is the pooler's output, `cls-token` the vector of
   * [CLS] itself.
   */
  readonly pooling: PoolingMode;
  /** Size of a learned projection after pooling; null for no projection. */
  readonly embeddingSize: number | null;
  /** Norm to divide the sentence embedding by. */
  readonly normalize: NormalizeMode;
  /** Maximum number of input tokens, including [CLS] and [SEP]. */
  readonly maxLength: number;
  /** Dropout probabilities: of hidden states, of attention weights, and in the heads. */
  readonly dropout: DropoutConfig;
};

/** Loss scaling, which keeps small gradients within the range of half precision. */
export type LossScaleConfig = {
  /** Loss scale of the first step. */
  readonly initial: number;
  /** Factor after `interval` consecutive steps without overflow. */
  readonly growth: number;
  /** Factor after a step with overflow. */
  readonly backoff: number;
  /** Number of consecutive steps without overflow before the scale grows. */
  readonly interval: number;
};

/** When a model counts as better, and when training stops without improvement. */
export type EarlyStoppingConfig = {
  /** `TASK.SCORE`, the mean of several scores joined by `+`, or `mean` for the mean of the tasks' `metric` scores. */
  readonly metric: string;
  /** Number of evaluations without improvement after which training stops; null for no limit. */
  readonly patience: number | null;
  /** Minimum improvement over the best score. */
  readonly minDelta: number;
};

/** Peak learning rates. */
export type LearningRateConfig = {
  /** Learning rate of the top encoder layer and the pooler. */
  readonly top: number;
  /** Factor of the learning rate per layer downward; embeddings come below layer 0. */
  readonly decay: number;
  /** Learning rate of the heads of the tasks. */
  readonly heads: number;
};

/** Parameters of AdamW. */
export type AdamConfig = {
  /** Decay of the running mean of gradients. */
  readonly beta1: number;
  /** Decay of the running mean of squared gradients. */
  readonly beta2: number;
  /** Number added to the denominator of an update. */
  readonly epsilon: number;
};

/** The optimizer, its schedule, and how often a run logs, evaluates and saves. */
export type TrainingConfig = {
  /** Number of epochs; may be fractional. `mixing` defines what an epoch covers. */
  readonly epochs: number;
  /** Maximum number of steps, even if epochs remain; null for no limit. */
  readonly maxSteps: number | null;
  /** How steps alternate between tasks: with `both`, a step has a batch of every task, else a batch of one task. */
  readonly mixing: Mixing;
  /** For mixing `temperature`: 1 samples in proportion to data set size, infinity uniformly. */
  readonly mixingTemperature: number;
  /** Weights of the tasks' losses: `fixed` (`tasks.N.weight`) or learned (`uncertainty`). */
  readonly lossWeights: LossWeights;
  /** Rows in a batch of each task; null if `batchTokens` is set. */
  readonly batchRows: number | null;
  /** Tokens in a batch, including padding; null if `batchRows` is set. */
  readonly batchTokens: number | null;
  /** Micro-batches per task and optimizer step. */
  readonly accumulate: number;
  /** Padded lengths of batches, ascending. */
  readonly lengths: readonly number[];
  /** Frozen parts: `encoder`, `embeddings`, `layers<N`, `heads.TASK`. */
  readonly freeze: readonly string[];
  /** Interval in steps, or `epoch`, at which one more parameter group is unfrozen, from the top; null: all from the start. */
  readonly unfreezeEvery: number | "epoch" | null;
  /** Peak learning rates. */
  readonly learningRate: LearningRateConfig;
  /** Decay of the learning rates after warmup. */
  readonly schedule: Schedule;
  /** Fraction of the steps during which the learning rates rise from zero. */
  readonly warmup: number;
  /** Weight decay of matrices; biases and layer norms have none. */
  readonly weightDecay: number;
  /** Parameters of AdamW. */
  readonly adam: AdamConfig;
  /** Maximum global norm of the gradients; null for no clipping. */
  readonly clipNorm: number | null;
  /** Loss scaling for precision `mixed-float16`. */
  readonly lossScale: LossScaleConfig;
  /** Interval in steps between log lines with metrics. */
  readonly logEvery: number;
  /** Interval in steps between evaluations on validation; null: only at the end. */
  readonly evaluateEvery: number | null;
  /** Interval in steps between checkpoints; null: only at the end. */
  readonly checkpointEvery: number | null;
  /** Number of newest checkpoints that are kept, in addition to the best one. */
  readonly keepCheckpoints: number;
  /** Keeps the best model and stops without improvement; null: the last model is the result of the run. */
  readonly earlyStopping: EarlyStoppingConfig | null;
};

/** The source of the rows and how many of them are used. */
export type DataConfig = {
  /** Folder in the Hub's layout; null: the Hub; `sample`: the built-in sample. */
  readonly dir: string | null;
  /** Number of validation rows carved from train if a task has no validation split. */
  readonly validationRows: number;
  /** Maximum number of rows per split: a random sample of train, the first rows of the others; null for all. */
  readonly maxRows: number | null;
  /** Fraction of the training rows to train on, a random sample: above 0, at most 1. */
  readonly trainShare: number;
  /** True if the test splits are scored at the end; use false while choosing settings on validation. */
  readonly scoreTest: boolean;
  /** True if baselines are computed on validation before training, to which the report compares the model. */
  readonly baselines: boolean;
};

/** Settings of native code. */
export type NativeConfig = {
  /** Instruction set of generated C; null: all that this processor has. */
  readonly isa: Isa | null;
  /** Number of threads; null: all processors. */
  readonly threads: number | null;
};

/** Settings of device `tensorflow`. */
export type TensorflowConfig = {
  /** Folder of TensorFlow's library; null to use `TF_LIB` or to search for it. */
  readonly library: string | null;
};

/** The complete configuration of a run, the content of `config.json`. */
export type RunConfig = {
  /** The preset that the configuration is based on; it gives all keys that are not set. */
  readonly preset: string;
  /** The encoder and the sentence embedding. */
  readonly model: ModelConfig;
  /** The tasks, trained together on one encoder. */
  readonly tasks: readonly TaskConfig[];
  /** Optimizer, schedule and intervals. */
  readonly training: TrainingConfig;
  /** Source of the rows. */
  readonly data: DataConfig;
  /** Seed of all random numbers: initialization, shuffling, mixing, dropout. */
  readonly seed: number;
  /** `cpu` runs compiled programs of this engine, `tensorflow` runs each operation in TensorFlow's library. */
  readonly device: Device;
  /** Executor of device `cpu`; `auto` is native code if there is a C compiler, else ONNX Runtime. */
  readonly executor: ExecutorChoice;
  /** Precision of matrix products; everything else is float32. */
  readonly precision: Precision;
  /** Settings of native code. */
  readonly native: NativeConfig;
  /** Settings of device `tensorflow`. */
  readonly tensorflow: TensorflowConfig;
};
