import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import type { ClassificationScores } from "@/eval/classification.ts";
import type { EntityScores } from "@/eval/entities.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { softmaxRowsInto } from "@/eval/text_predictor.ts";
import {
  exportModel,
  readExportRecords,
  scoreExports,
  storeExportRecords,
} from "@/export/export_model.ts";
import type { ScoresBySplit } from "@/export/score_run.ts";
import { readCard, writeCard } from "@/export/write_card.ts";
import { ONNX_DTYPES } from "@/model/onnx_weights.ts";
import { disposeModel } from "@/model/parameters.ts";
import { SILENT } from "@/progress.ts";
import { trainRun } from "@/train/train_run.ts";
import { openBackend } from "../backend.ts";
import { BASE, CONFIG, inFolder } from "../train/tiny_run.ts";

const ROOT = join(import.meta.dirname ?? "", "../..");

/** Rounds to four decimals. */
const round = (value: number) => Number(value.toFixed(4));

/** Runs a command-line task; returns its output and true if it succeeds. */
async function runTaskFile(name: string, ...args: readonly string[]) {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config=deno.json", `lib/cli/${name}.ts`, ...args],
    cwd: ROOT,
    stdin: "null",
    env: { NO_COLOR: "1", DEBUG: "" },
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { success, out: out ?? "", error: error ?? "" };
}

/** Checks that a run without weights, which only has its eight-bit graph, evaluates to the scores of the export. */
async function checkLoneGraph(
  run: string,
  { out, scores }: { readonly out: string; readonly scores: ScoresBySplit },
): Promise<void> {
  const lone = `${run}-lone`;
  await Deno.mkdir(lone);
  for (const name of ["config.json", "summary.json", "environment.json"]) {
    await Deno.copyFile(join(run, name), join(lone, name));
  }
  await Deno.mkdir(join(lone, "model/onnx"), { recursive: true });
  for await (const { name, isFile } of Deno.readDir(out)) {
    if (isFile) await Deno.copyFile(join(out, name), join(lone, "model", name));
  }
  const graph = "onnx/model_quantized.onnx";
  await Deno.copyFile(join(out, graph), join(lone, "model", graph));
  const evaluated = await runTaskFile("evaluate", lone, "--json");
  ok(evaluated.success, evaluated.error);
  const found = JSON.parse(evaluated.out);
  deepStrictEqual(
    found.ag_news.test.confusion,
    (scores.ag_news?.test as ClassificationScores).confusion,
  );
  const { f1, tokenAccuracy } = scores.conll2003?.test as EntityScores;
  deepStrictEqual([found.conll2003.test.f1, found.conll2003.test.tokenAccuracy], [
    f1,
    tokenAccuracy,
  ]);
  const refused = await runTaskFile("predict", lone, "A text.", "--set", "executor=onnx");
  deepStrictEqual([refused.success, refused.out, refused.error], [
    false,
    "",
    `error: Cannot run predict with executor=onnx: ${lone} has no weights, only the exported graph ${graph}. ` +
    "ONNX Runtime runs it; only native.threads can be set\n",
  ]);
}

Deno.test("an exported run has the scores of the trained model, and its card shows them", async () => {
  await openBackend("onnx");
  await inFolder(async (dir) => {
    const run = join(dir, "tiny");
    const summary = await trainRun(CONFIG, { out: run, ...BASE });
    ok((await Deno.stat(join(run, "model/onnx/model.onnx"))).isFile, "train writes a graph");
    const saved = await openSavedModel(run);
    const out = join(dir, "out");
    const files = await exportModel(saved, {
      folder: join(run, "model"),
      out,
      dtypes: ONNX_DTYPES,
    });
    deepStrictEqual(
      [...Deno.readDirSync(out)].map(({ name }) => name).sort(),
      [
        "config.json",
        "config_sentence_transformers.json",
        "heads.json",
        "onnx",
        "tokenizer.json",
        "tokenizer_config.json",
      ],
    );
    for (const same of ["onnx/model.onnx", "heads.json", "config.json", "tokenizer.json"]) {
      deepStrictEqual(
        await Deno.readFile(join(out, same)),
        await Deno.readFile(join(run, "model", same)),
      );
    }
    await exportModel(saved, { folder: join(run, "model"), out: null, dtypes: ["q8"] });
    const records = await scoreExports(CONFIG, saved, { files, threads: 1, view: SILENT });
    disposeModel(saved.model);
    deepStrictEqual(Object.keys(records), [...ONNX_DTYPES]);
    for (const [task, splits] of Object.entries(summary.scores)) {
      for (const [split, trained] of Object.entries(splits)) {
        const found = records.fp32?.scores[task]?.[split];
        ok(found !== undefined, `${task} ${split} was scored`);
        if ("accuracy" in trained && "accuracy" in found) {
          deepStrictEqual(found.confusion, trained.confusion);
          ok(Math.abs((found.ece ?? NaN) - (trained.ece ?? NaN)) < 1e-5, "probabilities agree");
        } else if ("f1" in trained && "f1" in found) {
          deepStrictEqual([found.f1, found.tokenAccuracy], [trained.f1, trained.tokenAccuracy]);
        }
      }
    }

    await checkLoneGraph(run, { out, scores: records.q8?.scores ?? {} });

    await storeExportRecords(run, records.q8 ? { q8: records.q8 } : {});
    match(
      await readCard(run),
      /`onnx\/model\.onnx`, `onnx\/model_quantized\.onnx` each contain [^]*\| onnx\/model_quantized\.onnx/,
    );
    await storeExportRecords(run, records);
    const kept = await readExportRecords(run);
    deepStrictEqual(Object.keys(kept), ["fp32", "fp16", "q8"]);
    const card = await Deno.readTextFile(await writeCard(run));
    const [, head = "", body = ""] = /^---\n([^]*?)\n---\n([^]*)$/.exec(card) ?? [];
    const metadata = parse(head);
    const { accuracy, macroF1 } = summary.scores.ag_news?.test as {
      accuracy: number;
      macroF1: number;
    };
    deepStrictEqual(metadata["model-index"][0].results[0].metrics, [
      { type: "accuracy", name: "Accuracy", value: round(accuracy) },
      { type: "f1", name: "Macro-F1", value: round(macroF1) },
    ]);
    strictEqual(metadata.pipeline_tag, "sentence-similarity");
    ok(!("license" in metadata) && !("base_model" in metadata) && !("datasets" in metadata));
    match(
      body,
      new RegExp(
        `\\| onnx/model\\.onnx \\| 0\\.\\d \\|.* ${(100 * accuracy).toFixed(2)} \\(±0\\.00\\)`,
      ),
    );
    match(body, /onnx\/model_quantized\.onnx/);
    ok(!body.includes("model_fp16"), "the card does not mention a missing file");
    const named = await readCard(run, { repo: "owner/tiny", license: "apache-2.0" });
    match(named, /SentenceTransformer\("owner\/tiny"\)/);
    match(named, /^---\nlicense: apache-2\.0\n/);
  });
});

Deno.test("softmaxRowsInto() makes each row a probability distribution, even for large scores", () => {
  const scores = Float32Array.of(0, Math.log(3), 1000, 1000); // e⁰ : e^ln 3 = 1 : 3
  softmaxRowsInto(scores, 2);
  deepStrictEqual([...scores].map(round), [0.25, 0.75, 0.5, 0.5]);
});
