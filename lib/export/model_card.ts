/**
 * Model card of a run: the README.md of its model folder, with metadata for the Hub at its head. All numbers come from
 * the run's files, and the output is deterministic.
 * @module
 */
import { showDataset } from "@/data/file_source.ts";
import { stringify } from "yaml";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import {
  baseModel,
  type CardFiles,
  type CardOptions,
  composeMetadata,
  findDatasetOrigin,
} from "@/export/card_metadata.ts";
import { type CardSettings, describeUsage } from "@/export/card_usage.ts";
import type { ExportRecords } from "@/export/export_model.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { formatCount, formatDuration, formatInterval, formatPercent } from "@/report/format.ts";
import { isClassification, type RunRecord } from "@/report/readers/run_record.ts";
import { type Column, formatTable } from "@/report/tables.ts";
import { resolvePrompt } from "@/text/prompts.ts";

/** Input of {@link composeCard}. */
export type CardContent = {
  readonly record: RunRecord;
  readonly settings: CardSettings;
  /** Scores of the exported files. */
  readonly exports: ExportRecords;
  /** Files in the model's folder. */
  readonly files: CardFiles;
  /** Content of the run's `card.md`, written by the author. */
  readonly own: OwnCard;
};

/** Content of `card.md`: facts that only the author of a model knows. */
export type OwnCard = {
  /** Metadata that overrides the values from the run's files, such as `license` and `base_model`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Markdown; empty if there is none. */
  readonly text: string;
};

/** Scores of the model in the folder: of the weights, or of the most precise graph if there are no weights. */
function scoresOf({ record, exports, files }: CardContent): RunSummary["scores"] {
  const [graph] = files.graphs;
  const own = files.weights || graph === undefined ? undefined : exports[graph]?.scores;
  return own ?? record.summary.scores;
}

const left = (head: string): Column => ({ head, align: "left" });
const right = (head: string): Column => ({ head, align: "right" });

/** Main score of a task: accuracy or entity F1. */
function mainScore(scores: TaskScores): number {
  return isClassification(scores) ? scores.accuracy : scores.f1;
}

/** Name of the score that {@link mainScore} returns. */
function mainName(scores: TaskScores): string {
  return isClassification(scores) ? "accuracy" : "entity F1";
}

/** Describes the model in a paragraph and a table of its tasks. */
function describeModel({ record, settings }: CardContent): string {
  const { tasks } = record.config;
  const table = formatTable(
    [left("task"), left("kind"), left("labels")],
    tasks.map(({ name, kind, labels }) => [name, kind, labels.join(", ")]),
  );
  const pooling = {
    mean: "the mean of",
    max: "the maximum over",
    cls: "the pooler output of",
    "cls-token": "the first of",
  };
  const size = settings.embeddingSize === null
    ? ""
    : `, projected to ${settings.embeddingSize} dimensions`;
  const norm = settings.normalize === "none"
    ? ""
    : `, normalized to ${settings.normalize.toUpperCase()} norm 1`;
  return `A BERT encoder with one head for each of ${tasks.length} tasks. The sentence embedding is ` +
    `${pooling[settings.pooling]} the token vectors${size}${norm}. Maximum input length: ` +
    `${settings.maxLength} tokens.${describePrompts(settings)}\n\n${table}`;
}

/** Describes the model's prompts and how to apply them; empty if there are none. */
function describePrompts({ prompts }: CardSettings): string {
  const { defaultPromptName: name, includePrompt } = prompts;
  const code = (text: string) => `\`${JSON.stringify(text)}\``;
  const prompt = resolvePrompt(prompts);
  const others = Object.entries(prompts.prompts)
    .filter(([other, text]) => text !== "" && other !== name)
    .map(([other, text]) => `${code(text)} (\`${other}\`)`);
  return [
    ...(prompt === "" ? [] : [
      `The prompt ${code(prompt)} (\`${name}\`) is prepended to every text, also in training. ` +
      "sentence-transformers and this library do so automatically; for the ONNX graph, prepend it yourself." +
      (includePrompt ? "" : " Pooling ignores `[CLS]` and the prompt, also in the graph."),
    ]),
    ...(others.length === 0 ? [] : [`Other prompts: ${others.join(", ")}.`]),
  ].map((sentence) => ` ${sentence}`).join("");
}

/** Table of the scores on all splits. */
function describeResults(content: CardContent): string {
  const { record: { config } } = content;
  const rows = Object.entries(scoresOf(content)).flatMap(([task, splits]) =>
    Object.entries(splits).map(([split, scores]) => [
      task,
      showDataset(split),
      formatCount(scores.rows),
      mainName(scores),
      formatPercent(mainScore(scores)),
      formatInterval(scores.interval),
    ])
  );
  const table = formatTable(
    [left("task"), left("split"), right("rows"), left("score"), right("%"), right("95 % CI")],
    rows,
  );
  const sample = config.dataDir === "sample"
    ? "\n\nThese scores were measured on generated text and say little about real text."
    : "";
  return `${table}\n\nEntity F1 counts exact matches of whole entities, as conlleval does. The 95 % confidence ` +
    `intervals come from a bootstrap over rows, for one training seed.${sample}`;
}

/** Caveat about the results of eight-bit graphs. */
const EIGHT_BITS =
  "Results of the eight-bit graph depend on the batch: all activations of a batch share one quantization " +
  "scale, so other texts and padding change the results of a text. The scores were measured with " +
  "one text at a time and without padding. Do the same to reproduce them; batches change few predictions.";

/** Describes the exported files: their sizes and, if they were evaluated, their scores. */
function describeExports({ record: { summary }, exports, files }: CardContent): string {
  const { graphs, weights } = files;
  if (graphs.length === 0) return "This folder has no ONNX graph: `deno task export` writes one.";
  const list = graphs.map((dtype) => `\`${ONNX_FILES[dtype]}\``).join(", ");
  const all =
    (graphs.length === 1
      ? `${list} contains encoder, embedding and heads in one ONNX graph.`
      : `${list} each contain encoder, embedding and heads in one ONNX graph.`) +
    (weights ? "" : " There are no other weights: PyTorch cannot load or fine-tune this model.") +
    (graphs.includes("q8") ? `\n\n${EIGHT_BITS}` : "");
  const known = graphs.filter((dtype) => exports[dtype] !== undefined);
  if (known.length === 0) return all;
  const places = Object.entries(summary.scores).flatMap(([task, splits]) =>
    Object.entries(splits).map(([split, trained]) => ({ task, split, trained }))
  );
  const rows = known.map((dtype) => {
    const { bytes = 0, scores = {} } = exports[dtype] ?? {};
    return [
      ONNX_FILES[dtype],
      (bytes / 2 ** 20).toFixed(1),
      ...places.map(({ task, split, trained }) => {
        const found = scores[task]?.[split];
        if (found === undefined) return "";
        const change = 100 * (mainScore(found) - mainScore(trained));
        const shown = Math.abs(change) < 0.005
          ? "±0.00"
          : `${change > 0 ? "+" : "−"}${Math.abs(change).toFixed(2)}`;
        return `${formatPercent(mainScore(found))} (${shown})`;
      }),
    ];
  });
  const columns = places.map(({ task, split, trained }) =>
    right(`${task} ${showDataset(split)}, ${mainName(trained)}`)
  );
  return `${all}\n\nScores with ONNX Runtime on the run's data sets, in % (in parentheses: difference from the ` +
    "trained float32 model):\n\n" +
    formatTable([left("file"), right("MiB"), ...columns], rows);
}

/** Matches a file path of the machine that trained, as in a note about a damaged checkpoint. */
const PATH = /(?:^|[\s"'(])(?:[/\\~]\S|\.{1,2}[/\\]|[A-Za-z]:[\\/])/;

/** Describes the base model, the data and the course of the training. */
function describeTraining(
  { record, record: { config, summary, environment }, own }: CardContent,
): string {
  const notes = summary.notes.filter((note) => !PATH.test(note));
  const { base_model: named } = own.metadata;
  const base = typeof named === "string" ? named : baseModel(record);
  const { source } = (config.json.model ?? {}) as { readonly source?: unknown };
  const begin = base !== null
    ? `from [${base}](https://huggingface.co/${base})`
    : source === null || source === undefined
    ? "from scratch"
    : environment.modelOrigin === "folder"
    ? "from a BERT checkpoint in a local folder"
    : "from a BERT checkpoint"; // runs that did not record the origin yet
  const data = config.tasks.map(({ name, dataset }) => {
    const origin = findDatasetOrigin(dataset, config), shown = showDataset(dataset);
    const counts = summary.data[name];
    const place = origin.kind === "hub"
      ? `[${shown}](https://huggingface.co/datasets/${origin.repo})`
      : `${shown} from ${
        origin.kind === "sample" ? "the project's generated sample" : "a local folder"
      }`;
    const rows = counts === undefined
      ? ""
      : `: ${formatCount(counts.train)} training rows, ${
        formatCount(counts.validation)
      } validation rows, ${formatCount(counts.test)} test rows`;
    return `- ${name} (data set ${place})${rows}`;
  });
  const steps = `${formatCount(summary.steps)} ${summary.steps === 1 ? "step" : "steps"}`;
  return `Trained ${begin}, ${steps} over ${formatCount(summary.tokens)} ` +
    `tokens in ${formatDuration(summary.seconds.train)}, ${config.precision}, executor ` +
    `${String(environment.executor ?? "unknown")}, seed ${config.seed}; ` +
    `${formatCount(summary.parameters)} parameters. Data:\n\n${data.join("\n")}` +
    (notes.length === 0 ? "" : `\n\n${notes.map((note) => `- ${note}`).join("\n")}`);
}

/** Lists the limitations of the model. */
function describeLimits(
  { record: { config }, settings }: CardContent,
  hasLicense: boolean,
): string {
  const limits = [
    `Texts are truncated to ${settings.maxLength} tokens.`,
    "The model was trained and evaluated only on the tasks above: other kinds of text, other languages and " +
    "other labels were not tested.",
    "The model reproduces biases of its training data.",
  ];
  if (config.dataDir === "sample") {
    limits.unshift(
      "Trained on generated sentences to try out the software; not suitable for real text.",
    );
  }
  if (settings.normalize === "l1") {
    limits.push(
      "sentence-transformers has no L1 normalization and returns unnormalized embeddings: divide each by the " +
        "sum of its absolute values. `sentence_embedding` of the ONNX graph is already normalized.",
    );
  }
  if (!hasLicense) {
    limits.push("No license is stated: the licenses of the base model and of the data sets apply.");
  }
  return limits.map((limit) => `- ${limit}`).join("\n");
}

/** Composes the text of README.md. */
export function composeCard(content: CardContent, options: CardOptions): string {
  const { record, files, own, settings } = content;
  const metadata = {
    ...composeMetadata({ record, files, scores: scoresOf(content) }, options),
    ...own.metadata,
    ...(options.license !== null && { license: options.license }),
  };
  const sections = [
    ["Results", describeResults(content)],
    ["Files for other runtimes", describeExports(content)],
    ["Usage", describeUsage({ settings, files }, options.repo)],
    ["Training", describeTraining(content)],
    ["Limits", describeLimits(content, "license" in metadata)],
  ];
  return [
    `---\n${stringify(metadata, { lineWidth: 0 })}---`,
    `# ${record.summary.name}`,
    describeModel(content),
    ...(own.text === "" ? [] : [own.text]),
    ...sections.map(([head, text]) => `## ${head}\n\n${text}`),
  ].join("\n\n") + "\n";
}
