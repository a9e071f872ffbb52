/** The model that ships with the repository predicts correctly, and its card and scores are up to date. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { openTextModel } from "@/eval/text_model.ts";
import { readExportRecords } from "@/export/export_model.ts";
import { readCard } from "@/export/write_card.ts";
import { SHIPPED_RUN } from "@/model/find_model_folder.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";

const MODEL = join(SHIPPED_RUN, "model");

/** News-like sentences written for this test, with topic and entities. */
const NEWS: readonly {
  readonly text: string;
  readonly topic: string;
  readonly entities: readonly string[];
}[] = [
  {
    text: "Prime Minister Anneke de Vries met union leaders in Rotterdam to end the strike.",
    topic: "World",
    entities: ["PER Anneke de Vries", "LOC Rotterdam"],
  },
  {
    text: "Serena Okafor won the marathon in Boston by two seconds.",
    topic: "Sports",
    entities: ["PER Serena Okafor", "LOC Boston"],
  },
  {
    text:
      "Shares of Volkswagen fell 4 percent in Frankfurt after the carmaker cut its profit forecast.",
    topic: "Business",
    entities: ["ORG Volkswagen", "LOC Frankfurt"],
  },
  {
    text:
      "Researchers at the University of Zurich built a software tool that finds flaws in web browsers.",
    topic: "Sci/Tech",
    entities: ["ORG University of Zurich"],
  },
];

Deno.test("the shipped model predicts topics and entities of news, alone and in a batch", async () => {
  using model = await openTextModel(SHIPPED_RUN);
  const predictor = model.createPredictor();
  const found = await predictor.predict(NEWS.map(({ text }) => text));
  deepStrictEqual(
    found.map(({ text, labels, entities }) => ({
      text,
      topic: labels["ag_news"]?.label,
      entities: entities["conll2003"]?.map(({ type, text }) => `${type} ${text}`),
    })),
    NEWS,
  );
  for (const { text, entities } of found) {
    for (const each of entities["conll2003"] ?? []) {
      strictEqual(text.slice(each.start, each.end), each.text);
      ok(each.probability > 0.5, `${each.text}: ${each.probability}`);
    }
  }
  for (const [i, { text }] of NEWS.entries()) {
    deepStrictEqual(await predictor.predict([text]), [found[i]]);
  }
  const [first = new Float32Array()] = await model.createEncoder().encode([NEWS[0]?.text ?? ""]);
  strictEqual(first.length, 384);
  ok(first.every(Number.isFinite));
});

Deno.test("the scores of the shipped model were measured on its graph, and its card is up to date", async () => {
  const records = await readExportRecords(SHIPPED_RUN);
  deepStrictEqual(Object.keys(records), ["q8"]);
  strictEqual((await Deno.stat(join(MODEL, ONNX_FILES.q8))).size, records.q8?.bytes);
  strictEqual(
    await Deno.readTextFile(join(MODEL, "README.md")),
    await readCard(SHIPPED_RUN),
    "the card is out of date: run writeCard()",
  );
});

Deno.test("the shipped model contains only the files that its graph needs", async () => {
  const files: string[] = [];
  const walk = async (place: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(MODEL, place))) {
      if (isDirectory) await walk(join(place, name));
      else files.push(join(place, name));
    }
  };
  await walk("");
  deepStrictEqual(files.sort(), [
    "README.md",
    "config.json",
    "config_sentence_transformers.json",
    "heads.json",
    "onnx/model_quantized.onnx",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
});
