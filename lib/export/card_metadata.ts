/**
 * Metadata of a model card, which the Hub reads from the head of README.md: purpose, base model, data sets, and results
 * as a `model-index`.
 * @module
 */
import { isDataPath, showDataset } from "@/data/file_source.ts";
import { assertNever } from "@/assert_never.ts";
import { HUB_DATASETS } from "@/data/hub.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { OnnxDtype } from "@/model/onnx_weights.ts";
import {
  isClassification,
  type RecordedTask,
  type RunRecord,
} from "@/report/readers/run_record.ts";
import type { ModelOrigin } from "@/train/run_environment.ts";
import { UNSEEN } from "@/train/evaluate_run.ts";

/** English data sets, by the names used in task configurations. */
const ENGLISH = ["ag_news", "conll2003", "conllpp"];

/** Facts about a model that its run does not record. */
export type CardOptions = {
  /** Hub repository of the model, `owner/name`; null if not known yet. */
  readonly repo: string | null;
  /** License identifier of the Hub, such as `apache-2.0`; null if not stated. */
  readonly license: string | null;
};

/** Origin of a data set's rows. Only data sets downloaded from the Hub are linked to the Hub. */
type DatasetOrigin =
  | { readonly kind: "hub"; readonly repo: string }
  | { readonly kind: "sample" | "folder" };

/** Origin of the rows of one of a run's data sets. */
export function findDatasetOrigin(
  dataset: string,
  { dataDir }: RunRecord["config"],
): DatasetOrigin {
  if (isDataPath(dataset)) return { kind: "folder" };
  if (dataDir === null) return { kind: "hub", repo: HUB_DATASETS[dataset]?.repo ?? dataset };
  return { kind: dataDir === SAMPLE_DIR ? "sample" : "folder" };
}

/**
 * Hub name of the checkpoint that the model was fine-tuned from; null unless the run recorded that it came from the Hub.
 * The source alone does not tell: `owner/name` can also be a local folder.
 */
export function baseModel({ config, environment }: RunRecord): string | null {
  const { source } = (config.json.model ?? {}) as { readonly source?: unknown };
  const origin: ModelOrigin = "hub";
  return environment.modelOrigin === origin && typeof source === "string" ? source : null;
}

/** Files in a model's folder. */
export type CardFiles = {
  /** True if there is a `model.safetensors`. */
  readonly weights: boolean;
  /** Weight types of the ONNX graphs, most precise first. */
  readonly graphs: readonly OnnxDtype[];
};

/** Metric of a model index. */
type Metric = { readonly type: string; readonly name: string; readonly value: number };

/** Rounds a fraction to the digits that its confidence interval supports. */
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

/** Name and type of a data set; the type is its Hub id if it comes from the Hub. */
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

/** Results of a task on one split. `test` is a split of the task's own data set; other splits are named after another data set. */
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

/** Input of {@link composeMetadata}. */
type MetadataContent = {
  readonly record: RunRecord;
  readonly files: CardFiles;
  /** Scores of the files in the folder, by task and split. */
  readonly scores: RunRecord["summary"]["scores"];
};

/** Composes the metadata of a run's model. */
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
