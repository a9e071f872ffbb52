/**
 * Rules for all keys of a configuration, and constraints between keys.
 * @module
 */
import {
  type ModelConfig,
  NORMALIZE_MODES,
  POOLING_MODES,
  type RunConfig,
  type SplitConfig,
  TASK_KINDS,
  type TaskColumns,
  type TaskConfig,
} from "./config.ts";
import { DEVICES, EXECUTORS, ISAS, PRECISIONS } from "@/engine/options.ts";
import {
  boolean,
  FRACTION,
  integer,
  isObject,
  list,
  nullable,
  object,
  oneOf,
  POSITIVE,
  real,
  type Rule,
  text,
  wrongChoice,
  wrongValue,
} from "./config_rules.ts";
import { checkTraining, METRICS, training } from "./config_training.ts";
import { assertNever } from "@/assert_never.ts";

const textColumns = object<Extract<TaskColumns, { text: string }>>({ text, label: text });
const tokenColumns = object<Extract<TaskColumns, { tokens: string }>>({ tokens: text, tags: text });
const columns: Rule<TaskColumns> = (value, key) =>
  isObject(value) && "tokens" in value ? tokenColumns(value, key) : textColumns(value, key);

/** A name that is valid as a folder and in a parameter's name. */
const name: Rule<string> = (value, key) => {
  if (typeof value !== "string" || !/^[A-Za-z0-9_-]+$/.test(value)) {
    throw wrongValue(key, "a name of letters, digits, _ and -", value);
  }
  return value;
};

const task = object<TaskConfig>({
  name,
  kind: oneOf(TASK_KINDS),
  dataset: text,
  columns,
  labels: list(text, 2),
  split: object<SplitConfig>({
    validation: nullable(text),
    test: nullable(text),
    column: nullable(text),
    group: nullable(text),
    stratify: boolean,
  }),
  dropInvalid: boolean,
  alsoTest: list(text),
  weight: real(POSITIVE),
  metric: oneOf([...METRICS.classification, ...METRICS.tagging]),
});

// The limits of sizes exceed any reasonable value: larger ones are a mistake or damage, and would exhaust memory.
const model = object<ModelConfig>({
  source: nullable(text),
  fresh: object<ModelConfig["fresh"]>({
    hiddenSize: integer(1, 2 ** 16),
    layers: integer(1, 2 ** 10), // the limit for checkpoints
    attentionHeads: integer(1, 2 ** 16),
    intermediateSize: integer(1, 2 ** 18),
    maxPositions: integer(4, 2 ** 20),
    vocabularySize: integer(32, 2 ** 22),
  }),
  pooling: oneOf(POOLING_MODES),
  embeddingSize: nullable(integer(1, 2 ** 16)),
  normalize: oneOf(NORMALIZE_MODES),
  maxLength: integer(4, 2 ** 20), // [CLS], a token, a second one so that windows can overlap, [SEP]
  dropout: object<ModelConfig["dropout"]>({
    hidden: real(FRACTION),
    attention: real(FRACTION),
    head: real(FRACTION),
  }),
});

/** Types and ranges of all keys; see {@link checkTogether} for constraints between keys. */
export const runRule: Rule<RunConfig> = object<RunConfig>({
  preset: text,
  model,
  tasks: list(task, 1),
  training,
  data: object<RunConfig["data"]>({
    dir: nullable(text),
    validationRows: integer(1),
    maxRows: nullable(integer(1)),
    scoreTest: boolean,
    baselines: boolean,
  }),
  seed: integer(0, 2 ** 32 - 1),
  device: oneOf(DEVICES),
  executor: oneOf(EXECUTORS),
  precision: oneOf(PRECISIONS),
  native: object<RunConfig["native"]>({
    isa: nullable(oneOf(ISAS)),
    threads: nullable(integer(1, 2 ** 10)),
  }),
  tensorflow: object<RunConfig["tensorflow"]>({ library: nullable(text) }),
});

/** Checks that columns, labels and metric of a task fit its kind. */
function checkTask({ kind, columns, labels, metric }: TaskConfig, key: string): void {
  if (new Set(labels).size < labels.length) {
    throw wrongValue(`${key}.labels`, "all different", labels);
  }
  const fits: readonly string[] = METRICS[kind];
  if (!fits.includes(metric)) {
    throw wrongChoice(`${key}.metric`, fits, metric);
  }
  switch (kind) {
    case "classification":
      if (!("text" in columns)) {
        throw wrongValue(`${key}.columns`, 'like { "text": …, "label": … }', columns);
      }
      return;
    case "tagging": {
      if (!("tokens" in columns)) {
        throw wrongValue(`${key}.columns`, 'like { "tokens": …, "tags": … }', columns);
      }
      const odd = labels.find((label) => label !== "O" && !/^[BI]-./.test(label));
      if (odd !== undefined || !labels.includes("O")) {
        throw wrongValue(`${key}.labels`, "O and tags that begin with B- or I-", odd ?? labels);
      }
      return;
    }
    default:
      return assertNever(kind, "task kind");
  }
}

/** Checks the constraints between keys that are valid individually. */
export function checkTogether({ model, tasks, training, device, executor }: RunConfig): void {
  const { fresh, source, maxLength } = model;
  tasks.forEach((task, i) => {
    checkTask(task, `tasks.${i}`);
    if (tasks.findIndex(({ name }) => name === task.name) < i) {
      throw wrongValue(`tasks.${i}.name`, "a name that no other task has", task.name);
    }
  });
  if (source === null && fresh.hiddenSize % fresh.attentionHeads !== 0) {
    const wanted = `a divisor of model.fresh.hiddenSize ${fresh.hiddenSize}`;
    throw wrongValue("model.fresh.attentionHeads", wanted, fresh.attentionHeads);
  }
  if (source === null && maxLength > fresh.maxPositions) {
    const wanted = `at most model.fresh.maxPositions ${fresh.maxPositions}`;
    throw wrongValue("model.maxLength", wanted, maxLength);
  }
  if (device === "tensorflow" && executor !== "auto") {
    throw wrongValue("executor", "auto on device tensorflow", executor);
  }
  checkTraining(training, { tasks, maxLength });
}
