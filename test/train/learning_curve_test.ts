import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { resolveConfig } from "@/config/resolve_config.ts";
import { composeReport } from "@/report/markdown.ts";
import { readRun } from "@/report/readers/read_run.ts";
import { describeLearningCurve } from "@/report/verdicts.ts";
import { trainLearningCurve } from "@/train/learning_curve.ts";
import { testOnBackends } from "../backend.ts";
import { BASE, CONFIG, inFolder } from "./tiny_run.ts";

Deno.test("describeLearningCurve() says if more rows would help", () => {
  const point = { rows: 100, score: 0.8, interval: [0.7, 0.9] } as const;
  const curve = {
    task: "topics",
    measure: "accuracy",
    points: [point, point],
    difference: 0.04,
  } as const;
  match(
    describeLearningCurve({ ...curve, interval: [0.01, 0.07] }),
    /^\*\*topics: more rows would probably help\.\*\* From half of the 100 training rows to all, accuracy changes by \+4\.00 points \(95 % interval \+1\.00 to \+7\.00\)\.$/,
  );
  match(
    describeLearningCurve({ ...curve, interval: [-0.01, 0.07] }),
    /no sign that more rows would help/,
  );
  match(
    describeLearningCurve({ ...curve, difference: -0.04, interval: [-0.07, -0.01] }),
    /did not help\.\*\* .* −4\.00 points/,
  );
});

testOnBackends(
  "trainLearningCurve() trains on 25, 50 and 100 % of the rows, and continues after an interrupt",
  async () => {
    await inFolder(async (dir) => {
      const config = resolveConfig({
        file: {
          ...CONFIG,
          data: { ...CONFIG.data, baselines: false },
          training: { ...CONFIG.training, epochs: 1 },
        },
      });
      const out = join(dir, "run");
      const { steps } = await trainLearningCurve(config, { ...BASE, out });
      const { learningCurves } = await readRun(out);
      deepStrictEqual(
        learningCurves.map(({ task, points }) => [task, points.map(({ rows }) => rows)]),
        [["ag_news", [4, 8, 16]], ["conll2003", [4, 8, 16]]],
      );
      for (const share of ["25", "50"]) {
        const { summary } = await readRun(join(out, "learning_curve", share));
        strictEqual(summary.steps, steps);
        ok(!("test" in (summary.scores.ag_news ?? {})));
      }
      match(composeReport(await readRun(out)).markdown, /## Would more rows help\?/);

      // an interrupt during the last run: it is trained again, the others are kept
      const curve = await Deno.readTextFile(join(out, "learning_curve.json"));
      const kept = join(out, "learning_curve", "25", "summary.json");
      const { mtime } = await Deno.stat(kept);
      await Deno.remove(join(out, "learning_curve", "50"), { recursive: true });
      await trainLearningCurve(config, { ...BASE, out, resume: true });
      strictEqual(await Deno.readTextFile(join(out, "learning_curve.json")), curve);
      deepStrictEqual((await Deno.stat(kept)).mtime, mtime);
    });
  },
  { backends: ["native"] },
);
