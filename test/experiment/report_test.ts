import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { compareVariants } from "@/experiment/compare_variants.ts";
import { planRuns, readExperiment } from "@/experiment/declaration.ts";
import type { ResultRow } from "@/experiment/results.ts";
import { nameRun, openRunPool } from "@/experiment/run_pool.ts";
import { describeFindings, writeExperimentReport } from "@/experiment/experiment_report.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { spanSeeds } from "@/report/figures/experiment_figures.ts";
import { syntheticFiles, writeSyntheticRun } from "../report/synthetic_run.ts";

const row = (variant: string, seed: number, value: number): ResultRow => ({
  variant,
  seed,
  task: "topic",
  measure: "accuracy",
  rows: 2000,
  value,
});

Deno.test("compareVariants() pairs only runs with the same seed", () => {
  const rows = [
    row("mean", 1, 0.8),
    row("mean", 2, 0.9),
    row("max", 1, 0.7),
    row("max", 3, 0.2), // the baseline has no seed 3
  ];
  const found = compareVariants(rows, { variants: ["mean", "max", "cls"], reference: "mean" });
  deepStrictEqual(
    found.map(({ variant, values, difference }) => [
      variant,
      values.length,
      difference?.pairs,
      difference?.mean.toFixed(6),
    ]),
    [["mean", 2, undefined, undefined], ["max", 2, 1, "-0.100000"]],
  );
  // 0.8 and 0.9: mean 0.85, sample deviation 0.0707
  strictEqual(found[0]?.mean.toFixed(4), "0.8500");
  strictEqual(found[0]?.deviation?.toFixed(4), "0.0707");
});

Deno.test("describeFindings() calls a variant better or worse if its interval excludes 0, from three pairs on", () => {
  const rows = [
    ...[1, 2, 3].map((seed) => row("mean", seed, 0.8)),
    ...[1, 2, 3].map((seed) => row("better", seed, 0.9 + 0.001 * seed)),
    ...[1, 2, 3].map((seed) => row("worse", seed, 0.7 + 0.001 * seed)),
    ...[1, 2, 3].map((seed) => row("open", seed, 0.8 + 0.01 * seed)),
    ...[1, 2].map((seed) => row("two", seed, 0.9)),
    row("one", 1, 0.9),
  ];
  const variants = ["mean", "better", "worse", "open", "two", "one"];
  const summaries = compareVariants(rows, { variants, reference: "mean" });
  // "open" differs by 1, 2 and 3 points: 2 ± 4.303 · 1 / √3 = 2.5
  deepStrictEqual(describeFindings(summaries, "mean"), [{
    task: "topic",
    sentences: [
      "Better than the baseline (95 % interval excludes 0): better (+10.20, n = 3).",
      "Worse than the baseline (95 % interval excludes 0): worse (−9.80, n = 3).",
      "Not significantly different from the baseline: open (+2.00, n = 3).",
      "Too few seeds to compare (fewer than 3): two (+10.00, n = 2), one (+10.00, n = 1).",
    ],
  }]);
  const alone = compareVariants([row("max", 1, 0.8)], { variants: ["max"], reference: "mean" });
  deepStrictEqual(describeFindings(alone, "mean"), [{
    task: "topic",
    sentences: ["Nothing to compare yet: no other variant has a run with a seed of mean."],
  }]);
});

Deno.test("spanSeeds() returns mean and range over the steps that all seeds of a variant have", () => {
  const point = (variant: string, seed: number, step: number, value: number) => ({
    variant,
    seed,
    step,
    value,
  });
  const points = [
    point("mean", 1, 10, 2),
    point("mean", 1, 20, 1), // seed 2 has no such step yet
    point("mean", 2, 10, 3),
    point("max", 1, 20, 4),
    point("max", 1, 10, 5),
  ];
  deepStrictEqual(spanSeeds(points), [
    { variant: "mean", step: 10, mean: 2.5, low: 2, high: 3, seeds: 2 },
    { variant: "max", step: 10, mean: 5, low: 5, high: 5, seeds: 1 },
    { variant: "max", step: 20, mean: 4, low: 4, high: 4, seeds: 1 },
  ]);
});

const DECLARED = {
  name: "pooling",
  title: "Pooling",
  question: "Which?",
  preset: "quickstart",
  base: {},
  variants: [{ name: "mean" }, { name: "max", set: { "model.pooling": "max" } }],
  reference: "mean",
  seeds: [1, 2],
  score: "validation",
};

/** Calls `test` with the folder of an experiment and a function that adds its runs to the pool. */
async function withExperiment(
  test: (root: string, put: (index: number, metrics?: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await writeFileAtomic(join(root, "experiment.json"), JSON.stringify(DECLARED));
    const runs = planRuns(readExperiment(DECLARED));
    await test(root, async (index, metrics) => {
      const config = runs[index]?.config;
      ok(config !== undefined);
      await writeSyntheticRun(join(root, "runs", nameRun(config)), {
        "config.json": JSON.stringify(config),
        ...(metrics !== undefined && { "metrics.jsonl": metrics }),
      });
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("writeExperimentReport() is reproducible and reports missing runs", async () => {
  await withExperiment(async (root, put) => {
    await put(0);
    const pool = openRunPool(join(root, "runs"));
    strictEqual(await writeExperimentReport(root, pool), 1);
    const report = await Deno.readTextFile(join(root, "report.md"));
    ok(report.includes("**Incomplete: 1 of 4 runs are available.**"), report);
    ok(report.includes("![ag"), "a figure for each task");
    const [lead = "", contents = ""] = report.split("\n- [");
    ok(lead.includes("- **ag_news**\n  - Nothing to compare yet"), "findings come first");
    ok(contents.startsWith("ag_news: accuracy](#ag_news-accuracy)"), contents);
    ok(!/Runs started|Code:/.test(report), "nothing of it was recorded");
    const page = await Deno.readTextFile(join(root, "report.html"));
    await writeExperimentReport(root, pool);
    strictEqual(await Deno.readTextFile(join(root, "report.md")), report);
    strictEqual(await Deno.readTextFile(join(root, "report.html")), page);
  });
});

Deno.test("writeExperimentReport() reports start dates and commits of the runs", async () => {
  await withExperiment(async (root, put) => {
    await put(0);
    await put(1);
    const dates = ["2026-03-02T10:00:00Z", "2026-03-01T10:00:00Z"];
    let index = 0;
    for await (const { name } of Deno.readDir(join(root, "runs"))) {
      const environment = {
        started: dates[index++],
        commit: "0123456",
        command: "deno task train",
      };
      await Deno.writeTextFile(
        join(root, "runs", name, "environment.json"),
        JSON.stringify(environment),
      );
    }
    await writeExperimentReport(root, openRunPool(join(root, "runs")));
    const report = await Deno.readTextFile(join(root, "report.md"));
    ok(report.includes("Runs started: 2026-03-01 to 2026-03-02."), report);
    ok(report.includes("Code: 0123456."));
  });
});

Deno.test("writeExperimentReport() draws losses, and scores if runs were evaluated during training", async () => {
  await withExperiment(async (root, put) => {
    await put(0);
    await put(1);
    await writeExperimentReport(root, openRunPool(join(root, "runs")));
    const figures = async () =>
      (await Array.fromAsync(Deno.readDir(join(root, "figures")), ({ name }) => name))
        .filter((name) => name.endsWith(".png")).sort();
    deepStrictEqual(await figures(), [
      "ag_news-loss.png",
      "ag_news.png",
      "conll2003-loss.png",
      "conll2003.png",
    ]);
    const report = await Deno.readTextFile(join(root, "report.md"));
    ok(report.includes("| max | 1 | 85.00 |  | 0.00 | none | 1 |"), report);
    // a second evaluation, at step 200
    const lines = (syntheticFiles()["metrics.jsonl"] ?? "").trimEnd().split("\n");
    const early = (lines.at(-1) ?? "").replace('"step":400', '"step":200');
    await put(0, [...lines.slice(0, 20), early, ...lines.slice(20)].join("\n") + "\n");
    await writeExperimentReport(root, openRunPool(join(root, "runs")));
    deepStrictEqual(await figures(), [
      "ag_news-loss.png",
      "ag_news-validation.png",
      "ag_news.png",
      "conll2003-loss.png",
      "conll2003-validation.png",
      "conll2003.png",
    ]);
  });
});

Deno.test("writeExperimentReport() writes nothing without runs", async () => {
  await withExperiment(async (root) => {
    strictEqual(await writeExperimentReport(root, openRunPool(join(root, "runs"))), 0);
    deepStrictEqual(
      await Array.fromAsync(Deno.readDir(root), ({ name }) => name),
      ["experiment.json"],
    );
  });
});
