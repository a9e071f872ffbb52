/**
 * Measures a small training step at each precision, each in a process of its own, so that memory usage is
 * separate.
 * @module
 */

import { ownRunner, runJobInProcess } from "./runners.ts";
import { median } from "@/statistics.ts";
import type { RunConfig } from "@/config/config.ts";
import { PRECISIONS } from "@/engine/options.ts";

/** Time and memory of a step. */
export type PrecisionCost = {
  readonly precision: string;
  readonly executor: string;
  readonly "median (ms)": number;
  readonly "peak (MiB)": number;
};

/** 4 layers of hidden size 256; one batch per task, each of 16 rows of 32 tokens. */
const STEP = {
  kind: "step",
  model: { hiddenSize: 256, layers: 4, attentionHeads: 4, intermediateSize: 1024 },
  dropout: 0.1,
  warmup: 1,
  profile: false,
  steps: Array.from(
    { length: 5 },
    () => Array.from({ length: 2 }, () => ({ rows: 16, length: 32, tokens: 16 * 32 })),
  ),
} as const;

/** Measures steps on the device of a configuration. */
export async function measurePrecisions(
  { device, executor, native, tensorflow }: Pick<
    RunConfig,
    "device" | "executor" | "native" | "tensorflow"
  >,
): Promise<readonly PrecisionCost[]> {
  const costs: PrecisionCost[] = [];
  for (const precision of PRECISIONS) {
    const threads = native.threads ?? navigator.hardwareConcurrency;
    const outcome = await runJobInProcess(ownRunner(), {
      work: STEP,
      computation: { device, precision, executor, ...tensorflow, isa: native.isa, threads },
    });
    costs.push({
      precision,
      executor: outcome.executor,
      "median (ms)": median(outcome.measurements.flatMap(({ timesMs }) => timesMs)),
      "peak (MiB)": Math.round(outcome.peakMiB),
    });
  }
  return costs;
}
