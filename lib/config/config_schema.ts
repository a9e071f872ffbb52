/**
 * The schema of a configuration: types and ranges of all keys, and defaults of a task. `config.ts` documents the keys,
 * `config_constraints.ts` has the conditions between keys.
 * @module
 */
import * as z from "zod";
import {
  LOSS_WEIGHTS,
  METRICS,
  MIXINGS,
  NORMALIZE_MODES,
  POOLING_MODES,
  type RunConfig,
  SCHEDULES,
  type TaskConfig,
  type TaskKind,
} from "./config.ts";
import { PLAIN_SPLIT, PRESETS } from "./presets.ts";
import { DEVICES, EXECUTORS, ISAS, PRECISIONS } from "@/engine/options.ts";
import { integer, text } from "@/schema.ts";

const POSITIVE = z.number().gt(0);
const NOT_NEGATIVE = z.number().min(0);
/** Steps or rows. */
const COUNT = integer(1);
/** A fraction that is not everything, such as a dropout probability. */
const FRACTION = z.number().min(0).lt(1);

/** A name that is valid as a folder and in a parameter's name. */
const NAME = z.string().regex(/^[A-Za-z0-9_-]+$/)
  .meta({ title: "a name of letters, digits, _ and -" });

const BIO_TAG = z.string().regex(/^(O$|[BI]-.)/)
  .meta({ title: "O or a tag that begins with B- or I-" });

/** A task of one kind; keys with a default may be missing. */
const taskOf = <
  K extends TaskKind,
  Columns extends z.ZodType<TaskConfig["columns"]>,
  Metric extends TaskConfig["metric"],
>(
  kind: K,
  { columns, labels, metric }: {
    readonly columns: Columns;
    readonly labels: z.ZodType<readonly string[]>;
    readonly metric: z.ZodDefault<z.ZodType<Metric>>;
  },
) =>
  z.strictObject({
    name: NAME,
    kind: z.literal(kind),
    dataset: text,
    columns,
    labels: labels.refine((all) => new Set(all).size === all.length, "all different"),
    split: z.strictObject({
      validation: text.nullable().default(null),
      test: text.nullable().default("test"),
      column: text.nullable().default(PLAIN_SPLIT.column),
      group: text.nullable().default(PLAIN_SPLIT.group),
      stratify: z.boolean().default(PLAIN_SPLIT.stratify),
    }).prefault({}),
    dropInvalid: z.boolean().default(false),
    alsoTest: z.array(text).default([]),
    weight: POSITIVE.default(1),
    metric,
  });

/** A task: one entry per kind. */
const TASK = z.discriminatedUnion("kind", [
  taskOf("classification", {
    columns: z.strictObject({ text, label: text }),
    labels: z.array(text).min(2),
    metric: z.enum(METRICS.classification).default(METRICS.classification[0]),
  }),
  taskOf("tagging", {
    columns: z.strictObject({ tokens: text, tags: text }),
    labels: z.array(BIO_TAG).min(2).refine((tags) => tags.includes("O"), "a list with O"),
    metric: z.enum(METRICS.tagging).default(METRICS.tagging[0]),
  }),
]) satisfies z.ZodType<TaskConfig>;

// The limits of sizes exceed any reasonable value: larger ones are a mistake or damage, and would exhaust memory.
const MODEL = z.strictObject({
  source: text.nullable(),
  fresh: z.strictObject({
    hiddenSize: integer(1, 2 ** 16),
    layers: integer(1, 2 ** 10), // the limit for checkpoints
    attentionHeads: integer(1, 2 ** 16),
    intermediateSize: integer(1, 2 ** 18),
    maxPositions: integer(4, 2 ** 20),
    vocabularySize: integer(32, 2 ** 22),
  }),
  pooling: z.enum(POOLING_MODES),
  embeddingSize: integer(1, 2 ** 16).nullable(),
  normalize: z.enum(NORMALIZE_MODES),
  maxLength: integer(4, 2 ** 20), // [CLS], a token, a second one so that windows can overlap, [SEP]
  dropout: z.strictObject({ hidden: FRACTION, attention: FRACTION, head: FRACTION }),
});

const TRAINING = z.strictObject({
  epochs: POSITIVE,
  maxSteps: COUNT.nullable(),
  mixing: z.enum(MIXINGS),
  mixingTemperature: z.number().min(1),
  lossWeights: z.enum(LOSS_WEIGHTS),
  batchRows: integer(1, 2 ** 16).nullable(),
  batchTokens: integer(1, 2 ** 24).nullable(),
  accumulate: integer(1, 2 ** 16),
  lengths: z.array(integer(4, 2 ** 20)).min(1),
  freeze: z.array(text),
  unfreezeEvery: z.union([COUNT, z.literal("epoch")]).nullable(),
  learningRate: z.strictObject({
    top: NOT_NEGATIVE,
    decay: z.number().gt(0).max(1),
    heads: NOT_NEGATIVE,
  }),
  schedule: z.enum(SCHEDULES),
  warmup: FRACTION,
  weightDecay: NOT_NEGATIVE,
  adam: z.strictObject({ beta1: FRACTION, beta2: FRACTION, epsilon: POSITIVE }),
  clipNorm: POSITIVE.nullable(),
  lossScale: z.strictObject({
    initial: POSITIVE,
    growth: z.number().gt(1),
    backoff: z.number().gt(0).lt(1),
    interval: COUNT,
  }),
  logEvery: COUNT,
  evaluateEvery: COUNT.nullable(),
  checkpointEvery: COUNT.nullable(),
  keepCheckpoints: COUNT,
  earlyStopping: z.strictObject({
    metric: text,
    patience: COUNT.nullable(),
    minDelta: NOT_NEGATIVE,
  }).nullable(),
});

/** Types and ranges of all keys. */
export const RUN_SCHEMA = z.strictObject({
  preset: z.enum(Object.keys(PRESETS)),
  model: MODEL,
  tasks: z.array(TASK).min(1),
  training: TRAINING,
  data: z.strictObject({
    dir: text.nullable(),
    validationRows: COUNT,
    maxRows: COUNT.nullable(),
    trainShare: z.number().gt(0).max(1),
    scoreTest: z.boolean(),
    baselines: z.boolean(),
  }),
  seed: integer(0, 2 ** 32 - 1),
  device: z.enum(DEVICES),
  executor: z.enum(EXECUTORS),
  precision: z.enum(PRECISIONS),
  native: z.strictObject({
    isa: z.enum(ISAS).nullable(),
    threads: integer(1, 2 ** 10).nullable(),
  }),
  tensorflow: z.strictObject({ library: text.nullable() }),
}) satisfies z.ZodType<RunConfig>;
