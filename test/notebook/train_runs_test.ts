import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Progress } from "@/progress.ts";
import { readPairs, readTexts } from "@/notebook/load_rows.ts";
import { measureMargins, pickCalibration } from "@/notebook/measurements.ts";
import { differenceRows, embedPairs, embedRuns, scorePairs } from "@/notebook/score_pairs.ts";
import { trainRuns } from "@/notebook/train_runs.ts";
import { resolveConfig } from "@/config/resolve_config.ts";

const CONFIG = resolveConfig({
  preset: "quickstart",
  set: ["data.maxRows=24", "training.maxSteps=3", "training.logEvery=1", "model.fresh.layers=1"],
});

Deno.test("trainRuns() trains a configuration once and shows a cached run in the same way", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const seen: Progress[] = [];
    const view = { update: (progress: Progress) => seen.push(progress), finish() {} };
    const train = async () => {
      seen.length = 0;
      let calls = 0;
      const nowMs = () => ++calls;
      const runs = await trainRuns({ small: CONFIG }, { folder, view, nowMs });
      return { runs, calls, last: seen.at(-1) };
    };
    const first = await train(), second = await train();
    ok(first.calls > 0, "the first call trains");
    strictEqual(second.calls, 0, "the second does not");
    deepStrictEqual(second.runs, first.runs);
    deepStrictEqual([first.last, second.last], [
      { done: 3, total: 3, label: "small" },
      { done: 3, total: 3, label: "small" },
    ]);
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    strictEqual(names.length, 1, "only the run is left");

    const pairs = await readPairs(CONFIG);
    deepStrictEqual(pairs.map(({ score }) => score === 0 || score === 1), pairs.map(() => true));
    const scores = await scorePairs([...first.runs, ...first.runs], pairs); // the same run twice
    ok(scores.every(({ name, value }) => name === "small" && value >= -1 && value <= 1));
    deepStrictEqual(scores.map(({ difference }) => difference), [
      null,
      { value: 0, interval: [0, 0] },
    ]);
    deepStrictEqual(differenceRows(scores), [
      { pooling: "small", "difference (points)": 0, from: 0, to: 0 },
    ]);
    const run = first.runs.get("small"), { dir } = run;
    const scaled = await embedPairs(dir, pairs, ["none", "l2"]);
    strictEqual(scaled.get("l2")?.seconds.length, pairs.length);
    ok(Math.abs(Math.hypot(...Array.from(scaled.get("l2")?.firsts[0] ?? [])) - 1) < 1e-5);
    const [embedded] = await embedRuns(first.runs, pairs.map((pair) => pair.first));
    deepStrictEqual(embedded, { name: "small", embeddings: scaled.get("none")?.firsts });
    const sure = await measureMargins(dir, pairs.map((pair) => pair.first));
    // of four classes, the second has at least a third of the remaining probability and at most all of it
    const { confidence, "margin (nats)": margin } = sure;
    ok(confidence >= 0.25 && confidence < 1 && margin > 0, JSON.stringify(sure));
    ok(pickCalibration(run, "ag_news").temperature > 0);
    const texts = await readTexts(CONFIG, { rows: 5 });
    strictEqual(texts.length, 5);
    ok(texts.every(({ label }) => CONFIG.tasks[0]?.labels.includes(label)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
