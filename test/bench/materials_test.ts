import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { createMaterials, resolveBenchConfig } from "@/bench/materials.ts";
import { takeTexts } from "@/bench/measure_encode.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { disposeModel } from "@/model/parameters.ts";

Deno.env.set("STX_CACHE", ""); // encoded rows of a test are not worth keeping

const TINY = [
  "model.maxLength=48",
  ...["hiddenSize=16", "layers=1", "attentionHeads=2", "intermediateSize=16", "maxPositions=48"]
    .map((size) => `model.fresh.${size}`),
  "model.fresh.vocabularySize=400",
];

Deno.test("takeTexts() goes over short files again and passes over empty lines", () => {
  deepStrictEqual(takeTexts("a\n\nb\r\nc\n", 5), ["a", "b", "c", "a", "b"]);
  deepStrictEqual(takeTexts("a\nb\n", 1), ["a"]);
  deepStrictEqual(takeTexts("\n", 3), []);
});

Deno.test("resolveBenchConfig() needs no download unless it is told of one", () => {
  const own = resolveBenchConfig({ set: [] });
  deepStrictEqual([own.preset, own.model.source, own.data.dir], ["minilm", null, "sample"]);
  const given = resolveBenchConfig({
    set: ["native.threads=4", "model.source=some/where"],
    data: "rows",
  });
  deepStrictEqual(
    [given.native.threads, given.model.source, given.data.dir],
    [4, "some/where", "rows"],
  );
});

Deno.test("materials of encode: texts a line each, and a model that reads them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const config = resolveBenchConfig({ set: [...TINY, "data.maxRows=20"] });
    const { model, texts } = await createMaterials(config, { texts: null, folder }).encode();
    const lines = (await Deno.readTextFile(texts)).trimEnd().split("\n");
    strictEqual(lines.length, 20);
    const saved = await openSavedModel(model);
    deepStrictEqual([saved.maxLength, saved.model.encoder.config.hiddenSize], [48, 16]);
    const ids = saved.tokenizer.encodeText(lines[0] ?? "");
    ok(ids.length >= 3 && !ids.includes(saved.tokenizer.ids.unk), `pieces of a text: ${ids}`);
    disposeModel(saved.model);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("materials of encode must be there", async () => {
  const config = resolveBenchConfig({ set: [] });
  const texts = join("no", "texts.txt");
  await rejects(createMaterials(config, { texts, folder: "unused" }).encode(), {
    name: "NotFound",
    message: `Cannot measure encode as --texts must be a file: ${texts}`,
  });
});

Deno.test("materials of epoch: the batches that a run begins with, in buckets and padded", async () => {
  const config = resolveBenchConfig({
    set: [
      ...TINY,
      "data.maxRows=60",
      "training.batchRows=8",
    ],
  });
  const materials = createMaterials(config, { texts: null, folder: "unused" });
  const bucketed = await materials.epoch(4, "buckets"), padded = await materials.epoch(3, "padded");
  deepStrictEqual(bucketed.shape.model, {
    hiddenSize: 16,
    layers: 1,
    attentionHeads: 2,
    intermediateSize: 16,
  });
  const batches = bucketed.shape.steps.flat();
  strictEqual(batches.length, 8); // four steps of two tasks
  ok(batches.every(({ rows, length, tokens }) => rows === 8 && tokens <= rows * length));
  ok(new Set(batches.map(({ length }) => length)).size > 1, "several padded lengths");
  deepStrictEqual(padded.shape.steps.flat().map(({ length }) => length), [48, 48, 48, 48, 48, 48]);
  deepStrictEqual(padded.config.training.lengths, [48]);
});
