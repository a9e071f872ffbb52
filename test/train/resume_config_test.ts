/** Configuration changes when a run is resumed. */
import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import type { RunConfig } from "@/config/config.ts";
import { readJson } from "@/system/files.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { compareConfigs, describeChange, extendsRun } from "@/train/resume.ts";
import type { TrainLine } from "@/train/run_folder.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import { trainRun } from "@/train/train_run.ts";
import { openBackend } from "../backend.ts";
import { BASE, CONFIG, inFolder, readLines, withTraining } from "./tiny_run.ts";

type Tree = { readonly [key: string]: unknown };
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null;

/** Paths of all configuration keys whose value is a scalar or a list of scalars. */
function listKeys(value: unknown, path: readonly string[] = []): string[][] {
  const isLeaf = !isTree(value) || (Array.isArray(value) && !value.some(isTree));
  return isLeaf
    ? [[...path]]
    : Object.entries(value).flatMap(([key, each]) => listKeys(each, [...path, key]));
}

/** A copy of `config` with another value at `path`. */
function alter(config: RunConfig, path: readonly string[]): RunConfig {
  const copy = structuredClone(config);
  let at: unknown = copy;
  for (const key of path.slice(0, -1)) at = isTree(at) ? at[key] : undefined;
  if (isTree(at)) Object.assign(at, { [path.at(-1) ?? ""]: "another" });
  return copy;
}

Deno.test("compareConfigs() allows only changes of schedule, logging, data folder and device", () => {
  const allowed: string[] = [], keys = listKeys(CONFIG);
  ok(keys.length > 60, "premise: covers the whole configuration");
  for (const path of keys) {
    const key = path.join(".");
    try {
      const changes = compareConfigs({ step: 3, config: CONFIG }, alter(CONFIG, path));
      deepStrictEqual(changes.map(({ key }) => key), [key]);
      allowed.push(key);
    } catch (error) {
      match(
        String(error),
        new RegExp(`since step 3: ${key.replaceAll(".", "\\.")} \\(was .*, is now "another"\\)`),
      );
    }
  }
  deepStrictEqual(allowed.sort(), [
    "data.baselines",
    "data.dir",
    "data.scoreTest",
    "device",
    "executor",
    "model.source",
    "native.isa",
    "native.threads",
    "tensorflow.library",
    "training.checkpointEvery",
    "training.epochs",
    "training.evaluateEvery",
    "training.keepCheckpoints",
    "training.logEvery",
    "training.maxSteps",
  ]);
});

Deno.test("compareConfigs() lists all keys that must not change, with both values", () => {
  const now = resolveConfig({ file: { ...CONFIG, seed: 2, model: { pooling: "max" } } });
  const original = resolveConfig({ file: { ...CONFIG, seed: 1, model: { pooling: "cls" } } });
  throws(() => compareConfigs({ step: 3, config: original }, now), {
    name: "RangeError",
    message:
      'Cannot resume run: its configuration has changed since step 3: model.pooling (was "cls", ' +
      'is now "max"), seed (was 1, is now 2); undo the change, or start a new run. Only these keys may ' +
      "change: training.epochs, training.maxSteps, training.logEvery, training.evaluateEvery, " +
      "training.checkpointEvery, training.keepCheckpoints, data.dir, data.scoreTest, data.baselines, model.source, " +
      "device, executor, native.isa, native.threads, tensorflow.library",
  });
  const [first] = CONFIG.tasks;
  throws(
    () => compareConfigs({ step: 3, config: CONFIG }, { ...CONFIG, tasks: first ? [first] : [] }),
    /tasks\.1\.name \(was "conll2003", is now missing\)/,
  );
});

Deno.test("compareConfigs() rejects another source of frozen weights, which are not in the checkpoint", () => {
  const original = withTraining({ freeze: ["embeddings"] });
  const moved = { ...original, model: { ...original.model, source: "elsewhere" } };
  throws(
    () => compareConfigs({ step: 3, config: original }, moved),
    /model\.source \(was .*, is now "elsewhere"\)/,
  );
});

Deno.test("extendsRun() is true for more steps and for scoring test", () => {
  const change = (key: string, now: unknown) => ({ step: 8, key, before: null, now });
  strictEqual(extendsRun([change("training.logEvery", 1), change("training.epochs", 4)]), true);
  strictEqual(extendsRun([change("data.scoreTest", true)]), true);
  strictEqual(extendsRun([change("data.scoreTest", false), change("executor", "onnx")]), false);
});

/** Interrupts a run after `step`. */
async function interruptAt(step: number, config: RunConfig, out: string): Promise<void> {
  const abort = new AbortController();
  const stop = (event: { readonly step: number }) => event.step === step && abort.abort();
  const run = trainRun(config, { ...BASE, out, signal: abort.signal, onStep: stop });
  await rejects(run, { name: "Interrupted" });
}

/** Resumes a run; returns its summary and the notes about resuming. */
async function resume(config: RunConfig, out: string) {
  const notes: string[] = [];
  const onNote = (note: string) => notes.push(note);
  const summary = await trainRun(config, { ...BASE, out, resume: true, onNote });
  return { summary, notes: notes.filter((note) => /resum|is complete/i.test(note)) };
}

Deno.test("trainRun() resumed with more epochs notes it and follows the new schedule", async () => {
  await openBackend("onnx");
  await inFolder(async (out) => {
    const plain = { logEvery: 1, evaluateEvery: null, checkpointEvery: null };
    await interruptAt(3, withTraining(plain), out);
    const longer = withTraining({ ...plain, epochs: 3 });
    const { summary, notes } = await resume(longer, out);
    const note = "Resumed at step 3 with training.epochs = 3 (was 2): learning rates and mixing " +
      "follow the new number of steps";
    deepStrictEqual(notes, ["resuming from step 3 of 12", note]);
    ok(summary.notes.includes(note), "the note is also in the summary");
    strictEqual(summary.steps, 12);
    const lines = (await readLines(out)).filter((line): line is TrainLine => line.kind === "train");
    deepStrictEqual(lines.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const { schedule, warmup } = longer.training;
    deepStrictEqual(
      lines.map(({ rate }) => rate),
      lines.map((_, step) => scheduleFactor(schedule, step, { steps: step < 3 ? 8 : 12, warmup })),
    );
  });
});

Deno.test("trainRun() resumed after its end trains only additional steps", async () => {
  await openBackend("onnx");
  await inFolder(async (out) => {
    const plain = { maxSteps: 4, logEvery: 1, evaluateEvery: null };
    const config = withTraining(plain);
    const summary = await trainRun(config, { ...BASE, out });
    const metrics = await Deno.readTextFile(join(out, "metrics.jsonl"));

    const same = await resume(config, out);
    deepStrictEqual(same, {
      summary,
      notes: [`the run in ${out} is complete: there is nothing left to train`],
    });
    const pooled = resolveConfig({
      file: { ...config, model: { ...config.model, pooling: "max" } },
    });
    await rejects(resume(pooled, out), /model\.pooling \(was "mean", is now "max"\)/);
    await rejects(resume(withTraining({ ...plain, maxSteps: 3 }), out), {
      message: "Cannot resume run: it has completed 4 steps, but training.epochs and " +
        "training.maxSteps allow only 3; increase them",
    });
    deepStrictEqual(await readJson(join(out, "config.json"), "run"), config);
    deepStrictEqual(await readJson(join(out, "summary.json"), "run"), summary);
    strictEqual(await Deno.readTextFile(join(out, "metrics.jsonl")), metrics);

    const longer = await resume(withTraining({ ...plain, maxSteps: 6 }), out);
    strictEqual(longer.summary.steps, 6);
    const again = await resume(withTraining({ ...plain, maxSteps: 7 }), out);
    deepStrictEqual(
      again.summary.notes.filter((note) => note.startsWith("Resumed")),
      [[4, 6, 4], [6, 7, 6]].map(([step = 0, now, before]) =>
        describeChange({ step, key: "training.maxSteps", before, now })
      ),
    );
  });
});
