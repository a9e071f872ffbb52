/** The options of `train()` and of the other functions of the public API. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import {
  type ConfigOverrides,
  encode,
  evaluate,
  type Progress,
  resolveConfig,
  similarity,
  type TaskInput,
  train,
  type TrainSettings,
} from "@/api/library.ts";
import { isFile, isFolder } from "@/system/files.ts";
import { TINY_MODEL } from "@/development/fault_injection/kill_run.ts";
import { inFolder } from "../train/tiny_run.ts";

const OVERRIDES: ConfigOverrides = {
  executor: "onnx",
  model: TINY_MODEL,
  training: { maxSteps: 3, batchRows: 4, lengths: [32], logEvery: 1 },
  data: { maxRows: 16 },
};

const QUIET: TrainSettings = { overrides: OVERRIDES, progress: "none", report: false };

Deno.test("resolveConfig() merges typed overrides into a preset and replaces lists", () => {
  const task: TaskInput = {
    name: "topics",
    kind: "classification",
    dataset: "ag_news",
    columns: { text: "text", label: "label" },
    labels: ["World", "Sports", "Business", "Sci/Tech"],
  };
  const config = resolveConfig({ overrides: { ...OVERRIDES, tasks: [task] } });
  strictEqual(config.training.maxSteps, 3);
  deepStrictEqual(config.tasks, resolveConfig({ file: config }).tasks);
  deepStrictEqual(config.tasks.map(({ name, metric }) => [name, metric]), [["topics", "accuracy"]]);
  strictEqual(
    config.training.warmup,
    resolveConfig().training.warmup,
    "other keys keep the values of the preset",
  );
  const wrong: object = { training: { steps: 3 } };
  throws(() => resolveConfig({ overrides: wrong }), /unknown key "training.steps"/);
});

Deno.test("train() resumes, overwrites or rejects an existing run", async () => {
  await inFolder(async (root) => {
    const out = join(root, "run");
    const seen: Progress[] = [];
    const first = await train({
      ...QUIET,
      out,
      resume: true, // starts a new run, because there is none
      progress: (progress) => seen.push(progress),
    });
    strictEqual(first.dir, out);
    strictEqual(first.summary.steps, 3);
    ok(seen.some(({ label, done }) => label === "train" && done === 3), "progress is reported");
    strictEqual(await isFile(join(out, "report.html")), false, "report: false writes none");

    await rejects(train({ ...QUIET, out }), {
      name: "AlreadyExists",
      message: `Cannot train into ${out}: it holds a run; pass resume: true to continue it, ` +
        "overwrite: true to delete it, or choose another out",
    });
    const more: ConfigOverrides = {
      ...OVERRIDES,
      training: { ...OVERRIDES.training, maxSteps: 5 },
    };
    const longer = await train({ ...QUIET, out, resume: true, overrides: more });
    strictEqual(longer.summary.steps, 5);
    const anew = await train({ ...QUIET, out, overwrite: true });
    deepStrictEqual([anew.summary.steps, anew.summary.scores], [3, first.summary.scores]);

    const scores = await evaluate(out, { split: "validation" });
    deepStrictEqual(
      scores.get("ag_news", "validation"),
      anew.summary.scores.ag_news?.validation,
      "evaluate() returns the scores of the summary",
    );
    strictEqual(scores.get("ag_news"), scores.get("ag_news", "validation"), "the only split");
    await rejects(evaluate(out, { split: "dev" }), /Unknown split dev: choose one of/);
    const [embedding] = await encode(out, ["A kettle."]);
    ok(embedding && embedding.length === 8 && embedding.every(Number.isFinite));
  });
});

Deno.test("train() deletes only runs, and rejects contradictory options", async () => {
  await inFolder(async (root) => {
    const out = join(root, "mine");
    await Deno.mkdir(out);
    await Deno.writeTextFile(join(out, "config.json"), "{}"); // a model folder has one too
    for (const option of [{ overwrite: true }, { resume: true }, {}]) {
      await rejects(train({ ...QUIET, out, ...option }), {
        name: "AlreadyExists",
        message:
          `Cannot train into ${out}: the folder is not empty and has no run; choose another out`,
      });
    }
    ok(await isFolder(out));
    await rejects(train({ ...QUIET, out, overwrite: true, resume: true }), {
      message: "Cannot train with both overwrite and resume: choose one",
    });
    await rejects(train({ ...QUIET, resume: true }), {
      message: "Cannot train with resume: out must name the run's folder",
    });
  });
});

Deno.test("train() stops when its signal is aborted and says how to resume", async () => {
  await inFolder(async (root) => {
    const out = join(root, "run"), abort = new AbortController();
    const onStep = ({ step }: { readonly step: number }) => step === 2 && abort.abort();
    await rejects(train({ ...QUIET, out, signal: abort.signal, onStep }), {
      name: "Interrupted",
      message:
        `Training was interrupted after step 2 of 3: train() with resume: true continues the run in ${out}`,
    });
    strictEqual((await train({ ...QUIET, out, resume: true })).summary.steps, 3);
  });
});

Deno.test("similarity() compares each of the first embeddings with each of the second", () => {
  const east = Float32Array.of(2, 0), north = Float32Array.of(0, 1), back = Float32Array.of(-1, 0);
  deepStrictEqual(similarity([east, north], [east, north, back]), [[1, 0, -1], [0, 1, 0]]);
  deepStrictEqual(similarity([east], [north], "manhattan"), [[-3]]); // |2 − 0| + |0 − 1|
  deepStrictEqual(similarity([east], [back], "dot"), [[-2]]);
});
