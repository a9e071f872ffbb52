/**
 * The metadata of a model card, as the Hub reads it from the head of README.md: what the model is for,
 * what it was made from, and its results as a `model-index`.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import { HUB_DATASETS } from "@/data/hub.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { OnnxDtype } from "@/model/onnx_weights.ts";
import { isClassification, type RecordedTask, type RunRecord } from "@/report/run_record.ts";
import type { ModelOrigin } from "@/train/run_environment.ts";
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

/** Where the rows of a data set come from; only rows of the Hub are called by the Hub's name. */
export type DatasetOrigin =
  | { readonly kind: "hub"; readonly repo: string }
  | { readonly kind: "sample" | "folder" };

/** Where the rows of a run's data sets come from. */
export function findDatasetOrigin(
  dataset: string,
  { dataDir }: RunRecord["config"],
): DatasetOrigin {
  if (dataDir === null) return { kind: "hub", repo: HUB_DATASETS[dataset]?.repo ?? dataset };
  return { kind: dataDir === SAMPLE_DIR ? "sample" : "folder" };
}

/** A data set's name without folders of the machine that it was on. */
export function showDataset(dataset: string): string {
  const isPath = /^(?:[/\\~]|\.{1,2}(?:[/\\]|$)|[A-Za-z]:)|\\|[/\\]\.\.?(?:[/\\]|$)/.test(dataset);
  return isPath ? dataset.split(/[/\\]/).findLast((part) => part !== "") ?? dataset : dataset;
}

/**
 * The Hub's name of the checkpoint that training began with; null where it is not known to be one of the
 * Hub's. A folder's name says nothing: `owner/name` may be a folder of the machine that trained.
 */
export function baseModel({ config, environment }: RunRecord): string | null {
  const { source } = (config.json.model ?? {}) as { readonly source?: unknown };
  const origin: ModelOrigin = "hub";
  return environment.modelOrigin === origin && typeof source === "string" ? source : null;
}

/** What a model's folder holds. */
export type CardFiles = {
  /** True if it holds `model.safetensors`. */
  readonly weights: boolean;
  /** Graphs, the most exact first. */
  readonly graphs: readonly OnnxDtype[];
};

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

/** A data set by name, and by the id that the Hub links to where it has it. */
function describeDataset(name: string, origin: DatasetOrigin) {
  switch (origin.kind) {
    case "hub":
      return { name, type: origin.repo };
    case "sample":
      return { name: `${name} (generated sample)`, type: "generated-sample" };
    case "folder":
      return { name: `${name} (local folder)`, type: "local-folder" };
    default:
      return assertNever(origin, "origin of a data set");
  }
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
  const origin = findDatasetOrigin(dataset, record.config), shown = showDataset(dataset);
  const [type, name] = task.kind === "classification"
    ? ["text-classification", "Text Classification"]
    : ["token-classification", "Named Entity Recognition"];
  return {
    task: { type, name },
    dataset: { ...describeDataset(shown, origin), split: "test" },
    metrics: listMetrics(scores),
  };
}

/** What metadata is composed from. */
export type MetadataContent = {
  readonly record: RunRecord;
  readonly files: CardFiles;
  /** Of the files: by task, then by split. */
  readonly scores: RunRecord["summary"]["scores"];
};

/** The metadata of a run's model. */
export function composeMetadata(
  { record, files, scores }: MetadataContent,
  { repo, license }: CardOptions,
): Readonly<Record<string, unknown>> {
  const { config, summary } = record;
  const datasets = [...new Set(config.tasks.map(({ dataset }) => dataset))];
  const origins = datasets.map((dataset) => findDatasetOrigin(dataset, config));
  const onHub = origins.flatMap((origin) => origin.kind === "hub" ? [origin.repo] : []);
  const isEnglish = origins.every(({ kind }) => kind !== "folder") &&
    datasets.every((dataset) => ENGLISH.includes(dataset));
  const base = baseModel(record);
  const results = config.tasks.flatMap((task) =>
    Object.entries(scores[task.name] ?? {})
      .filter(([split]) => split !== "validation" && split !== UNSEEN)
      .map(([split, scores]) => describeResult(record, { task, split, scores }))
  );
  return {
    ...(license !== null && { license }),
    ...(isEnglish && { language: ["en"] }),
    library_name: files.weights ? "sentence-transformers" : "transformers.js",
    pipeline_tag: "sentence-similarity",
    tags: [
      ...(files.weights ? ["sentence-transformers"] : []),
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
