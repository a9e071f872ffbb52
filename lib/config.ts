/**
 * The configuration of a run: what it is made of. Presets and resolution are in `presets.ts` and
 * `resolve_config.ts`. It is resolved once, saved with the run and never passed into a layer.
 * @module
 */

/** What is predicted: one class for a text, or a tag for each word. */
export const TASK_KINDS = ["classification", "tagging"] as const;
/** One of {@link TASK_KINDS}. */
export type TaskKind = typeof TASK_KINDS[number];

/** How one vector is made of the vectors of all pieces. */
export const POOLING_MODES = ["mean", "cls", "cls-token", "max"] as const;
/** `cls` is the pooler's tanh layer over [CLS], as the reference does; `cls-token` is [CLS] itself. */
export type PoolingMode = typeof POOLING_MODES[number];

/** Which norm of a sentence embedding is made 1. */
export const NORMALIZE_MODES = ["none", "l1", "l2"] as const;
/** One of {@link NORMALIZE_MODES}. */
export type NormalizeMode = typeof NORMALIZE_MODES[number];

/** How the learning rates fall after the warm-up. */
export const SCHEDULES = ["linear", "cosine"] as const;
/** One of {@link SCHEDULES}. */
export type Schedule = typeof SCHEDULES[number];

/** What computes: our own compiled programs, or TensorFlow's library, operation by operation. */
export const DEVICES = ["cpu", "tensorflow"] as const;
/** One of {@link DEVICES}. */
export type Device = typeof DEVICES[number];

/** What runs the programs of device `cpu`; `auto`: C where a compiler is found, else ONNX Runtime. */
export const EXECUTORS = ["auto", "onnx", "native"] as const;
/** One of {@link EXECUTORS}. */
export type Executor = typeof EXECUTORS[number];

/** Numbers that matrix products are made of; weights and all else are float32. */
export const PRECISIONS = ["float32", "mixed-bfloat16", "mixed-float16"] as const;
/** One of {@link PRECISIONS}. */
export type Precision = typeof PRECISIONS[number];

/**
 * How tasks share the steps of training: `both` takes one batch of every task a step, the others one
 * batch of one task; see `train/mixing.ts`.
 */
export const MIXINGS = ["both", "proportional", "round-robin", "temperature", "annealed"] as const;
/** One of {@link MIXINGS}. */
export type Mixing = typeof MIXINGS[number];

/** Factors of the tasks' losses: given (`tasks.N.weight`), or learned; see `train/loss_weights.ts`. */
export const LOSS_WEIGHTS = ["fixed", "uncertainty"] as const;
/** One of {@link LOSS_WEIGHTS}. */
export type LossWeights = typeof LOSS_WEIGHTS[number];

/** Columns of a task's parquet files, by kind. */
export type TaskColumns =
  | { readonly text: string; readonly label: string }
  | { readonly tokens: string; readonly tags: string };

/** One task: where its rows are and what is predicted from them. */
export type TaskConfig = {
  readonly name: string;
  readonly kind: TaskKind;
  /** Folder under `data.dir`, or name in the Hub table of `data/hub.ts`. */
  readonly dataset: string;
  readonly columns: TaskColumns;
  /** Class names by label number, or BIO tags by tag number. */
  readonly labels: readonly string[];
  /** Source file of a split where it is not its own name; `validation: null`: carved from train. */
  readonly split: { readonly validation: string | null; readonly test: string };
  /** Further data sets whose test split is scored: `scores.<task>.<dataset>`. */
  readonly alsoTest: readonly string[];
  /** Factor of the task's loss in the sum. */
  readonly weight: number;
  /** The score that stands for the task. */
  readonly metric: "accuracy" | "macroF1" | "f1" | "strictF1";
};

/** An encoder to be made from nothing, when `model.source` is null. */
export type FreshModelConfig = {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly attentionHeads: number;
  readonly intermediateSize: number;
  readonly maxPositions: number;
  /** Word pieces to learn from the run's own training rows. */
  readonly vocabularySize: number;
};

/** The encoder, and how a sentence embedding is made of what it gives. */
export type ModelConfig = {
  /**
   * A checkpoint folder or Hub name, whose default prompt begins every text of the run; null: a randomly
   * initialized encoder with a learned vocabulary.
   */
  readonly source: string | null;
  readonly fresh: FreshModelConfig;
  readonly pooling: PoolingMode;
  /** Size of a learned projection after pooling; null: none. */
  readonly embeddingSize: number | null;
  readonly normalize: NormalizeMode;
  /** Longest input in word pieces, [CLS] and [SEP] included. */
  readonly maxLength: number;
  readonly dropout: { readonly hidden: number; readonly attention: number; readonly head: number };
};

/** A factor of the loss that keeps small gradients in the range of half precision. */
export type LossScaleConfig = {
  readonly initial: number;
  /** Factor after `interval` steps in a row without overflow. */
  readonly growth: number;
  /** Factor after a step with an overflow. */
  readonly backoff: number;
  readonly interval: number;
};

/** When a model counts as better, and when a run gives up waiting for it. */
export type EarlyStoppingConfig = {
  /** `TASK.SCORE`, several joined by `+` for their mean, or `mean` of each task's own `metric`. */
  readonly metric: string;
  /** Evaluations without a better one after which training stops; null: it never does. */
  readonly patience: number | null;
  /** A better one exceeds the best by more than this. */
  readonly minDelta: number;
};

/** How parameters are moved, and what happens at which steps. */
export type TrainingConfig = {
  readonly epochs: number;
  /** Stops there even if epochs are left; null: no limit. */
  readonly maxSteps: number | null;
  readonly mixing: Mixing;
  /** Of mixing `temperature`: 1 is in proportion to size, infinity even. */
  readonly mixingTemperature: number;
  readonly lossWeights: LossWeights;
  /** Rows of a batch of each task; null where `batchTokens` rules. */
  readonly batchRows: number | null;
  /** Word pieces of a batch, padding included; null where `batchRows` rules. */
  readonly batchTokens: number | null;
  /** Batches of each of its tasks that a step takes before it moves the parameters. */
  readonly accumulate: number;
  /** Padded lengths that batches may have, rising. */
  readonly lengths: readonly number[];
  /** What does not learn: `encoder`, `embeddings`, `layers<N`, `heads.TASK`; see `train/freezing.ts`. */
  readonly freeze: readonly string[];
  /** One more group learns every so many steps, or every `epoch`, from the top; null: all do at once. */
  readonly unfreezeEvery: number | "epoch" | null;
  readonly learningRate: {
    /** Of the top encoder layer and the pooler. */
    readonly top: number;
    /** Each layer below learns this much as fast; embeddings stand below layer 0. */
    readonly decay: number;
    readonly heads: number;
  };
  readonly schedule: Schedule;
  /** Share of the steps over which the rates rise from zero. */
  readonly warmup: number;
  readonly weightDecay: number;
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly epsilon: number };
  /** Global norm that gradients are clipped to; null: no clipping. */
  readonly clipNorm: number | null;
  /** Of precision `mixed-float16`; see `train/loss_scale.ts`. */
  readonly lossScale: LossScaleConfig;
  /** A line of metrics every so many steps. */
  readonly logEvery: number;
  /** Validation scores every so many steps; null: at the end alone. */
  readonly evaluateEvery: number | null;
  /** A checkpoint every so many steps; null: at the end alone. */
  readonly checkpointEvery: number | null;
  /** How many of the newest checkpoints are kept; the best one is kept besides. */
  readonly keepCheckpoints: number;
  /** Keeps the best model and stops when it does not get better; null: the last model is the run's. */
  readonly earlyStopping: EarlyStoppingConfig | null;
};

/** Where rows come from, and how many of them are used. */
export type DataConfig = {
  /** Folder in the Hub's layout; null: the Hub; `sample`: the built-in sample. */
  readonly dir: string | null;
  /** Rows carved from train where a task has no validation split. */
  readonly validationRows: number;
  /** Uses only the first rows of each split (after shuffling train); null: all. */
  readonly maxRows: number | null;
  /** Whether the test splits are scored at the end; false while choices are made on validation. */
  readonly scoreTest: boolean;
};

/** All that a run is made of: what `config.json` holds. */
export type RunConfig = {
  readonly preset: string;
  readonly model: ModelConfig;
  readonly tasks: readonly TaskConfig[];
  readonly training: TrainingConfig;
  readonly data: DataConfig;
  readonly seed: number;
  readonly device: Device;
  readonly executor: Executor;
  readonly precision: Precision;
  readonly native: { readonly isa: string | null; readonly threads: number | null };
  /** Of device `tensorflow`: the folder of its library; null: `TF_LIB`, else where it usually is. */
  readonly tensorflow: { readonly library: string | null };
};
