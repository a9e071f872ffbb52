import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { createBenchInputs, resolveBenchConfig } from "@/development/bench/bench_inputs.ts";
import { takeTexts } from "@/development/bench/measure_encode.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { disposeModel } from "@/model/parameters.ts";

Deno.env.set("STX_CACHE", ""); // no cache for encoded rows in tests

const TINY = [
  "model.maxLength=48",
  ...["hiddenSize=16", "layers=1", "attentionHeads=2", "intermediateSize=16", "maxPositions=48"]
    .map((size) => `model.fresh.${size}`),
  "model.fresh.vocabularySize=400",
];

Deno.test("takeTexts() repeats short files and skips empty lines", () => {
  deepStrictEqual(takeTexts("a\n\nb\r\nc\n", 5), ["a", "b", "c", "a", "b"]);
  deepStrictEqual(takeTexts("a\nb\n", 1), ["a"]);
  deepStrictEqual(takeTexts("\n", 3), []);
});

Deno.test("resolveBenchConfig() needs no download by default", () => {
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

Deno.test("createBenchInputs() creates texts and a model for encode", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const config = resolveBenchConfig({ set: [...TINY, "data.maxRows=20"] });
    const { model, texts } = await createBenchInputs(config, { texts: null, folder }).encode();
    const lines = (await Deno.readTextFile(texts)).trimEnd().split("\n");
    strictEqual(lines.length, 20);
    const saved = await openSavedModel(model);
    deepStrictEqual([saved.maxLength, saved.model.encoder.config.hiddenSize], [48, 16]);
    const ids = saved.tokenizer.encodeText(lines[0] ?? "");
    ok(ids.length >= 3 && !ids.includes(saved.tokenizer.ids.unk), `tokens of a text: ${ids}`);
    disposeModel(saved.model);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("createBenchInputs() refuses a missing file of texts", async () => {
  const config = resolveBenchConfig({ set: [] });
  const texts = join("no", "texts.txt");
  await rejects(createBenchInputs(config, { texts, folder: "unused" }).encode(), {
    name: "NotFound",
    message: `Cannot measure encode: --texts is not a file: ${texts}`,
  });
});

Deno.test("createBenchInputs() creates the first batches of a run for epoch, in buckets and padded", async () => {
  const config = resolveBenchConfig({
    set: [
      ...TINY,
      "data.maxRows=60",
      "training.batchRows=8",
    ],
  });
  const inputs = createBenchInputs(config, { texts: null, folder: "unused" });
  const bucketed = await inputs.epoch(4, "buckets"), padded = await inputs.epoch(3, "padded");
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
