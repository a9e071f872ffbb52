/**
 * Memory over many steps of mixed lengths, measured in a separate process, independent of other tests.
 */
import { ok, strictEqual } from "node:assert/strict";
import { ownRunner, runJobInProcess } from "@/development/bench/runners.ts";
import { DEVICES } from "@/engine/options.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { isAvailable } from "../backend.ts";

const STEPS = 200;

/** Largest growth of resident memory in MiB over the second half of the steps. */
const TOLERANCE = 24;

/** A vocabulary of 1,500 tokens of 96: each gradient or moment that is not released would cost 0.55 MiB. */
const CONFIG = resolveConfig({
  preset: "quickstart",
  file: {
    model: {
      fresh: {
        hiddenSize: 96,
        layers: 1,
        attentionHeads: 2,
        intermediateSize: 96,
        maxPositions: 64,
        vocabularySize: 1500,
      },
    },
    training: { batchRows: 4 },
    data: { maxRows: 400 },
  },
});

for (const device of DEVICES) {
  Deno.test({
    name: `tensors and resident memory stay constant over 200 steps of mixed lengths [${device}]`,
    ignore: device === "tensorflow" && !isAvailable(device),
    async fn() {
      const { measurements: [found] } = await runJobInProcess(ownRunner(), {
        work: {
          kind: "epoch",
          config: { ...CONFIG, device },
          steps: STEPS,
          paddedTokens: 9000, // irrelevant here
        },
        computation: {
          device,
          precision: "float32",
          threads: 2,
          executor: "auto",
          isa: null,
          library: null,
        },
      });
      const { programs = 0, tensorGrowth, residentGrowthMiB = NaN } = found?.details ?? {};
      strictEqual(found?.timesMs.length, STEPS);
      if (device === "cpu") {
        ok(programs >= 6, `the steps have several padded lengths: ${programs} programs`);
      }
      strictEqual(tensorGrowth, 0);
      ok(
        residentGrowthMiB < TOLERANCE, // a leaked copy of the embeddings in each step would be 55 MiB
        `resident memory rose by ${residentGrowthMiB.toFixed(1)} MiB over the last ${
          STEPS / 2
        } steps`,
      );
    },
  });
}
