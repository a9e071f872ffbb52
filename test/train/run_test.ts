import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { readRun } from "@/report/readers/read_run.ts";
import { loadModel } from "@/model/load_model.ts";
import { disposeModel } from "@/model/parameters.ts";
import { type TrainOptions, trainRun } from "@/train/train_run.ts";
import { testOnBackends } from "../backend.ts";
import { BASE, inFolder, readLines, withTraining } from "./tiny_run.ts";

testOnBackends(
  "trainRun() writes the run folder: configuration, metrics, model, scores",
  () =>
    inFolder(async (root) => {
      const config = withTraining();
      const dir = join(root, "tiny");
      const events: number[] = [], notes: string[] = [];
      const summary = await trainRun(config, {
        ...BASE,
        out: dir,
        onStep: ({ step, steps }) => events.push(step / steps),
        onNote: (note) => notes.push(note),
      });
      // 16 rows of each task in batches of 4, two epochs
      deepStrictEqual([summary.steps, summary.name, summary.preset], [8, "tiny", "quickstart"]);
      deepStrictEqual(events, [1, 2, 3, 4, 5, 6, 7, 8].map((step) => step / 8));
      strictEqual(
        notes[0],
        "An epoch is 4 steps: one pass over ag_news, one pass over conll2003.",
      );
      deepStrictEqual(summary.notes, notes);
      const lines = await readLines(dir);
      deepStrictEqual(lines.map(({ kind, step }) => `${kind} ${step}`), [
        "train 3",
        "evaluate 4",
        "train 6",
        "train 8",
        "evaluate 8",
      ]);
      const [, , , last, scored] = lines;
      ok(last?.kind === "train" && scored?.kind === "evaluate");
      strictEqual(last.epoch, 2);
      const { ag_news: loss = NaN } = last.losses;
      ok(loss > 0 && loss < 2 * Math.log(4));
      deepStrictEqual(Object.keys(last), [
        ...["kind", "step", "epoch", "losses", "gradientNorm", "rate", "tokens", "seconds"],
      ]); // no loss scale in float32
      deepStrictEqual(JSON.parse(await Deno.readTextFile(join(dir, "config.json"))), config);
      deepStrictEqual(JSON.parse(await Deno.readTextFile(join(dir, "summary.json"))), summary);
      const { texts } = JSON.parse(await Deno.readTextFile(join(dir, "examples.json")));
      strictEqual(texts.length, 4);
      deepStrictEqual(summary.scores.ag_news?.validation, scored.scores.ag_news);
      strictEqual(summary.scores.conll2003?.test?.rows, 16);
      const { environment, errors } = await readRun(dir);
      deepStrictEqual(Object.keys(environment), ["started", "commit", "command", "device"]);
      ok(errors !== null && errors.length > 0, "after eight steps some predictions are wrong");
      ok(errors.every(({ split, gold, predicted }) => split === "test" && gold !== predicted));
      const loaded = await loadModel(join(dir, "model"));
      deepStrictEqual(loaded.model.tasks.map(({ name }) => name), ["ag_news", "conll2003"]);
      strictEqual(loaded.maxLength, 48);
      disposeModel(loaded.model);
    }),
);

testOnBackends(
  "trainRun() resumed after interrupts has the same result as an uninterrupted run",
  () =>
    inFolder(async (root) => {
      const config = withTraining();
      const whole = join(root, "whole"), parts = join(root, "parts");
      const expected = await trainRun(config, { ...BASE, out: whole });
      for (const stopAt of [1, 4, 7]) {
        const abort = new AbortController();
        await rejects(
          trainRun(config, {
            ...BASE,
            out: parts,
            resume: stopAt > 1,
            signal: abort.signal,
            onStep: ({ step }) => step === stopAt && abort.abort(),
          }),
          {
            message: `Training was interrupted after step ${stopAt} of 8: it is saved in ` +
              join(parts, "checkpoint"),
          },
        );
      }
      const resumed = await trainRun(config, { ...BASE, out: parts, resume: true });
      deepStrictEqual(await readLines(parts), await readLines(whole));
      deepStrictEqual({ ...resumed, name: "whole" }, expected);
      deepStrictEqual(
        await Deno.readFile(join(parts, "model", "model.safetensors")),
        await Deno.readFile(join(whole, "model", "model.safetensors")),
      );
    }),
);

testOnBackends(
  "trainRun() resumed after a kill drops the metrics after the last checkpoint",
  () =>
    inFolder(async (root) => {
      const config = withTraining();
      const whole = join(root, "whole"), parts = join(root, "parts");
      await trainRun(config, { ...BASE, out: whole });
      class Kill extends Error {}
      const options: TrainOptions = {
        ...BASE,
        out: parts,
        onStep: ({ step }) => {
          if (step === 7) throw new Kill("killed");
        },
      };
      await rejects(trainRun(config, options), Kill);
      await trainRun(config, { ...BASE, out: parts, resume: true });
      deepStrictEqual(await readLines(parts), await readLines(whole));
    }),
);

testOnBackends(
  "trainRun() rejects a folder in use, a folder without a run, a damaged checkpoint",
  () =>
    inFolder(async (root) => {
      const config = withTraining({ maxSteps: 1 });
      await Deno.writeTextFile(join(root, "other.txt"), "mine");
      await rejects(trainRun(config, { ...BASE, out: root }), {
        name: "AlreadyExists",
        message: `Cannot start run: ${root} is not empty (it contains other.txt); choose another ` +
          `--out, or continue the run with --resume ${root}`,
      });
      await rejects(trainRun(config, { ...BASE, out: root, resume: true }), {
        name: "NotFound",
        message: `Cannot resume run: ${root} is not a run folder, it has no config.json`,
      });
      const dir = join(root, "run");
      await Deno.mkdir(dir); // left over from a start that was killed; ignored
      await Deno.writeTextFile(join(dir, ".config.json.7-0.partial"), "{");
      await trainRun(config, { ...BASE, out: dir });
      await Deno.remove(join(dir, "summary.json")); // a complete run needs no checkpoint
      const path = join(dir, "checkpoint", "step-1.safetensors");
      const bytes = await Deno.readFile(path);
      const last = bytes.length - 1;
      bytes[last] = (bytes[last] ?? 0) ^ 1;
      await Deno.writeFile(path, bytes);
      await rejects(trainRun(config, { ...BASE, out: dir, resume: true }), (error) => {
        ok(error instanceof RangeError);
        ok(error.message.startsWith(`Cannot resume from ${path}: the file is damaged `));
        return true;
      });
    }),
);

testOnBackends(
  "trainRun() stops at a non-finite loss and names the step and the rows",
  () =>
    inFolder(async (root) => {
      const config = withTraining({ learningRate: { top: 1e38, decay: 1, heads: 1e38 } });
      await rejects(trainRun(config, { ...BASE, out: join(root, "run") }), (error) => {
        ok(error instanceof RangeError);
        ok(
          /^Cannot continue training: at step 2 the loss of ag_news is (NaN|Infinity); try a lower learning rate\. Batch: ag_news rows \d+, \d+, \d+, \d+$/
            .test(error.message),
          error.message,
        );
        return true;
      });
    }),
);

testOnBackends(
  "trainRun() has as many tensors at its last step as at its first",
  () =>
    inFolder(async (root) => {
      const config = withTraining();
      const counts: number[] = [];
      await trainRun(config, {
        ...BASE,
        out: join(root, "run"),
        onStep: () => counts.push(tf.memory().numTensors),
      });
      deepStrictEqual(counts, counts.map(() => counts[0]));
    }),
);
