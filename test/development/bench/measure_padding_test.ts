import { deepStrictEqual, ok } from "node:assert/strict";
import { measurePadding } from "@/development/bench/measure_padding.ts";
import { prepareRun } from "@/train/prepare_run.ts";
import { openBackend } from "../../backend.ts";
import { CONFIG } from "../../train/tiny_run.ts";

Deno.test("measurePadding() counts tokens without padding, over the median pass", async () => {
  await openBackend("onnx");
  const run = await prepareRun(CONFIG, null);
  try {
    const examples = run.tasks[0]?.train ?? [];
    const tokens = examples.reduce((sum, { ids }) => sum + ids.length, 0);
    ok(tokens > 100);
    // the clock is read twice per strategy and pass; the first pass compiles; the others take 1 s, 2 s and 4 s
    const takesMs = [9000, 9000, 9000, 1000, 2000, 4000];
    let calls = 0, now = 0;
    const nowMs = () => now += calls++ % 2 === 0 ? 0 : takesMs[(calls - 2) / 2] ?? 0;
    const found = await measurePadding(run, examples, {
      lengths: [16, 32, 48],
      rows: 4,
      seed: 1,
      passes: 1,
      nowMs,
    });
    deepStrictEqual(found, [
      { name: "padded to 48 tokens", "tokens per second": tokens, "more time (%)": 0 },
      { name: "random order", "tokens per second": Math.round(tokens / 2), "more time (%)": 100 },
      {
        name: "sorted by length",
        "tokens per second": Math.round(tokens / 4),
        "more time (%)": 300,
      },
    ]);
  } finally {
    run.dispose();
  }
});
