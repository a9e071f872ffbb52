import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { resolveConfig } from "@/config/resolve_config.ts";
import {
  type PredictionRecord,
  readPredictions,
  writePredictions,
} from "@/eval/prediction_record.ts";
import { composeReport } from "@/report/markdown.ts";
import { readRun } from "@/report/readers/read_run.ts";
import { describeVerdict } from "@/report/verdicts.ts";
import { writeVerdicts } from "@/train/baselines.ts";
import { trainRun } from "@/train/train_run.ts";
import { testOnBackends } from "../backend.ts";
import { BASE, CONFIG, inFolder } from "./tiny_run.ts";

/** Forty rows of two classes of which the prediction is right in the first `correct`. */
function record(correct: number): PredictionRecord {
  const gold = Array.from({ length: 40 }, (_, row) => row % 2);
  return {
    task: "topics",
    split: "validation",
    labels: ["a", "b"],
    kind: "classification",
    gold,
    predicted: gold.map((label, row) => row < correct ? label : 1 - label),
    probability: gold.map(() => 1),
  };
}

Deno.test("writeVerdicts() compares the model with the best baseline, row by row", async () => {
  // [rows right by the model, by TF-IDF, by the majority], and the verdict
  const cases = [
    [38, 25, 20, "better", "tfidf"],
    [26, 25, 27, "no better", "majority"],
    [20, 35, 20, "worse", "tfidf"],
  ] as const;
  for (const [model, tfidf, majority, verdict, best] of cases) {
    await inFolder(async (dir) => {
      await writePredictions(dir, record(model));
      await writePredictions(join(dir, "baselines", "tfidf"), record(tfidf));
      await writePredictions(join(dir, "baselines", "majority"), record(majority));
      const [found, ...others] = await writeVerdicts(dir);
      strictEqual(others.length, 0);
      deepStrictEqual([found?.verdict, found?.best, found?.score, found?.rows], [
        verdict,
        best,
        model / 40,
        40,
      ]);
      const known = best === "tfidf" ? tfidf : majority;
      ok(Math.abs((found?.difference ?? NaN) - (model - known) / 40) < 1e-12);
      deepStrictEqual(JSON.parse(await Deno.readTextFile(join(dir, "baselines.json"))), [found]);
    });
  }
});

Deno.test("describeVerdict() says in one sentence if training was worth it", () => {
  const verdict = {
    task: "topics",
    measure: "accuracy",
    rows: 40,
    score: 0.95,
    baselines: [{ name: "majority", score: 0.5 }, { name: "tfidf", score: 0.625 }],
    best: "tfidf",
    difference: 0.325,
    interval: [0.175, 0.475],
    verdict: "better",
  } as const;
  strictEqual(
    describeVerdict(verdict),
    "**topics: the model is better than the best baseline.** It has 95.00 % accuracy, logistic regression on TF-IDF has " +
      "62.50 %: +32.50 points (95 % interval +17.50 to +47.50).",
  );
  match(
    describeVerdict({
      ...verdict,
      verdict: "no better",
      difference: -0.01,
      interval: [-0.05, 0.04],
    }),
    /^\*\*topics: the model is no better than the best baseline\.\*\* .*: −1\.00 points \(95 % interval −5\.00 to \+4\.00\)\. More rows/,
  );
});

testOnBackends("trainRun() computes baselines before training, without changing it", async () => {
  await inFolder(async (dir) => {
    const run = (baselines: boolean) =>
      trainRun(resolveConfig({ file: { ...CONFIG, data: { ...CONFIG.data, baselines } } }), {
        ...BASE,
        out: join(dir, String(baselines)),
      });
    await run(true);
    await run(false);
    const metrics = (name: string) => Deno.readTextFile(join(dir, name, "metrics.jsonl"));
    strictEqual(await metrics("true"), await metrics("false"));

    const { verdicts } = await readRun(join(dir, "true"));
    deepStrictEqual(
      verdicts.map(({ task, baselines }) => [task, baselines.map(({ name }) => name)]),
      [
        ["ag_news", ["majority", "tfidf", "probe"]],
        ["conll2003", ["frequent-tag", "probe"]],
      ],
    );
    const [majority] = await readPredictions(join(dir, "true", "baselines", "majority"));
    ok(majority !== undefined && new Set(majority.predicted.map(String)).size === 1);
    const { markdown } = composeReport(await readRun(join(dir, "true")));
    match(markdown, /## Was it worth it\?\n\n- \*\*ag_news: the model is /);
    const without = await readRun(join(dir, "false"));
    deepStrictEqual(without.verdicts, []);
    strictEqual(composeReport(without).markdown.includes("worth"), false);
  });
}, { backends: ["onnx", "native"] });
