/**
 * The card of a run's model: README.md of its folder, with the Hub's metadata at its head. Every number in
 * it comes from the run's files; the same files give the same bytes.
 * @module
 */
import { stringify } from "yaml";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import {
  baseModel,
  type CardFiles,
  type CardOptions,
  composeMetadata,
  findDatasetOrigin,
  showDataset,
} from "@/export/card_metadata.ts";
import { type CardSettings, describeUsage } from "@/export/card_usage.ts";
import type { ExportRecords } from "@/export/score_exports.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { formatCount, formatDuration, formatInterval, formatPercent } from "@/report/format.ts";
import { isClassification, type RunRecord } from "@/report/run_record.ts";
import { type Column, formatTable } from "@/report/tables.ts";
import { resolvePrompt } from "@/text/prompts.ts";

/** All that a card tells of. */
export type CardContent = {
  readonly record: RunRecord;
  readonly settings: CardSettings;
  /** Scores of exported files. */
  readonly exports: ExportRecords;
  /** The files of the model's folder. */
  readonly files: CardFiles;
  /** The author's own words, from `card.md` of the run. */
  readonly own: OwnCard;
};

/** What only the author of a model can know: `card.md`. */
export type OwnCard = {
  /** Metadata that goes before what the run's files say, such as `license` and `base_model`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Markdown; empty: none. */
  readonly text: string;
};

/** The scores of what the folder holds: of the weights, else of its graph where that was scored. */
function scoresOf({ record, exports, files }: CardContent): RunSummary["scores"] {
  const [graph] = files.graphs;
  const own = files.weights || graph === undefined ? undefined : exports[graph]?.scores;
  return own ?? record.summary.scores;
}

const left = (head: string): Column => ({ head, align: "left" });
const right = (head: string): Column => ({ head, align: "right" });

/** The number that stands for a task. */
function mainScore(scores: TaskScores): number {
  return isClassification(scores) ? scores.accuracy : scores.f1;
}

/** What the number of {@link mainScore} is called. */
function mainName(scores: TaskScores): string {
  return isClassification(scores) ? "accuracy" : "entity F1";
}

/** What the model does, in a paragraph and a table of its tasks. */
function describeModel({ record, settings }: CardContent): string {
  const { tasks } = record.config;
  const table = formatTable(
    [left("task"), left("kind"), left("labels")],
    tasks.map(({ name, kind, labels }) => [name, kind, labels.join(", ")]),
  );
  const pooling = {
    mean: "the mean of",
    max: "the maximum over",
    cls: "the pooler over",
    "cls-token": "the first of",
  };
  const size = settings.embeddingSize === null
    ? ""
    : `, projected to ${settings.embeddingSize} columns`;
  const norm = settings.normalize === "none"
    ? ""
    : `, scaled to ${settings.normalize.toUpperCase()} length one`;
  return `One BERT encoder with a head for each of ${tasks.length} tasks. Its sentence embedding is ` +
    `${pooling[settings.pooling]} the token vectors${size}${norm}. Longest input: ` +
    `${settings.maxLength} tokens.${describePrompts(settings)}\n\n${table}`;
}

/** The prompts of the model, and what to do with them. */
function describePrompts({ prompts }: CardSettings): string {
  const { defaultPromptName: name, includePrompt } = prompts;
  const code = (text: string) => `\`${JSON.stringify(text)}\``;
  const prompt = resolvePrompt(prompts);
  const others = Object.entries(prompts.prompts)
    .filter(([other, text]) => text !== "" && other !== name)
    .map(([other, text]) => `${code(text)} (\`${other}\`)`);
  return [
    ...(prompt === "" ? [] : [
      `Every text begins with the prompt ${code(prompt)} (\`${name}\`), in training as well. ` +
      "sentence-transformers and the library prepend it; for the ONNX graph, prepend it yourself." +
      (includePrompt ? "" : " Pooling skips `[CLS]` and the prompt, in the graph as well."),
    ]),
    ...(others.length === 0 ? [] : [`Other prompts: ${others.join(", ")}.`]),
  ].map((sentence) => ` ${sentence}`).join("");
}

/** Scores on all splits. */
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
    [left("task"), left("split"), right("rows"), left("score"), right("%"), right("95 %")],
    rows,
  );
  const sample = config.dataDir === "sample"
    ? "\n\nThese scores are on generated text and say little about real text."
    : "";
  return `${table}\n\nEntity F1 counts whole entities by conlleval's rules; intervals are by the ` +
    `bootstrap over rows, one training seed.${sample}`;
}

/** Weights of eight bits: what users must know of their results. */
const EIGHT_BITS =
  "Results in eight bits depend on the batch: activations share one scale in it, so that other texts and " +
  "padding change a text's numbers. The scores are of each text alone and without padding. Run one text " +
  "at a time for the same results; a batch changes few answers.";

/** The exported files, with sizes and scores where they were scored. */
function describeExports({ record: { summary }, exports, files }: CardContent): string {
  const { graphs, weights } = files;
  if (graphs.length === 0) return "This folder holds no ONNX graph: `deno task export` writes it.";
  const list = graphs.map((dtype) => `\`${ONNX_FILES[dtype]}\``).join(", ");
  const all =
    (graphs.length === 1
      ? `${list} holds encoder, embedding and heads as one ONNX graph.`
      : `${list} each hold encoder, embedding and heads as one ONNX graph.`) +
    (weights
      ? ""
      : " There are no other weights: PyTorch cannot load or train this model further.") +
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
  return `${all}\n\nScores by ONNX Runtime on the run's own sets; in brackets the change against the ` +
    "trained model in float32:\n\n" +
    formatTable([left("file"), right("MiB"), ...columns], rows);
}

/** A path of the machine that trained, as in a note on a damaged checkpoint. */
const PATH = /(?:^|[\s"'(])(?:[/\\~]\S|\.{1,2}[/\\]|[A-Za-z]:[\\/])/;

/** From what, on what and how the model was trained. */
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
    ? "from random weights"
    : environment.modelOrigin === "folder"
    ? "from a BERT checkpoint in a local folder"
    : "from a BERT checkpoint"; // runs of before the origin was recorded
  const data = config.tasks.map(({ name, dataset }) => {
    const origin = findDatasetOrigin(dataset, config), shown = showDataset(dataset);
    const counts = summary.data[name];
    const place = origin.kind === "hub"
      ? `[${shown}](https://huggingface.co/datasets/${origin.repo})`
      : `${shown} of ${
        origin.kind === "sample" ? "the project's generated sample" : "a local folder"
      }`;
    const rows = counts === undefined
      ? ""
      : `: ${formatCount(counts.train)} rows to train on, ${
        formatCount(counts.validation)
      } to validate, ${formatCount(counts.test)} to test`;
    return `- ${name} (data set ${place})${rows}`;
  });
  const steps = `${formatCount(summary.steps)} ${summary.steps === 1 ? "step" : "steps"}`;
  return `Trained ${begin}, ${steps} over ${formatCount(summary.tokens)} ` +
    `tokens in ${formatDuration(summary.seconds.train)}, ${config.precision}, executor ` +
    `${String(environment.executor ?? "unknown")}, seed ${config.seed}; ` +
    `${formatCount(summary.parameters)} parameters. Data:\n\n${data.join("\n")}` +
    (notes.length === 0 ? "" : `\n\n${notes.map((note) => `- ${note}`).join("\n")}`);
}

/** What the model is not good for. */
function describeLimits(
  { record: { config }, settings }: CardContent,
  hasLicense: boolean,
): string {
  const limits = [
    `Texts are cut at ${settings.maxLength} tokens.`,
    "Trained on the tasks above alone: embeddings of other kinds of text, other languages and other " +
    "labels were not measured.",
    "Models repeat the slant of the text that they were trained on.",
  ];
  if (config.dataDir === "sample") {
    limits.unshift(
      "Trained on generated sentences, to try the software out: not for use on real text.",
    );
  }
  if (settings.normalize === "l1") {
    limits.push(
      "sentence-transformers has no L1 norm: its embeddings are those before scaling; divide each by the sum " +
        "of its absolute values. `sentence_embedding` of the ONNX graph is scaled.",
    );
  }
  if (!hasLicense) {
    limits.push("No license is stated: those of the base model and of the data sets hold.");
  }
  return limits.map((limit) => `- ${limit}`).join("\n");
}

/** The text of README.md. */
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
