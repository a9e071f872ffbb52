import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { compareVariants, describeDifferences } from "@/experiment/compare_variants.ts";
import { planRuns, readExperiment } from "@/experiment/declaration.ts";
import type { ResultRow } from "@/experiment/results.ts";
import { nameRun, openRunPool } from "@/experiment/run_pool.ts";
import { writeExperimentReport } from "@/experiment/write_report.ts";
import { writeFileAtomic } from "@/files.ts";
import { writeSyntheticRun } from "../report/synthetic_run.ts";

const row = (variant: string, seed: number, value: number): ResultRow => ({
  variant,
  seed,
  task: "topic",
  measure: "accuracy",
  value,
});

Deno.test("describeDifferences() gives Student's t interval of a mean", () => {
  // differences 1, 2, 3: mean 2, s = 1, 4.303 · 1 / √3 = 2.484
  const { mean, interval, pairs } = describeDifferences([1, 2, 3]);
  strictEqual(mean, 2);
  strictEqual(pairs, 3);
  deepStrictEqual(interval?.map((end) => end.toFixed(3)), ["-0.484", "4.484"]);
  strictEqual(describeDifferences([0.5]).interval, null);
});

Deno.test("compareVariants() pairs runs of the same seed alone", () => {
  const rows = [
    row("mean", 1, 0.8),
    row("mean", 2, 0.9),
    row("max", 1, 0.7),
    row("max", 3, 0.2), // the reference has no seed 3
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

Deno.test("writeExperimentReport() is the same bytes each time and says what is missing", async () => {
  const root = await Deno.makeTempDir();
  try {
    const declared = {
      name: "pooling",
      title: "Pooling",
      question: "Which?",
      preset: "quickstart",
      base: {},
      variants: [{ name: "mean" }, { name: "max", set: { "model.pooling": "max" } }],
      reference: "mean",
      seeds: [1],
      score: "validation",
    };
    await writeFileAtomic(join(root, "experiment.json"), JSON.stringify(declared));
    const pool = openRunPool(join(root, "runs"));
    const [run] = planRuns(readExperiment(declared));
    const config = run?.config;
    ok(config !== undefined);
    const dir = join(root, "runs", nameRun(config));
    await writeSyntheticRun(dir);
    await writeFileAtomic(join(dir, "config.json"), JSON.stringify(config));

    await writeExperimentReport(root, pool);
    const report = await Deno.readTextFile(join(root, "report.md"));
    ok(report.includes("**Partial: 1 of 2 runs are there.**"), report);
    ok(report.includes("![ag"), "a figure for each task");
    const page = await Deno.readTextFile(join(root, "report.html"));
    await writeExperimentReport(root, pool);
    strictEqual(await Deno.readTextFile(join(root, "report.md")), report);
    strictEqual(await Deno.readTextFile(join(root, "report.html")), page);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
