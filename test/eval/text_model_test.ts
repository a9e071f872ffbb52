// Compares a model opened from an exported graph with the same model opened from its weights.
import {
  deepStrictEqual,
  match,
  notDeepStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { join } from "node:path";
import { NORMALIZE_MODES } from "@/config/config.ts";
import { openSavedGraph } from "@/engine/onnx/saved_graph.ts";
import { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
import { openTextModel, textModelOf } from "@/eval/text_model.ts";
import { exportModel } from "@/export/export_model.ts";
import { loadEncoder } from "@/model/load_encoder.ts";
import { GRAPH_INPUTS, SENTENCE_EMBEDDING } from "@/model/onnx_names.ts";
import type { OnnxDtype } from "@/model/onnx_weights.ts";
import type { PromptSettings } from "@/text/prompts.ts";
import { TEXTS, withSavedModel } from "./saved_model.ts";

/** Runs `test` with a model and a folder that holds its graph but no weights. */
async function withGraphFolder(
  dtype: OnnxDtype,
  test: (saved: SavedModel, folder: string) => Promise<void>,
  prompts?: PromptSettings,
): Promise<void> {
  await withSavedModel([0, 1, -1], async (saved, folder) => {
    const out = join(folder, "graph");
    await exportModel(saved, { folder: join(folder, "model"), out, dtypes: [dtype] });
    await test(saved, out);
  }, prompts);
}

/** Largest absolute difference between two lists of vectors. */
function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  deepStrictEqual(a.map(({ length }) => length), b.map(({ length }) => length));
  return Math.max(
    ...a.flatMap((row, i) => [...row].map((x, k) => Math.abs(x - (b[i]?.[k] ?? NaN)))),
  );
}

Deno.test("openTextModel() returns the same results from a graph as from weights, within 1e-5", async () => {
  await withGraphFolder("fp32", async (saved, folder) => {
    const weights = textModelOf(saved);
    using graph = await openTextModel(folder, { threads: 1 });
    deepStrictEqual(graph.executor?.name, "onnx");
    deepStrictEqual([graph.settings.tasks, graph.settings.maxLength], [
      weights.settings.tasks,
      weights.settings.maxLength,
    ]);
    deepStrictEqual(graph.poolings, ["mean", "cls-token", "max"]); // the graph does not contain the pooler's weights
    for (const pooling of graph.poolings) {
      for (const normalize of NORMALIZE_MODES) {
        const options = { pooling, normalize };
        const found = await graph.createEncoder(options).encode(TEXTS);
        const wanted = await weights.createEncoder(options).encode(TEXTS);
        ok(distance(found, wanted) < 1e-5, `${pooling}, ${normalize}: ${distance(found, wanted)}`);
      }
    }
    const found = await graph.createPredictor().predict(TEXTS);
    const wanted = await weights.createPredictor().predict(TEXTS);
    const rounded = (value: unknown) =>
      JSON.parse(
        JSON.stringify(
          value,
          (_, each) => typeof each === "number" ? Math.round(1e4 * each) : each,
        ),
      );
    ok(wanted.some(({ entities }) => (entities["tags"] ?? []).length > 0), "there are entities");
    deepStrictEqual(rounded(found), rounded(wanted));
  });
});

Deno.test("an eight-bit graph returns the same result for a text alone and among other texts", async () => {
  await withGraphFolder("q8", async (saved, folder) => {
    using graph = await openTextModel(folder, { threads: 1 });
    const encoder = graph.createEncoder(), predictor = graph.createPredictor();
    const together = await encoder.encode(TEXTS), read = await predictor.predict(TEXTS);
    for (const [i, text] of TEXTS.entries()) {
      deepStrictEqual(await encoder.encode([text]), [together[i]]);
      deepStrictEqual(await predictor.predict([text]), [read[i]]);
    }
    // precondition: in one batch, the activation scale is shared and the results differ
    using file = openSavedGraph(await Deno.readFile(join(folder, "onnx/model_quantized.onnx")), {
      inputs: GRAPH_INPUTS,
      outputs: [SENTENCE_EMBEDDING],
      threads: 1,
    });
    const rows = TEXTS.slice(0, 3).map((text) => saved.tokenizer.encodeText(text).slice(0, 16));
    const length = Math.max(...rows.map((row) => row.length));
    const pad = (row: ArrayLike<number>, value: (at: number) => number) =>
      Array.from({ length }, (_, at) => at < row.length ? value(at) : 0);
    const shape = [rows.length, length];
    const feed = (values: readonly number[]) => ({
      data: BigInt64Array.from(values, BigInt),
      shape,
    });
    const [batch = new Float32Array()] = await file.run([
      feed(rows.flatMap((row) => pad(row, (at) => row[at] ?? 0))),
      feed(rows.flatMap((row) => pad(row, () => 1))),
    ], [[rows.length, 16]]);
    notDeepStrictEqual([...batch.subarray(0, 16)], [...together[0] ?? []]);
  });
});

Deno.test("openTextModel() skips the prompt in pooling from a graph as from weights", async () => {
  const prompts = {
    prompts: { query: "two three: ", document: "yes: " },
    defaultPromptName: "query",
    includePrompt: false,
  };
  await withGraphFolder("fp32", async (saved, folder) => {
    deepStrictEqual(saved.prompts, prompts);
    ok(saved.model.poolingStart > 1, "the premise: the prompt has tokens");
    const weights = textModelOf(saved);
    using graph = await openTextModel(folder, { threads: 1 });
    deepStrictEqual(graph.settings.prompts, prompts);
    for (const pooling of graph.poolings) {
      for (const promptName of [undefined, "document"]) {
        const options = { pooling, promptName, normalize: "l2" } as const;
        const found = await graph.createEncoder(options).encode(TEXTS);
        const wanted = await weights.createEncoder(options).encode(TEXTS);
        ok(distance(found, wanted) < 1e-5, `${pooling}, ${promptName}: ${distance(found, wanted)}`);
        const without = await weights.createEncoder({
          ...options,
          prompt: "",
          promptName: undefined,
        })
          .encode(TEXTS);
        ok(distance(found, without) > 1e-2, `${pooling}, ${promptName}: the prompt counts`);
      }
    }
    const [found, wanted] = [
      await graph.createPredictor().predict(TEXTS),
      await weights.createPredictor().predict(TEXTS),
    ];
    for (const [i, { labels, entities }] of wanted.entries()) {
      const own = labels.topic?.probability ?? NaN;
      ok(Math.abs((found[i]?.labels.topic?.probability ?? NaN) - own) < 1e-5);
      const places = (list: typeof entities = {}) =>
        list.tags?.map(({ start, end, text }) => [start, end, text]);
      deepStrictEqual(places(found[i]?.entities), places(entities));
      for (const { start, end, text } of entities.tags ?? []) {
        strictEqual(TEXTS[i]?.slice(start, end), text); // offsets refer to the text without its prompt
      }
    }
    ok(wanted.some(({ entities }) => (entities.tags ?? []).length > 0), "the premise: entities");
  }, prompts);
});

Deno.test("openSavedModel() refuses a tokenizer or a length limit beyond the embedding tables", async () => {
  await withGraphFolder("fp32", async (_, folder) => {
    const weights = join(folder, "..", "model");
    for (const place of [weights, folder]) {
      const edit = async (name: string, change: (json: Record<string, unknown>) => void) => {
        const path = join(place, name), text = await Deno.readTextFile(path);
        const json = JSON.parse(text);
        change(json);
        await Deno.writeTextFile(path, JSON.stringify(json));
        return () => Deno.writeTextFile(path, text);
      };
      const { vocab_size: rows } = JSON.parse(await Deno.readTextFile(join(place, "config.json")));
      const putBack = await edit("tokenizer.json", ({ added_tokens: added }) => {
        const plain = { lstrip: false, rstrip: false, normalized: false, single_word: false };
        (added as unknown[]).push({ id: rows, content: "[NEW]", special: true, ...plain });
      });
      await rejects(openTextModel(place), {
        name: "RangeError",
        message:
          `Cannot load model: the tokenizer in ${place} has ${
            rows + 1
          } tokens, but the encoder's ` +
          `embedding table has only ${rows} rows. Use the tokenizer that the encoder was trained with, or save the ` +
          "model again after resize_token_embeddings",
      });
      await putBack();
      await edit("heads.json", (json) => json.maxLength = 17);
      await rejects(openTextModel(place), {
        name: "RangeError",
        message:
          `Cannot load model: "maxLength" in ${join(place, "heads.json")} must be at most the ` +
          "encoder's 16 positions, but is 17",
      });
    }
  });
});

Deno.test("a graph closed while it runs finishes the current text and refuses others", async () => {
  await withGraphFolder("q8", async (_, folder) => {
    const graph = await openTextModel(folder, { threads: 1 });
    const encoder = graph.createEncoder();
    const wanted = await encoder.encode([TEXTS[0] ?? ""]);
    const last = encoder.encode([TEXTS[0] ?? ""]);
    graph[Symbol.dispose]();
    graph[Symbol.dispose]();
    deepStrictEqual(await last, wanted);
    await rejects(encoder.encode(["Another text."]), {
      name: "TypeError",
      message: "internal: the graph is closed",
    });
  });
});

Deno.test("a folder with only a graph is refused if weights are needed or if the graph is damaged", async () => {
  await withGraphFolder("q8", async (_, folder) => {
    await rejects(openSavedModel(folder), {
      name: "NotFound",
      message:
        `Cannot open the weights of ${folder}: its folder has no model.safetensors, only the exported ` +
        "graph onnx/model_quantized.onnx, which predict, encode, similarity, evaluate and app " +
        "can use",
    });
    await rejects(loadEncoder(folder), {
      name: "NotFound",
      message: `Cannot read tensors: ${folder} contains no model.safetensors or ` +
        "model.safetensors.index.json, but only onnx/model_quantized.onnx, an exported graph: use " +
        "the checkpoint that it was exported from",
    });
    const heads = join(folder, "heads.json"), path = join(folder, "onnx/model_quantized.onnx");
    const text = await Deno.readTextFile(heads), bytes = await Deno.readFile(path);
    const refusal = {
      name: "RangeError",
      message:
        `Cannot run ${path} with ONNX Runtime. It must be a graph written by \`deno task export\`, with the ` +
        "tasks and labels of the heads.json beside it; export the model again",
    };
    await Deno.writeTextFile(heads, text.replace('"topic"', '"another"'));
    await rejects(openTextModel(folder), refusal);
    await Deno.writeTextFile(heads, text.replace('"b",', ""));
    await rejects(openTextModel(folder), refusal);
    await Deno.writeTextFile(heads, text);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length >> 1));
    await rejects(openTextModel(folder), refusal);
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${
      "0".repeat(64)
    }\nsize 9\n`;
    await Deno.writeTextFile(path, pointer);
    await rejects(openTextModel(folder), {
      name: "RangeError",
      message:
        `Cannot read exported graph: ${path} is a Git LFS pointer to 9 bytes instead of the ` +
        "file itself; run `git lfs pull` in its repository, or download the file",
    });
    await Deno.remove(heads);
    await rejects(openTextModel(folder), ({ message }: Error) => {
      match(
        message,
        /it holds the graph onnx\/model_quantized\.onnx, no weights, and no heads\.json; export/,
      );
      return true;
    });
  });
});
