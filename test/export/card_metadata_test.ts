import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { baseModel, composeMetadata } from "@/export/card_metadata.ts";
import { composeCard } from "@/export/model_card.ts";
import type { CardSettings } from "@/export/card_usage.ts";
import { NO_PROMPTS } from "@/text/prompts.ts";
import { readRun } from "@/report/read_run.ts";
import type { RunRecord } from "@/report/run_record.ts";
import { writeSyntheticRun } from "../report/synthetic_run.ts";

const OPTIONS = { repo: "owner/tiny", license: null };

/** A record as read from files, on data of the Hub and begun from `source`. */
async function readRecord(source: string | null): Promise<RunRecord> {
  const dir = await Deno.makeTempDir();
  try {
    await writeSyntheticRun(dir);
    const record = await readRun(dir);
    const json = { ...record.config.json, model: { source } };
    return { ...record, config: { ...record.config, dataDir: null, json } };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("composeMetadata() names base model and data sets as the Hub does", async () => {
  const metadata = composeMetadata(await readRecord("google-bert/bert-base-uncased"), OPTIONS);
  strictEqual(metadata.base_model, "google-bert/bert-base-uncased");
  deepStrictEqual(metadata.datasets, ["fancyzhx/ag_news", "eriktks/conll2003"]);
  deepStrictEqual(metadata.language, ["en"]);
});

Deno.test("baseModel() gives no folder of this machine away", async () => {
  for (const source of [null, "/models/mine", "./mine", "../a/b", "a/b/c", "model"]) {
    strictEqual(baseModel(await readRecord(source)), null);
  }
});

Deno.test("composeCard() tells of the prompts, and that a graph's texts must begin with the default one", async () => {
  const settings: CardSettings = {
    ...{ pooling: "mean", embeddingSize: null, normalize: "l2", maxLength: 64, tasks: [] } as const,
    includePrompt: false,
    prompts: {
      prompts: { query: "", document: "", lookup: "find: ", other: "tell: " },
      defaultPromptName: "lookup",
      includePrompt: false,
    },
  };
  const record = await readRecord(null);
  const card = composeCard({ record, settings, exports: {} }, OPTIONS);
  match(
    card,
    /Every text begins with the prompt `"find: "` \(`lookup`\), in training as well\. .* ONNX graph, prepend it yourself\. Pooling skips `\[CLS\]` and the prompt, in the graph as well\. Other prompts: `"tell: "` \(`other`\)\.\n/,
  );
  match(card, /const prompt = "find: ";[^]*map\(\(text\) => prompt \+ text\)/);
  const plain = { ...settings, prompts: { ...settings.prompts, defaultPromptName: null } };
  const other = composeCard({ record, settings: plain, exports: {} }, OPTIONS);
  strictEqual(/begins with the prompt|const prompt/.test(other), false);
  match(other, /Other prompts: `"find: "` \(`lookup`\), `"tell: "` \(`other`\)\./);
});

Deno.test("composeCard() says how to get an L1 norm where sentence-transformers has none", async () => {
  const settings: CardSettings = {
    prompts: NO_PROMPTS,
    pooling: "mean",
    includePrompt: true,
    embeddingSize: 32,
    normalize: "l1",
    maxLength: 64,
    tasks: [],
  };
  const record = await readRecord(null);
  const card = composeCard({ record, settings, exports: {} }, OPTIONS);
  match(card, /the mean of the token vectors, projected to 32 columns, scaled to L1 length one/);
  match(
    card,
    /sentence-transformers has no L1 norm: .* divide each by the sum of its absolute values/,
  );
  const plain = composeCard(
    { record, settings: { ...settings, normalize: "l2" }, exports: {} },
    OPTIONS,
  );
  strictEqual(/no L1 norm/.test(plain), false);
});
