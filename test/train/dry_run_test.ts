import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { resolveConfig } from "@/config/resolve_config.ts";
import { forecastRun } from "@/train/dry_run.ts";
import { testOnBackends } from "../backend.ts";
import { CONFIG } from "./tiny_run.ts";

testOnBackends(
  "forecastRun() predicts every part of a run from a constant time per measurement",
  async () => {
    let now = 0;
    const nowMs = () => now += 1000; // every measured piece of work takes a second
    const config = resolveConfig({
      file: { ...CONFIG, training: { ...CONFIG.training, evaluateEvery: 3, checkpointEvery: 2 } },
    });
    const { steps, seconds, totalSeconds, peakMiB } = await forecastRun(config, { nowMs });
    strictEqual(steps, 8);
    deepStrictEqual(
      { ...seconds, evaluate: null },
      // 8 steps of a second and no compilation; checkpoints after steps 2, 4, 6 and 8, and the model
      { prepare: 1, baselines: 1, train: 8, evaluate: null, save: 5 },
    );
    ok(seconds.evaluate > 0);
    strictEqual(totalSeconds, Object.values(seconds).reduce((sum, each) => sum + each, 0));
    ok(peakMiB > 50);
  },
  { backends: ["onnx", "native"] },
);
