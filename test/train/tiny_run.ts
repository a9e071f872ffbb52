/** A run of 8 steps on a few rows of the built-in sample, with dropout, for tests of complete runs. */
import { join } from "node:path";
import type { RunConfig, TrainingConfig } from "@/config/config.ts";
import { currentEngine } from "@/engine/engine.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { TINY_MODEL } from "@/development/fault_injection/kill_run.ts";
import type { MetricsLine } from "@/train/run_folder.ts";

Deno.env.set("STX_CACHE", ""); // do not cache the encoded rows of a test

export const CONFIG: RunConfig = resolveConfig({
  preset: "quickstart",
  file: {
    model: TINY_MODEL,
    training: {
      epochs: 2,
      batchRows: 4,
      lengths: [16, 32],
      logEvery: 3,
      evaluateEvery: 4,
      checkpointEvery: 2,
    },
    data: { maxRows: 16 },
  },
});

/** The run on the open device, with changed training settings. */
export function withTraining(training: Partial<TrainingConfig> = {}): RunConfig {
  const device = currentEngine()?.device ?? CONFIG.device;
  return resolveConfig({
    file: { ...CONFIG, device, training: { ...CONFIG.training, ...training } },
  });
}

/** Options with a constant clock, so that two runs record equal times. */
export const BASE = { nowMs: () => 0, environment: { device: "test" } };

/** Calls `test` with a temporary folder. */
export async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Reads `metrics.jsonl` of a run. */
export async function readLines(dir: string): Promise<MetricsLine[]> {
  const text = await Deno.readTextFile(join(dir, "metrics.jsonl"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}
