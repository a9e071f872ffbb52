/** Committed experiments in notebooks, and small experiments that notebooks train themselves. */
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { planRuns, readExperiment as readDeclared } from "@/experiment/declaration.ts";
import { nameRun } from "@/experiment/run_pool.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { DISPLAY } from "@/notebook/displayable.ts";
import {
  compareRows,
  experimentCurves,
  experimentDifferences,
  readExperiment,
  tellExperiment,
} from "@/notebook/read_experiment.ts";
import { trainVariants } from "@/notebook/train_runs.ts";
import { SILENT } from "@/progress.ts";
import { Figure } from "@/report/figures/figure.ts";
import { writeSyntheticRun } from "../report/synthetic_run.ts";

const DECLARED = {
  name: "pooling",
  title: "Pooling",
  question: "Which?",
  preset: "quickstart",
  base: { "training.maxSteps": 5 },
  variants: [{ name: "mean" }, { name: "max", set: { "model.pooling": "max" } }],
  reference: "mean",
  seeds: [1, 2],
  score: "validation",
};

Deno.test("an experiment is shown with the runs that are finished", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeFileAtomic(join(folder, "pooling/experiment.json"), JSON.stringify(DECLARED));
    const runs = planRuns(readDeclared(DECLARED));
    const put = async (index: number) => {
      const config = runs[index]?.config;
      ok(config !== undefined);
      await writeSyntheticRun(join(folder, "runs", nameRun(config)), {
        "config.json": JSON.stringify(config),
      });
    };
    const read = () => readExperiment("pooling", { folder });
    const command = "deno task experiment outputs/experiments/pooling/experiment.json";
    strictEqual(
      tellExperiment(await read()),
      `**Pooling:** no run is finished yet; \`${command}\` trains them.`,
    );
    const nothing = experimentDifferences(await read());
    ok(!(nothing instanceof Figure));
    deepStrictEqual(nothing[DISPLAY](), {
      "text/plain": `No run is finished yet; \`${command}\` trains them.`,
      "text/html": `<p>No run is finished yet; ${command} trains them.</p>`,
    });
    await put(0);
    const alone = experimentDifferences(await read());
    ok(!(alone instanceof Figure));
    strictEqual(alone[DISPLAY]()["text/plain"], "No other variant shares a seed with mean yet.");
    await put(1);
    const two = await read();
    strictEqual(
      tellExperiment(two),
      "**Pooling:** 2 of 4 runs (seed 1), 5 steps, scored on validation. Differences to " +
        "**mean** in percentage points. More: `outputs/experiments/pooling/report.md`.\n\n" +
        "- `ag_news`: Too few seeds to compare (fewer than 3): max (0.00, n = 1).\n" +
        "- `conll2003`: Too few seeds to compare (fewer than 3): max (0.00, n = 1).",
    );
    const { scores, difference, better, worse } = two;
    strictEqual(scores("max", "ag_news").values.length, 1);
    deepStrictEqual([better("ag_news"), worse("ag_news")], [[], []]);
    throws(() => scores("cls", "ag_news"), {
      name: "RangeError",
      message: "variant cls is not one of mean, max",
    });
    throws(() => worse("stsb"), { message: "task stsb is not one of ag_news, conll2003" });
    throws(() => difference("max", "ag_news"), {
      name: "RangeError",
      message:
        "there is no confidence interval for max and mean on ag_news: they share fewer than two seeds",
    });
    await put(2), await put(3);
    const all = await read();
    strictEqual(all.difference("max", "ag_news").values.length, 2);
    ok(all.difference("max", "ag_news").low < all.difference("max", "ag_news").high);
    deepStrictEqual(
      compareRows(all.rows, [["max", "mean"]]).map(({ task, values }) => [task, values.length]),
      [["ag_news", 2], ["conll2003", 2]],
    );
    const figure = experimentDifferences(two);
    ok(figure instanceof Figure);
    match(figure.alt, /ag_news, max: 0\.00 points \(n = 1\)/);
    ok(experimentCurves(two, "ag_news") instanceof Figure);
    ok(!(experimentCurves(two, "stsb") instanceof Figure));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("trainVariants() trains a grid and compares it with its first variant", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const found = await trainVariants({
      both: {},
      alone: { tasks: ["conll2003"], set: { "training.maxSteps": 4 } },
    }, {
      title: "Small",
      seeds: [1],
      set: {
        executor: "onnx",
        "data.maxRows": 24,
        "model.fresh.layers": 1,
        "training.lengths": [64],
      },
      sample: { "training.maxSteps": 2, "data.scoreTest": false },
      read: () => undefined,
      folder,
      view: SILENT,
      nowMs: () => 0,
    });
    deepStrictEqual(
      found.trained.map(({ name, record }) => [name, record.summary.steps]),
      [["both, seed 1", 2], ["alone, seed 1", 4]],
    );
    deepStrictEqual(
      found.summaries.map(({ variant, task, difference }) => [variant, task, difference?.pairs]),
      [
        ["both", "ag_news", undefined],
        ["both", "conll2003", undefined],
        ["alone", "conll2003", 1],
      ],
    );
    deepStrictEqual(found.trained.get("both, seed 1").config.data.scoreTest, false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
