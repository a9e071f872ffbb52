/** Complete runs with training variants. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { MIXINGS } from "@/config/config.ts";
import type { TrainLine } from "@/train/run_folder.ts";
import { trainRun } from "@/train/train_run.ts";
import { testOnBackends } from "../backend.ts";
import { BASE, CONFIG, inFolder, readLines, withTraining } from "./tiny_run.ts";

/** A test that runs only on the executors of the engine. */
const testRun = (name: string, test: () => Promise<void>) =>
  testOnBackends(name, test, { backends: ["onnx", "native"] });

const trainLines = async (dir: string): Promise<TrainLine[]> =>
  (await readLines(dir)).filter((line) => line.kind === "train");

const readModel = (dir: string) => Deno.readFile(join(dir, "model", "model.safetensors"));

const readCheckpoints = async (dir: string) =>
  (await Array.fromAsync(Deno.readDir(join(dir, "checkpoint")))).map(({ name }) => name).sort();

for (const mixing of MIXINGS) {
  testRun(
    `trainRun() with mixing ${mixing}: an interrupted run has the same result`,
    () =>
      inFolder(async (root) => {
        const config = withTraining({ mixing, maxSteps: 7, logEvery: 1, evaluateEvery: null });
        const whole = join(root, "whole"), parts = join(root, "parts");
        await trainRun(config, { ...BASE, out: whole });
        const abort = new AbortController();
        await rejects(trainRun(config, {
          ...BASE,
          out: parts,
          signal: abort.signal,
          onStep: ({ step }) => step === 3 && abort.abort(),
        }));
        await trainRun(config, { ...BASE, out: parts, resume: true });
        deepStrictEqual(await readLines(parts), await readLines(whole));
        deepStrictEqual(await readModel(parts), await readModel(whole));
        const tasks = (await trainLines(whole)).map(({ losses }) => Object.keys(losses).length);
        deepStrictEqual(tasks, new Array(7).fill(mixing === "both" ? 2 : 1));
      }),
  );
}

testOnBackends(
  "trainRun() in mixed-float16 logs the loss scale and skipped steps",
  () =>
    inFolder(async (root) => {
      const dir = join(root, "run");
      // this backend computes in float32, so only a scale near the float32 limit overflows
      const lossScale = { initial: 2 ** 127, growth: 2, backoff: 2 ** -30, interval: 2 };
      const config = withTraining({ lossScale, logEvery: 1, evaluateEvery: null });
      await trainRun({ ...config, precision: "mixed-float16" }, { ...BASE, out: dir });
      const lines = await trainLines(dir);
      const [first, second, third] = lines;
      deepStrictEqual([first?.skipped, first?.lossScale, first?.gradientNorm], [1, 2 ** 97, 0]);
      // the squared gradients overflow with scales 2⁹⁷ and 2⁶⁷, but not with 2³⁷
      strictEqual(second?.lossScale, 2 ** 67);
      strictEqual(third?.lossScale, 2 ** 37);
      deepStrictEqual(lines.slice(2).map(({ skipped }) => skipped), [3, 3, 3, 3, 3, 3]);
      deepStrictEqual(
        lines.slice(3).map(({ lossScale }) => lossScale),
        [37, 38, 38, 39, 39].map((e) => 2 ** e),
      );
      ok((lines[3]?.gradientNorm ?? 0) > 0);
    }),
  { backends: ["cpu"] }, // the kernels of TensorFlow.js have no half precision
);

testRun(
  "trainRun() rejects a precision other than that of the open engine",
  () =>
    inFolder(async (root) => {
      const dir = join(root, "run");
      await rejects(trainRun({ ...CONFIG, precision: "mixed-bfloat16" }, { ...BASE, out: dir }), {
        name: "TypeError",
        message: "Cannot train in mixed-bfloat16: the open engine has precision float32",
      });
    }),
);

testRun(
  "trainRun() stops early, and saves and scores the best model",
  () =>
    inFolder(async (root) => {
      const dir = join(root, "run"), notes: string[] = [];
      // learning rates of 0: no evaluation is better than the first
      const config = withTraining({
        epochs: 10,
        evaluateEvery: 2,
        checkpointEvery: null,
        keepCheckpoints: 1,
        learningRate: { top: 0, decay: 1, heads: 0 },
        earlyStopping: { metric: "ag_news.accuracy", patience: 3, minDelta: 0 },
      });
      const summary = await trainRun(config, {
        ...BASE,
        out: dir,
        onNote: (note) => notes.push(note),
      });
      const lines = await readLines(dir);
      // the evaluation at step 2 is the best, those at 4, 6 and 8 are equal
      const evaluated = lines.filter(({ kind }) => kind === "evaluate").map(({ step }) => step);
      deepStrictEqual(evaluated, [2, 4, 6, 8]);
      deepStrictEqual([summary.steps, summary.plannedSteps, summary.best?.step], [8, 40, 2]);
      const value = summary.best?.value ?? NaN;
      const note =
        `Stopped early, after step 8 of 40. The model is from step 2, which has the best ` +
        `ag_news.accuracy: ${value.toFixed(4)}.`;
      deepStrictEqual([notes.at(-1), summary.notes.at(-1)], [note, note]);
      const validation = summary.scores.ag_news?.validation;
      ok(validation && "accuracy" in validation);
      strictEqual(validation.accuracy, value);
      deepStrictEqual(await readCheckpoints(dir), [
        "step-2.json",
        "step-2.safetensors",
        "step-8.json",
        "step-8.safetensors",
      ]);
      // resumed, it has nothing left to do
      const again = await trainRun(config, { ...BASE, out: dir, resume: true });
      deepStrictEqual(again, summary);
      deepStrictEqual(await readLines(dir), lines);
    }),
);

testRun(
  "trainRun() with patience null runs all steps and still saves the best model",
  () =>
    inFolder(async (root) => {
      const best = join(root, "best"), cut = join(root, "cut");
      const earlyStopping = { metric: "mean", patience: null, minDelta: 0 };
      const config = withTraining({ evaluateEvery: 1, checkpointEvery: null, earlyStopping });
      const summary = await trainRun(config, { ...BASE, out: best });
      strictEqual(summary.steps, 8);
      const step = summary.best?.step ?? NaN;
      ok(step < 8, `premise: the best step ${step} is not the last`);
      // the same run, stopped at that step, has the weights of the best model
      const abort = new AbortController();
      await rejects(trainRun(config, {
        ...BASE,
        out: cut,
        signal: abort.signal,
        onStep: (event) => event.step === step && abort.abort(),
      }));
      const weights = (dir: string) =>
        Deno.readFile(join(dir, "checkpoint", `step-${step}.safetensors`));
      deepStrictEqual(await weights(best), await weights(cut));
      strictEqual((await readCheckpoints(best)).includes(`step-${step}.json`), true);
    }),
);

testRun(
  "trainRun() resumes from the checkpoint before a damaged one, with a note",
  () =>
    inFolder(async (root) => {
      const whole = join(root, "whole"), parts = join(root, "parts");
      await trainRun(CONFIG, { ...BASE, out: whole });
      const abort = new AbortController();
      await rejects(trainRun(CONFIG, {
        ...BASE,
        out: parts,
        signal: abort.signal,
        onStep: ({ step }) => step === 6 && abort.abort(),
      }));
      deepStrictEqual(await readCheckpoints(parts), [
        "step-4.json",
        "step-4.safetensors",
        "step-6.json",
        "step-6.safetensors",
      ]);
      const path = join(parts, "checkpoint", "step-6.safetensors");
      await Deno.truncate(path, 1000);
      const notes: string[] = [];
      await trainRun(CONFIG, {
        ...BASE,
        out: parts,
        resume: true,
        onNote: (note) => notes.push(note),
      });
      const note = notes.find((note) => note.startsWith("Cannot resume")) ?? "none";
      ok(note.startsWith(`Cannot resume from ${path}: the file is damaged `), note);
      ok(note.endsWith(". Resumed from the previous checkpoint, step 4."), note);
      deepStrictEqual(await readLines(parts), await readLines(whole));
      deepStrictEqual(await readModel(parts), await readModel(whole));

      // all checkpoints are damaged: the error names the newest
      await Deno.remove(join(parts, "summary.json")); // a complete run needs no checkpoint
      for (const step of [6, 8]) {
        await Deno.writeTextFile(join(parts, "checkpoint", `step-${step}.json`), "{}");
      }
      await rejects(trainRun(CONFIG, { ...BASE, out: parts, resume: true }), {
        name: "RangeError",
        message:
          `Cannot resume from ${join(parts, "checkpoint", "step-8.json")}: the file must contain ` +
          "state, tensors and sha256. No other checkpoint is intact: start a new run",
      });
    }),
);

testRun("trainRun() unfreezes from the top and notes the steps", () =>
  inFolder(async (root) => {
    const dir = join(root, "run");
    const config = withTraining({ unfreezeEvery: 3, freeze: ["heads.conll2003"], accumulate: 2 });
    const frozen = trainRun(config, { ...BASE, out: dir });
    await rejects(frozen, {
      message: "Cannot train conll2003: none of its parameters learns from the first step; " +
        "change training.freeze (heads.conll2003)",
    });
    const summary = await trainRun(withTraining({ unfreezeEvery: "epoch" }), { ...BASE, out: dir });
    ok(
      summary.notes.includes(
        "Gradual unfreezing: heads from step 1, layer 0 from step 5, embeddings from step 9.",
      ),
      summary.notes.join("\n"),
    );
    deepStrictEqual(summary.groups.map(({ name, from }) => [name, from]), [
      ["embeddings", 9],
      ["layer 0", 5],
      ["heads", 1],
    ]);
  }));
