import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { PRESETS } from "@/config/presets.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { trainRun } from "@/train/train_run.ts";
import { openBackend } from "../backend.ts";

Deno.env.set("STX_CACHE", ""); // do not cache the encoded rows of a test

const [topics, names] = PRESETS.quickstart.tasks;

/** The tasks of the quickstart and one more of each kind, added only by configuration. */
const CONFIG = resolveConfig({
  file: {
    model: {
      fresh: {
        hiddenSize: 8,
        layers: 1,
        attentionHeads: 2,
        intermediateSize: 8,
        vocabularySize: 400,
      },
    },
    tasks: [
      topics,
      names,
      { ...topics, name: "subjects", metric: "macroF1", weight: 0.5 },
      { ...names, name: "places", split: { validation: null, test: "validation" } },
    ],
    training: { maxSteps: 2, batchRows: 4, logEvery: 1 },
    data: { maxRows: 24 },
  },
});

Deno.test("trainRun() trains and scores additional tasks of both kinds, added only by configuration", async () => {
  await openBackend("onnx");
  const out = await Deno.makeTempDir();
  try {
    const run = { out: join(out, "run"), nowMs: () => 0, environment: {} };
    const { scores, data } = await trainRun(CONFIG, run);
    const tasks = ["ag_news", "conll2003", "subjects", "places"];
    deepStrictEqual(Object.keys(scores), tasks);
    for (const task of tasks) {
      deepStrictEqual(Object.keys(scores[task] ?? {}), ["validation", "test"]);
      strictEqual(scores[task]?.test?.rows, 24);
    }
    ok(scores.subjects?.test && "macroF1" in scores.subjects.test);
    ok(scores.places?.test && "strictF1" in scores.places.test);
    strictEqual(data.places?.train, 24);
    const [line = ""] = (await Deno.readTextFile(join(run.out, "metrics.jsonl"))).split("\n");
    const { losses } = JSON.parse(line);
    deepStrictEqual(Object.keys(losses), tasks);
    // untrained heads predict about uniformly: losses of about ln 4 and ln 9
    ok(Math.abs(losses.subjects - Math.log(4)) < 0.2, `${losses.subjects}`);
    ok(Math.abs(losses.places - Math.log(9)) < 0.3, `${losses.places}`);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});
