/** Resuming and interrupting runs. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { dirname, join } from "node:path";
import { SAMPLE_FOLDER } from "@/data/local.ts";
import { isFolder, readJson } from "@/system/files.ts";
import type { Progress, ProgressView } from "@/progress.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { addResumed } from "@/train/run_environment.ts";
import { checkInputs } from "@/train/resume.ts";
import { trainRun } from "@/train/train_run.ts";
import { openBackend } from "../backend.ts";
import { BASE, inFolder, readLines, withTraining } from "./tiny_run.ts";

/** A test with a temporary folder. */
const testRun = (name: string, test: (root: string) => Promise<void>) =>
  Deno.test(name, async () => {
    await openBackend("onnx");
    await inFolder(test);
  });

const CONLL_FILES = ["conll2003/train", "conll2003/validation", "conll2003/test"];

/** A progress view that calls `call` once, when progress with a matching label is reported. */
function watch(label: RegExp, call: () => void): ProgressView {
  let seen = false;
  return {
    update(progress: Progress) {
      if (seen || !label.test(progress.label)) return;
      seen = true;
      call();
    },
    finish() {},
  };
}

testRun(
  "trainRun() refuses to resume with other data and leaves the run unchanged",
  async (root) => {
    const config = withTraining(), dir = join(root, "run");
    const abort = new AbortController();
    const stop = { signal: abort.signal, onStep: () => abort.abort() };
    await rejects(trainRun(config, { ...BASE, out: dir, ...stop }), { name: "Interrupted" });
    const metrics = await Deno.readTextFile(join(dir, "metrics.jsonl"));
    const moved = join(root, "data"); // the sample with other rows for ag_news
    for (const file of ["ag_news/train", "ag_news/test", ...CONLL_FILES]) {
      const from = file.replace("ag_news/train", "ag_news/test");
      await Deno.mkdir(join(moved, dirname(file)), { recursive: true });
      await Deno.copyFile(join(SAMPLE_FOLDER, `${from}.parquet`), join(moved, `${file}.parquet`));
    }
    const other = resolveConfig({ file: { ...config, data: { ...config.data, dir: moved } } });
    await rejects(trainRun(other, { ...BASE, out: dir, resume: true }), {
      name: "TypeError",
      message:
        "Cannot resume run: these inputs have changed since it was started: the tokenizer; " +
        "restore them, or start a new run",
    });
    deepStrictEqual(await readJson(join(dir, "config.json"), "configuration"), config);
    strictEqual(await Deno.readTextFile(join(dir, "metrics.jsonl")), metrics);
    await trainRun(config, { ...BASE, out: dir, resume: true });
  },
);

Deno.test("checkInputs() names every input that has changed, is missing or is new", () => {
  const saved = { a: "1", b: "2" };
  checkInputs({ b: "2", a: "1" }, saved);
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{ a: "1", b: "3" }, "b"],
    [{ a: "0" }, "a, b"],
    [{ a: "1", b: "2", c: "" }, "c"],
  ];
  for (const [current, names] of cases) {
    throws(() => checkInputs(current, saved), {
      name: "TypeError",
      message: "Cannot resume run: these inputs have changed since it was started: " +
        `${names}; restore them, or start a new run`,
    });
  }
});

Deno.test("addResumed() keeps the original environment and appends the differences", () => {
  const original = { device: "cpu", threads: 2, cpu: { model: "A" } };
  const once = addResumed(original, { step: 4, now: original });
  deepStrictEqual(once, { ...original, resumed: [{ step: 4, changed: {} }] });
  const now = { device: "cpu", cpu: { model: "B" }, executor: "onnx" };
  deepStrictEqual(addResumed(once, { step: 9, now }), {
    ...original,
    resumed: [
      { step: 4, changed: {} },
      { step: 9, changed: { threads: null, cpu: { model: "B" }, executor: "onnx" } },
    ],
  });
});

testRun(
  "trainRun() notes and records each time it is resumed, with date, commit and command",
  async (root) => {
    const config = withTraining(), dir = join(root, "run");
    const notes: string[] = [];
    const start = { commit: "0123456", command: "deno task train" };
    for (const [stopAt, device] of [[1, "first"], [5, "second"], [8, "third"]] as const) {
      const abort = new AbortController();
      const run = trainRun(config, {
        ...BASE,
        environment: { ...start, started: `2026-01-0${stopAt}T12:00:00Z`, device },
        out: dir,
        resume: stopAt > 1,
        signal: abort.signal,
        onNote: (note) => notes.push(note),
        onStep: ({ step }) => step === stopAt && abort.abort(),
      });
      await rejects(run, { name: "Interrupted" });
    }
    deepStrictEqual(await readJson(join(dir, "environment.json"), "environment"), {
      started: "2026-01-01T12:00:00Z",
      ...start,
      device: "first",
      resumed: [
        { step: 1, changed: { started: "2026-01-05T12:00:00Z", device: "second" } },
        { step: 5, changed: { started: "2026-01-08T12:00:00Z", device: "third" } },
      ],
    });
    deepStrictEqual(notes.filter((note) => /resum/.test(note)), [
      "resuming from step 1 of 8",
      "resuming from step 5 of 8",
    ]);
    await Deno.remove(join(dir, "checkpoint"), { recursive: true });
    await trainRun(config, {
      ...BASE,
      out: dir,
      resume: true,
      onNote: (note) => notes.push(note),
    });
    ok(notes.includes("no checkpoint: starting from step 0"));
  },
);

testRun(
  "trainRun() interrupted during preparation stops at once and writes nothing",
  async (root) => {
    const dir = join(root, "run"), abort = new AbortController();
    let finished = 0;
    const view = {
      ...watch(/^encode ag_news/, () => abort.abort()),
      finish: () => void finished++,
    };
    // more rows than one encoding chunk
    const config = resolveConfig({ set: ["data.maxRows=1100", "model.maxLength=48"] });
    await rejects(trainRun(config, { ...BASE, out: dir, view, signal: abort.signal }), {
      name: "Interrupted",
      message: "Training was interrupted while data and model were loaded: nothing was written",
      resumable: false,
    });
    ok(abort.signal.aborted, "premise");
    strictEqual(finished, 1, "the view is finished once");
    strictEqual(await isFolder(dir), false);
  },
);

testRun(
  "trainRun() interrupted during an evaluation repeats it and has the same result",
  async (root) => {
    const config = withTraining(), whole = join(root, "whole"), parts = join(root, "parts");
    await trainRun(config, { ...BASE, out: whole });
    const moments = [
      ["evaluate ag_news validation", "after step 4 of 8: it is"], // a step is otherwise saved after its evaluation
      ["evaluate conll2003 test", "while the trained model was evaluated: its weights are"],
    ] as const;
    for (const [i, [label, when]] of moments.entries()) {
      const abort = new AbortController();
      const view = watch(new RegExp(label), () => abort.abort());
      const run = trainRun(config, {
        ...BASE,
        out: parts,
        resume: i > 0,
        view,
        signal: abort.signal,
      });
      await rejects(run, {
        name: "Interrupted",
        message: `Training was interrupted ${when} saved in ${join(parts, "checkpoint")}`,
        resumable: true,
      });
      if (i === 0) deepStrictEqual((await readLines(parts)).map(({ step }) => step), [3]);
    }
    await trainRun(config, { ...BASE, out: parts, resume: true });
    deepStrictEqual(await readLines(parts), await readLines(whole));
    deepStrictEqual(
      await Deno.readFile(join(parts, "model", "model.safetensors")),
      await Deno.readFile(join(whole, "model", "model.safetensors")),
    );
  },
);
