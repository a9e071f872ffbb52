import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { resolveBenchConfig } from "@/development/bench/bench_inputs.ts";
import { drawShapes, fillBatch, measureEpoch } from "@/development/bench/measure_epoch.ts";
import { openEngine } from "@/engine/engine.ts";
import { prepareRun } from "@/train/prepare_run.ts";
import { IGNORED } from "@/text/example.ts";

Deno.test("fillBatch() fills rows by repeating the tokens of examples", () => {
  const ids = [Int32Array.of(2, 7, 3), Int32Array.of(2, 3)];
  const tags = [Int32Array.of(IGNORED, 1, IGNORED), Int32Array.of(IGNORED, IGNORED)];
  const tagged = ids.map((ids, row) => ({ row, ids, labels: tags[row] as Int32Array }));
  const batch = fillBatch(tagged, { rows: 2, length: 4 });
  deepStrictEqual([...batch.ids], [2, 7, 3, 2, 3, 2, 7, 3]);
  deepStrictEqual([...batch.labels], [-1, 1, -1, -1, -1, -1, 1, -1]);
  deepStrictEqual([...batch.mask], Array(8).fill(1));
  strictEqual(batch.tokens, 8);
  const classed = ids.map((ids, row) => ({ row, ids, labels: Int32Array.of(row + 2) }));
  deepStrictEqual([...fillBatch(classed, { rows: 3, length: 4 }).labels], [2, 3, 2]);
});

Deno.test("measureEpoch() counts tokens of the second half and interleaves steps of a fixed shape", async () => {
  await openEngine({ executor: "onnx" });
  const config = resolveBenchConfig({
    set: [
      ...["hiddenSize=16", "layers=1", "attentionHeads=2", "intermediateSize=16"].map((set) =>
        `model.fresh.${set}`
      ),
      ...["model.maxLength=48", "data.maxRows=60", "training.batchRows=8"],
    ],
  });
  const prepared = await prepareRun(config, null);
  const tokens = drawShapes(prepared, 6).steps
    .map((batches) => batches.reduce((sum, batch) => sum + batch.tokens, 0));
  prepared.dispose();
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const paddedTokens = 1e6;
  const job = { kind: "epoch", config, steps: 6, paddedTokens } as const;
  const [measured] = await measureEpoch(job, () => performance.now());
  const timesMs = measured?.timesMs ?? [];
  strictEqual(timesMs.length, 6);
  const details: Readonly<Record<string, number>> = measured?.details ?? {};
  const { tokensPerSecond = NaN, fixedTokensPerSecond = NaN, ofFixedShape, padding } = details;
  // steps 0 to 2 are warm-up; steps 3, 4 and 5 are measured
  const expected = sum(tokens.slice(3)) / sum(timesMs.slice(3)) * 1000;
  ok(Math.abs(tokensPerSecond / expected - 1) < 1e-9, `${tokensPerSecond}, not ${expected}`);
  ok(fixedTokensPerSecond > 0 && Number.isFinite(fixedTokensPerSecond));
  strictEqual(ofFixedShape, tokensPerSecond / fixedTokensPerSecond);
  strictEqual(padding, 1 - sum(tokens) / paddedTokens);
});
