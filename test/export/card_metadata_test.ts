import { showDataset } from "@/data/file_source.ts";
import { deepStrictEqual, doesNotMatch, match, strictEqual, throws } from "node:assert/strict";
import {
  baseModel,
  type CardFiles,
  composeMetadata,
  findDatasetOrigin,
} from "@/export/card_metadata.ts";
import type { CardSettings } from "@/export/card_usage.ts";
import { type CardContent, composeCard } from "@/export/model_card.ts";
import { parseOwnCard } from "@/export/write_card.ts";
import { readRun } from "@/report/readers/read_run.ts";
import type { RunRecord } from "@/report/readers/run_record.ts";
import { NO_PROMPTS } from "@/text/prompts.ts";
import { writeSyntheticRun } from "../report/synthetic_run.ts";

const OPTIONS = { repo: "owner/tiny", license: null };
const WHOLE: CardFiles = { weights: true, graphs: ["fp32"] };
const SETTINGS: CardSettings = {
  pooling: "mean",
  prompts: NO_PROMPTS,
  includePrompt: true,
  embeddingSize: 32,
  normalize: "l1",
  maxLength: 64,
  tasks: [{ name: "conll2003", kind: "tagging", labels: ["O", "B-X"] }],
};
/** Sources that look like Hub names, paths of every operating system, and plain words. */
const SOURCES = [
  "google-bert/bert-base-uncased",
  "models/mine",
  "/models/mine",
  "./mine",
  "../a/b",
  "a/b/c",
  "model",
  "C:\\models\\mine",
  "\\\\server\\models",
  "~/mine",
];

/** Record of a run that was initialized from `source` and trained on data from `dataDir`. */
async function readRecord(
  source: string | null,
  { origin, dataDir = null }: {
    readonly origin?: "hub" | "folder";
    readonly dataDir?: string | null;
  } = {},
): Promise<RunRecord> {
  const dir = await Deno.makeTempDir();
  try {
    await writeSyntheticRun(dir);
    const record = await readRun(dir);
    const json = { ...record.config.json, model: { source } };
    return {
      ...record,
      config: { ...record.config, dataDir, json },
      environment: { ...record.environment, ...(origin && { modelOrigin: origin }) },
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const contentOf = (record: RunRecord, part: Partial<CardContent> = {}): CardContent => ({
  record,
  settings: SETTINGS,
  exports: {},
  files: WHOLE,
  own: { metadata: {}, text: "" },
  ...part,
});
const metadataOf = (record: RunRecord, files = WHOLE) =>
  composeMetadata({ record, files, scores: record.summary.scores }, OPTIONS);

Deno.test("composeMetadata() uses Hub names for the base model and data sets from the Hub", async () => {
  const record = await readRecord("google-bert/bert-base-uncased", { origin: "hub" });
  const metadata = metadataOf(record);
  strictEqual(metadata.base_model, "google-bert/bert-base-uncased");
  deepStrictEqual(metadata.datasets, ["fancyzhx/ag_news", "eriktks/conll2003"]);
  deepStrictEqual(metadata.language, ["en"]);
  const card = composeCard(contentOf(record), OPTIONS);
  match(card, /from \[google-bert\/bert-base-uncased\]\(https:\/\/huggingface\.co\/google-bert\//);
  match(
    card,
    /- ag_news \(data set \[ag_news\]\(https:\/\/huggingface\.co\/datasets\/fancyzhx\/ag_news\)\):/,
  );
});

Deno.test("a card does not link models and data sets from a local folder to the Hub, whatever their names", async () => {
  for (const source of SOURCES) {
    for (const origin of [{ origin: "folder" } as const, {}]) { // runs that did not record the origin yet
      const record = await readRecord(source, { ...origin, dataDir: "/data/mine" });
      strictEqual(baseModel(record), null);
      const metadata = metadataOf(record);
      deepStrictEqual([metadata.base_model, metadata.datasets, metadata.language], [
        undefined,
        undefined,
        undefined,
      ]);
      const card = composeCard(contentOf(record), OPTIONS);
      const isKnown = "origin" in origin;
      match(
        card,
        isKnown ? /from a BERT checkpoint in a local folder,/ : /from a BERT checkpoint,/,
      );
      match(card, /- ag_news \(data set ag_news from a local folder\): [\d,]+ training rows/);
      match(card, /name: ag_news \(local folder\)\n\s+type: local-folder/);
      doesNotMatch(card, /huggingface\.co\/(?!owner\/tiny)|fancyzhx|\/data\/mine/);
      strictEqual(source !== "model" && card.includes(source), false);
    }
  }
});

Deno.test("a card says that the rows of the sample are generated", async () => {
  const card = composeCard(
    contentOf(await readRecord(null, { dataDir: "sample" })),
    OPTIONS,
  );
  match(card, /- ag_news \(data set ag_news from the project's generated sample\): /);
  match(card, /name: ag_news \(generated sample\)\n\s+type: generated-sample/);
  doesNotMatch(card, /huggingface\.co\/(?!owner\/tiny)|base_model|^datasets:/m);
});

Deno.test("findDatasetOrigin() returns hub only for rows from the Hub", async () => {
  const { config } = await readRecord(null);
  deepStrictEqual(findDatasetOrigin("conll2003", config), {
    kind: "hub",
    repo: "eriktks/conll2003",
  });
  deepStrictEqual(findDatasetOrigin("me/mine", config), { kind: "hub", repo: "me/mine" });
  for (const dataDir of ["./sample", "/data", "data"]) {
    deepStrictEqual(findDatasetOrigin("me/mine", { ...config, dataDir }), { kind: "folder" });
  }
});

Deno.test("showDataset() reduces paths to their last folder", () => {
  for (const name of ["ag_news", "owner/name", "a/b/c"]) strictEqual(showDataset(name), name);
  for (
    const path of ["/srv/me/news", "../me/news/", "./news", "C:\\me\\news", "~/news", "a/../news"]
  ) {
    strictEqual(showDataset(path), "news");
  }
});

Deno.test("composeCard() lists the prompts, and says that a graph needs the default prompt prepended", async () => {
  const settings: CardSettings = {
    ...SETTINGS,
    includePrompt: false,
    prompts: {
      prompts: { query: "", document: "", lookup: "find: ", other: "tell: " },
      defaultPromptName: "lookup",
      includePrompt: false,
    },
  };
  const record = await readRecord(null);
  const card = composeCard(contentOf(record, { settings }), OPTIONS);
  match(
    card,
    /The prompt `"find: "` \(`lookup`\) is prepended to every text, also in training\. .* ONNX graph, prepend it yourself\. Pooling ignores `\[CLS\]` and the prompt, also in the graph\. Other prompts: `"tell: "` \(`other`\)\.\n/,
  );
  match(card, /const prompt = "find: ";[^]*map\(\(text\) => prompt \+ text\)/);
  const plain = { ...settings, prompts: { ...settings.prompts, defaultPromptName: null } };
  const other = composeCard(contentOf(record, { settings: plain }), OPTIONS);
  doesNotMatch(other, /is prepended to every text|const prompt/);
  match(other, /Other prompts: `"find: "` \(`lookup`\), `"tell: "` \(`other`\)\./);
});

Deno.test("composeCard() explains L1 normalization for sentence-transformers, which does not support it", async () => {
  const record = await readRecord(null);
  const card = composeCard(contentOf(record), OPTIONS);
  match(card, /the mean of the token vectors, projected to 32 dimensions, normalized to L1 norm 1/);
  match(
    card,
    /sentence-transformers has no L1 normalization .* divide each by the sum of its absolute values/,
  );
  const settings = { ...SETTINGS, normalize: "l2" } as const;
  doesNotMatch(composeCard(contentOf(record, { settings }), OPTIONS), /no L1 normalization/);
});

Deno.test("a card shows examples and scores for existing files only", async () => {
  const record = await readRecord(null);
  const whole = composeCard(contentOf(record), OPTIONS);
  match(whole, /dtype: "fp32"/);
  match(whole, /from sentence_transformers import/);
  doesNotMatch(whole, /eight-bit/);
  const both = { weights: true, graphs: ["fp32", "q8"] } as const;
  match(
    composeCard(contentOf(record, { files: both }), OPTIONS),
    /eight-bit graph depend on the batch/,
  );

  const files = { weights: false, graphs: ["q8"] } as const;
  const { ag_news: trained, ...others } = record.summary.scores;
  const test = trained?.test;
  const scores = { ...others, ag_news: { ...(test && { test: { ...test, accuracy: 0.4321 } }) } };
  const exports = { q8: { bytes: 1, scores } };
  const card = composeCard(contentOf(record, { files, exports }), OPTIONS);
  match(card, /dtype: "q8"/);
  match(card, /hf_hub_download\("owner\/tiny", "onnx\/model_quantized\.onnx"\)/);
  match(card, /Results of the eight-bit graph depend on the batch/);
  match(card, /PyTorch cannot load or fine-tune this model/);
  match(card, /type: accuracy\n\s+name: Accuracy\n\s+value: 0\.4321/);
  match(card, /\| ag_news \| test \| [\d,]+ \| accuracy \| 43\.21 \|/);
  doesNotMatch(card, /sentence_transformers|library_name: sentence-transformers|onnx\/model\.onnx/);
});

Deno.test("a card omits notes that contain file paths", async () => {
  const record = await readRecord(null);
  const notes = [
    "An epoch is 4 steps.",
    "Cannot read tensors as /mnt/Jane Doe/run/checkpoint/step-2.safetensors must be whole",
    'The file "../private/step-2.json" is damaged',
    "C:\\runs\\step-2.json is damaged",
  ];
  const card = composeCard(
    contentOf({ ...record, summary: { ...record.summary, notes } }),
    OPTIONS,
  );
  match(card, /^- An epoch is 4 steps\.$/m);
  doesNotMatch(card, /step-2|Jane|private/);
});

Deno.test("a card explains the unit of entity offsets", async () => {
  const card = composeCard(contentOf(await readRecord(null)), OPTIONS);
  match(card, /`start` and `end` of an entity in UTF-16 code units/);
  match(card, /--offsets codepoints/);
  const settings: CardSettings = {
    ...SETTINGS,
    tasks: [{ name: "ag_news", kind: "classification", labels: ["a", "b"] }],
  };
  doesNotMatch(composeCard(contentOf(await readRecord(null), { settings }), OPTIONS), /UTF-16/);
});

Deno.test("the card includes the author's text and metadata", async () => {
  const own = parseOwnCard(
    "---\r\nlicense: other\r\nbase_model: owner/base\r\n---\r\n\r\n## Origin\r\n\r\nMine.\r\n",
    "card.md",
  );
  deepStrictEqual(own, {
    metadata: { license: "other", base_model: "owner/base" },
    text: "## Origin\r\n\r\nMine.",
  });
  const record = await readRecord("../models/base", { origin: "folder" });
  const card = composeCard(contentOf(record, { own }), OPTIONS);
  match(card, /^license: other$/m);
  match(card, /^base_model: owner\/base$/m);
  match(card, /^Mine\.$/m);
  match(card, /from \[owner\/base\]\(https:\/\/huggingface\.co\/owner\/base\)/);
  doesNotMatch(card, /No license is stated/);
  const licensed = composeCard(contentOf(record, { own }), { ...OPTIONS, license: "mit" });
  match(licensed, /^license: mit$/m);
  deepStrictEqual(parseOwnCard("Words alone.\n", "card.md"), {
    metadata: {},
    text: "Words alone.",
  });
  for (const head of ["- a list", "a: [", "words"]) {
    throws(() => parseOwnCard(`---\n${head}\n---\n`, "run/card.md"), {
      name: "SyntaxError",
      message:
        "run/card.md: the lines between --- at its head are not valid YAML metadata, such as " +
        '"license: apache-2.0"',
    });
  }
});
