// A run that begins from a sentence-transformers folder with settings for texts.
import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { createTextPredictor } from "@/eval/predict_examples.ts";
import { disposeModel } from "@/model/parameters.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { prepareRun } from "@/train/prepare_run.ts";
import { trainRun } from "@/train/train_run.ts";
import { openBackend } from "../backend.ts";
import { BASE, CONFIG, inFolder } from "./tiny_run.ts";

const SOURCE = join(import.meta.dirname ?? "", "../fixtures/sentence_transformers/max-l2");
const PROMPTS = { query: "", document: "", lookup: "wrote to: " };

/** Copies the fixture's encoder, with settings for texts, to `folder`. */
async function writeSource(folder: string): Promise<void> {
  const read = async (name: string) => JSON.parse(await Deno.readTextFile(join(SOURCE, name)));
  await Deno.mkdir(join(folder, "1_Pooling"), { recursive: true });
  for (const name of ["config.json", "model.safetensors", "tokenizer.json"]) {
    await Deno.copyFile(join(SOURCE, name), join(folder, name));
  }
  const modules = (await read("modules.json")).slice(0, 2);
  const files = {
    "modules.json": modules,
    "1_Pooling/config.json": { pooling_mode: "mean", include_prompt: false },
    "tokenizer_config.json": { ...await read("tokenizer_config.json"), do_lower_case: false },
    "sentence_bert_config.json": { max_seq_length: 12, do_lower_case: true },
    "config_sentence_transformers.json": { prompts: PROMPTS, default_prompt_name: "lookup" },
  };
  for (const [name, content] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, name), JSON.stringify(content));
  }
}

Deno.test("a run trains with its checkpoint's default prompt and lowercasing, and its model keeps them", async () => {
  await openBackend("onnx");
  await inFolder(async (dir) => {
    const source = join(dir, "source"), out = join(dir, "run");
    await writeSource(source);
    const config = resolveConfig({
      file: {
        ...CONFIG,
        model: { source, maxLength: 12, pooling: "max", normalize: "l2" },
        training: { ...CONFIG.training, maxSteps: 2, lengths: [12] },
      },
    });
    const prepared = await prepareRun(config, null);
    const { tokenizer, model, tasks } = prepared;
    const prompt = [tokenizer.ids.cls, ...tokenizer.encodeText(PROMPTS.lookup)];
    strictEqual(model.poolingStart, prompt.length);
    for (const { train, evaluation } of tasks) {
      for (const { ids } of [...train, ...evaluation.get("test")?.examples ?? []]) {
        deepStrictEqual([...ids.subarray(0, prompt.length)], prompt);
      }
    }
    deepStrictEqual(tokenizer.encodeText("ADA"), tokenizer.encodeText("ada"));
    prepared.dispose();

    const { notes } = await trainRun(config, { out, ...BASE });
    ok(
      notes.includes(
        'Every text begins with "wrote to: ", the checkpoint\'s default prompt "lookup". Pooling excludes it.',
      ),
    );
    const saved = await openSavedModel(out);
    deepStrictEqual(saved.prompts, {
      prompts: PROMPTS,
      defaultPromptName: "lookup",
      includePrompt: false,
    });
    strictEqual(saved.model.poolingStart, prompt.length);
    const texts = ["ADA İ wrote", "yes"];
    const encode = async (options: Parameters<typeof createSentenceEncoder>[1]) =>
      (await createSentenceEncoder(saved, options).encode(texts)).map((row) => [...row]);
    deepStrictEqual(await encode({}), await encode({ promptName: "lookup" }));
    notDeepStrictEqual(await encode({}), await encode({ prompt: "" }));
    const [prediction] = await createTextPredictor(saved).predict(texts);
    for (const { text, start, end } of Object.values(prediction?.entities ?? {}).flat()) {
      strictEqual(text, texts[0]?.slice(start, end));
    }
    disposeModel(saved.model);
  });
});
