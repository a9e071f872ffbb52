import { rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { readSimilarity } from "@/report/readers/task_outputs.ts";

const SCORE = {
  pooling: "mean",
  normalize: "none",
  similarity: "cosine",
  pairs: 3,
  spearman: 0.5,
  interval: [0.4, 0.6],
  difference: null,
};

Deno.test("readSimilarity() reads the committed scores and reports a wrong key", async () => {
  const kept = await readSimilarity("outputs/similarity/all-MiniLM-L6-v2.json");
  strictEqual(kept.scores.length, 48); // 4 poolings, 3 normalizations, 4 similarities
  strictEqual(kept.scores.filter(({ difference }) => difference === null).length, 12); // rows of mean pooling
  const dir = await Deno.makeTempDir();
  try {
    const file = join(dir, "scores.json");
    const record = { model: "m", dataset: "d", precision: "float32", environment: {} };
    const scores = [{ ...SCORE, pooling: "median" }];
    await Deno.writeTextFile(file, JSON.stringify({ ...record, scores }));
    await rejects(
      readSimilarity(file),
      /Cannot read scores of embeddings: in .*scores\.json, scores\.0\.pooling must be one of mean, cls/,
    );
    const difference = { value: 0.1, interval: [0, 3] };
    await Deno.writeTextFile(
      file,
      JSON.stringify({ ...record, scores: [{ ...SCORE, difference }] }),
    );
    await rejects(
      readSimilarity(file),
      /scores\.0\.difference\.interval\.1 must be a number from -2/,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
