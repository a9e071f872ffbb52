import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { openSavedGraph } from "@/engine/onnx/saved_graph.ts";
import { runEncoder } from "@/model/bert.ts";
import { embed, runTask } from "@/model/multi_task.ts";
import { ONNX_DTYPES, quantizeRows, roundToHalf } from "@/model/onnx_weights.ts";
import { disposeModel, type MultiTask } from "@/model/parameters.ts";
import { ONNX_FILES, saveOnnx } from "@/model/save_onnx.ts";
import { openBackend } from "../backend.ts";
import { createTinyModel } from "./tiny_model.ts";

/** Rows of different lengths, padded. */
const IDS = [[3, 4, 5, 9, 11], [6, 7, 0, 0, 0], [1, 0, 0, 0, 0]];
const MASK = IDS.map((row) => row.map((id) => (id === 0 ? 0 : 1)));

type Batch = { readonly ids: number[][]; readonly mask: number[][] };
const BATCH: Batch = { ids: IDS, mask: MASK };

type Output = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: number[];
};

/** Every output of the graph, computed by the functions that training uses. */
function computeWithModel(model: MultiTask, batch: Batch = BATCH): readonly Output[] {
  return tf.tidy(() => {
    const ids = tf.tensor2d(batch.ids, undefined, "int32");
    const mask = tf.tensor2d(batch.mask, undefined, "int32");
    const inputs = { ids, mask };
    const [rows, length] = ids.shape;
    const perToken = (x: tf.Tensor2D) => [rows, length, x.shape[1]];
    const state = runEncoder(model.encoder, inputs), embedding = embed(model, inputs);
    const topic = runTask(model, "topic", inputs), entities = runTask(model, "entities", inputs);
    return [
      { name: "last_hidden_state", shape: perToken(state), values: [...state.dataSync()] },
      { name: "sentence_embedding", shape: embedding.shape, values: [...embedding.dataSync()] },
      { name: "logits.topic", shape: topic.shape, values: [...topic.dataSync()] },
      { name: "logits.entities", shape: perToken(entities), values: [...entities.dataSync()] },
    ];
  });
}

/** One output of a file, computed by ONNX Runtime. */
async function computeWithRuntime(
  path: string,
  { name, shape }: Pick<Output, "name" | "shape">,
  { ids, mask }: Batch = BATCH,
): Promise<readonly number[]> {
  const model = await Deno.readFile(path);
  const inputs = ["input_ids", "attention_mask"];
  using graph = openSavedGraph(model, { inputs, outputs: [name], threads: 1 });
  const feed = (rows: number[][]) => ({
    data: BigInt64Array.from(rows.flat(), BigInt),
    shape: [rows.length, rows[0]?.length ?? 0],
  });
  const [values = []] = await graph.run([feed(ids), feed(mask)], [shape]);
  return [...values];
}

/** The largest difference between two lists of numbers. */
function distance(a: readonly number[], b: readonly number[]): number {
  strictEqual(a.length, b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const pooling of POOLING_MODES) {
  for (const normalize of NORMALIZE_MODES) {
    const what = `${pooling}, ${normalize}`;
    Deno.test(`the graph of saveOnnx() matches training to 1e-5: ${what}`, async () => {
      await openBackend("cpu");
      const embeddingSize = normalize === "none" ? 5 : null; // with and without a projection
      const model = createTinyModel({ pooling, normalize, embeddingSize });
      await withFolder(async (folder) => {
        const { path } = await saveOnnx(folder, model, "fp32");
        strictEqual(path, join(folder, "onnx/model.onnx"));
        for (const output of computeWithModel(model)) {
          const found = await computeWithRuntime(path, output);
          ok(Math.max(...found.map(Math.abs)) > 0.01, "there is something to compare");
          ok(distance(found, output.values) < 1e-5, output.name);
        }
      });
      disposeModel(model);
    });
  }
}

for (const pooling of POOLING_MODES) {
  Deno.test(`saveOnnx() excludes the prompt from pooling as training does: ${pooling}`, async () => {
    await openBackend("cpu");
    const whole = createTinyModel({ pooling }), model = { ...whole, poolingStart: 2 };
    await withFolder(async (folder) => {
      const { path } = await saveOnnx(folder, model, "fp32");
      for (const output of computeWithModel(model)) {
        const found = await computeWithRuntime(path, output);
        ok(distance(found, output.values) < 1e-5, output.name);
      }
    });
    const [, { values: skipped = [] } = {}] = computeWithModel(model),
      [, all] = computeWithModel(whole);
    ok(distance(skipped, all?.values ?? []) > 0.01, "the premise: the start matters");
    disposeModel(model);
  });
}

for (const [dtype, tolerance] of [["fp16", 0.01], ["q8", 0.15]] as const) {
  Deno.test(`saveOnnx() with ${dtype} differs from training by at most ${tolerance}, but does differ`, async () => {
    await openBackend("cpu");
    const model = createTinyModel({ normalize: "l2" });
    await withFolder(async (folder) => {
      const { path, bytes } = await saveOnnx(folder, model, dtype);
      strictEqual((await Deno.stat(path)).size, bytes);
      for (const output of computeWithModel(model)) {
        const found = await computeWithRuntime(path, output);
        const scale = Math.max(1, ...output.values.map(Math.abs));
        const away = distance(found, output.values) / scale;
        ok(away > 1e-6 && away < tolerance, `${output.name} differs by ${away}`);
      }
    });
    disposeModel(model);
  });
}

/** Splits an output into rows along its first dimension. */
function rowsOf(values: readonly number[], rows: number): readonly (readonly number[])[] {
  const size = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.slice(row * size, (row + 1) * size));
}

Deno.test("a row with an all-zero mask is finite and does not affect other rows", async () => {
  await openBackend("cpu");
  const ids = [[3, 4, 5], [6, 7, 8]], mask = [[0, 0, 0], [1, 1, 1]];
  for (const pooling of POOLING_MODES) {
    for (const normalize of NORMALIZE_MODES) {
      const embeddingSize = normalize === "none" ? 5 : null;
      const model = createTinyModel({ pooling, normalize, embeddingSize });
      const wanted = computeWithModel(model, { ids, mask });
      const alone = computeWithModel(model, { ids: ids.slice(1), mask: mask.slice(1) });
      await withFolder(async (folder) => {
        const graphs = await Promise.all(ONNX_DTYPES.map(async (dtype) => {
          const { path } = await saveOnnx(folder, model, dtype);
          return { dtype, path };
        }));
        for (const [at, { name, shape, values }] of wanted.entries()) {
          const what = `${pooling}, ${normalize}, ${name}`;
          strictEqual(values.every(Number.isFinite), true, what);
          const [, kept] = rowsOf(values, 2);
          ok(distance(kept ?? [], alone[at]?.values ?? []) < 1e-6, what);
          for (const { dtype, path } of graphs) {
            const found = await computeWithRuntime(path, { name, shape }, { ids, mask });
            const [masked = [], other = []] = rowsOf(found, 2);
            strictEqual(masked.every(Number.isFinite), true, `${what}, ${dtype}`);
            const single = await computeWithRuntime(path, { name, shape: [1, ...shape.slice(1)] }, {
              ids: ids.slice(1),
              mask: mask.slice(1),
            });
            const scale = Math.max(1, ...single.map(Math.abs));
            // 8-bit scales of activations depend on the whole batch
            const tolerance = dtype === "q8" ? 0.15 : 1e-5;
            ok(distance(other, single) / scale < tolerance, `${what}, ${dtype}`);
          }
        }
      });
      disposeModel(model);
    }
  }
});

Deno.test("each data type of weights has its own file", () => {
  strictEqual(new Set(ONNX_DTYPES.map((dtype) => ONNX_FILES[dtype])).size, ONNX_DTYPES.length);
});

Deno.test("quantizeRows() uses one scale per row and zero point 128", () => {
  // row 1: largest 2 → scale 2/127; 1 → 63.5, rounded up; row 2: largest 0.5; row 3: only zeros
  const values = Float32Array.of(1, -2, 0, 0.5, 0.25, -0.5, 0, 0, 0);
  const { integers, scales } = quantizeRows({ values, rows: 3, columns: 3 });
  deepStrictEqual([...integers], [128 + 64, 1, 128, 255, 128 + 64, 1, 128, 128, 128]);
  deepStrictEqual([...scales], [Math.fround(2 / 127), Math.fround(0.5 / 127), 1]);
});

Deno.test("roundToHalf() rejects values beyond the range of float16", async () => {
  deepStrictEqual([...roundToHalf(Float32Array.of(1, -2, 65504))], [0x3c00, 0xc000, 0x7bff]);
  await rejects(async () => await Promise.resolve(roundToHalf(Float32Array.of(1, 70000))), {
    name: "RangeError",
    message: "Cannot export as fp16: every weight must be within ±65504. Choose fp32 or q8",
  });
});
