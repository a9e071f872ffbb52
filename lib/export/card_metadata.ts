/**
 * The metadata of a model card, as the Hub reads it from the head of README.md: what the model is for,
 * what it was made from, and its results as a `model-index`.
 * @module
 */
import { HUB_DATASETS } from "@/data/hub.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import { isClassification, type RecordedTask, type RunRecord } from "@/report/run_record.ts";
import { UNSEEN } from "@/train/evaluate_run.ts";

/** Data sets in English, by the names that tasks give them. */
const ENGLISH = ["ag_news", "conll2003", "conllpp"];

/** What a run cannot know of its model. */
export type CardOptions = {
  /** Where the model is or will be: `owner/name`; null: not known yet. */
  readonly repo: string | null;
  /** A license by the Hub's names, such as `apache-2.0`; null: not stated. */
  readonly license: string | null;
};

/** The Hub's name of a task's data set; null where the data is not on the Hub. */
export function hubDataset(dataset: string, { dataDir }: RunRecord["config"]): string | null {
  if (dataDir === "sample") return null;
  return HUB_DATASETS[dataset]?.repo ?? (/^[\w.-]+\/[\w.-]+$/.test(dataset) ? dataset : null);
}

/** The Hub's name of the checkpoint that training began with; null where it is not one of the Hub's. */
export function baseModel({ config }: RunRecord): string | null {
  const { source } = (config.json.model ?? {}) as { readonly source?: unknown };
  return typeof source === "string" && /^\w[\w.-]*\/\w[\w.-]*$/.test(source) ? source : null;
}

/** One metric of a model index. */
type Metric = { readonly type: string; readonly name: string; readonly value: number };

/** A fraction with as many digits as its interval gives meaning to. */
const round = (value: number) => Number(value.toFixed(4));

function listMetrics(scores: TaskScores): readonly Metric[] {
  if (isClassification(scores)) {
    return [
      { type: "accuracy", name: "Accuracy", value: round(scores.accuracy) },
      { type: "f1", name: "Macro-F1", value: round(scores.macroF1) },
    ];
  }
  return [
    { type: "f1", name: "Entity F1 (conlleval)", value: round(scores.f1) },
    { type: "precision", name: "Entity precision", value: round(scores.precision) },
    { type: "recall", name: "Entity recall", value: round(scores.recall) },
  ];
}

/** The results of a task on one of its splits; `test` is its own data set's, another name another's. */
function describeResult(
  record: RunRecord,
  { task, split, scores }: {
    readonly task: RecordedTask;
    readonly split: string;
    readonly scores: TaskScores;
  },
): unknown {
  const dataset = split === "test" ? task.dataset : split;
  const sample = record.config.dataDir === "sample";
  const [type, name] = task.kind === "classification"
    ? ["text-classification", "Text Classification"]
    : ["token-classification", "Named Entity Recognition"];
  return {
    task: { type, name },
    dataset: {
      name: sample ? `${dataset} (generated sample)` : dataset,
      type: sample ? "generated-sample" : hubDataset(dataset, record.config) ?? dataset,
      split: "test",
    },
    metrics: listMetrics(scores),
  };
}

/** The metadata of a run's model. */
export function composeMetadata(
  record: RunRecord,
  { repo, license }: CardOptions,
): Readonly<Record<string, unknown>> {
  const { config, summary } = record;
  const datasets = [...new Set(config.tasks.map(({ dataset }) => dataset))];
  const onHub = datasets.flatMap((dataset) => hubDataset(dataset, config) ?? []);
  const base = baseModel(record);
  const results = config.tasks.flatMap((task) =>
    Object.entries(summary.scores[task.name] ?? {})
      .filter(([split]) => split !== "validation" && split !== UNSEEN)
      .map(([split, scores]) => describeResult(record, { task, split, scores }))
  );
  return {
    ...(license !== null && { license }),
    ...(datasets.every((dataset) => ENGLISH.includes(dataset)) && { language: ["en"] }),
    library_name: "sentence-transformers",
    pipeline_tag: "sentence-similarity",
    tags: [
      "sentence-transformers",
      "sentence-similarity",
      "feature-extraction",
      ...new Set(
        config.tasks.map(({ kind }) =>
          kind === "classification" ? "text-classification" : "token-classification"
        ),
      ),
      "transformers.js",
      "onnx",
    ],
    ...(base !== null && { base_model: base }),
    ...(onHub.length > 0 && { datasets: onHub }),
    metrics: ["accuracy", "f1"],
    "model-index": [{ name: repo?.split("/").at(-1) ?? summary.name, results }],
  };
}
