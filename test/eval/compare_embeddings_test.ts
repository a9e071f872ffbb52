import { ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { compareEmbeddings, compareRankings } from "@/eval/compare_embeddings.ts";
import { textModelOf } from "@/eval/text_model.ts";
import { TEXTS, withSavedModel } from "./saved_model.ts";

Deno.test("compareEmbeddings() scores cosine independently of normalization, unlike the other similarities", async () => {
  await withSavedModel([0, 0, 0], async (saved) => {
    const pairs = TEXTS.flatMap((first, i) =>
      TEXTS.slice(i + 1).map((second, k) => ({ first, second, score: (i + 2 * k) % 5 / 4 }))
    );
    const before = tf.memory().numTensors;
    const scores = await compareEmbeddings(textModelOf(saved), pairs, {
      poolings: ["mean", "max"],
      normalizations: ["none", "l1", "l2"],
      similarities: ["cosine", "euclidean"],
    });
    strictEqual(tf.memory().numTensors, before, "tensors left behind");
    strictEqual(scores.length, 12);
    for (const pooling of ["mean", "max"]) {
      const of = (similarity: string) =>
        scores.filter((each) => each.pooling === pooling && each.similarity === similarity)
          .map(({ spearman }) => spearman);
      const [plain = NaN, l1 = NaN, l2 = NaN] = of("cosine");
      ok(Math.abs(plain - l1) < 0.05 && Math.abs(plain - l2) < 0.05, `${plain} ${l1} ${l2}`);
      // on vectors of length 1 the squared distance is 2 − 2 cosine
      ok(Math.abs((of("euclidean")[2] ?? NaN) - l2) < 1e-6);
    }
    const [mean, max] = [scores[0], scores[6]]; // cosine without normalization
    ok(mean?.pooling === "mean" && mean.difference === null);
    ok(max?.pooling === "max" && max.difference?.value === max.spearman - mean.spearman);
  });
});

/** Deterministic vectors of three coordinates without a pattern. */
const vectors = (count: number, phase: number) =>
  Array.from(
    { length: count },
    (_, i) => [0, 1, 2].map((k) => Math.sin(phase + 3 * i + 7 * k) * (1 + i % 4)),
  );
const divide = (rows: readonly number[][], norm: (row: readonly number[]) => number) =>
  rows.map((row) => row.map((x) => x / norm(row)));

Deno.test("compareRankings() matches theory for normalized vectors", () => {
  const firsts = vectors(30, 0), seconds = vectors(30, 2);
  const l1 = (row: readonly number[]) => row.reduce((sum, x) => sum + Math.abs(x), 0);
  const l2 = (row: readonly number[]) => Math.hypot(...row);
  const [none, sums, lengths] = compareRankings(
    new Map([
      ["none", { firsts, seconds }],
      ["l1", { firsts: divide(firsts, l1), seconds: divide(seconds, l1) }],
      ["l2", { firsts: divide(firsts, l2), seconds: divide(seconds, l2) }],
    ]),
  );
  ok(none && sums && lengths);
  for (const value of [none.cosine, sums.cosine, lengths.cosine, lengths.dot, lengths.euclidean]) {
    ok(Math.abs(value - 1) < 1e-3, `${value}`);
  }
  ok(none.dot < 0.99 && none.euclidean < 0.99 && sums.euclidean < 0.999);
  strictEqual(sums.normalize, "l1");
});

Deno.test("compareRankings() requires the embeddings without normalization", () => {
  throws(() => compareRankings(new Map([["l2", { firsts: [], seconds: [] }]])), {
    name: "RangeError",
    message:
      'Cannot compare rankings: embeddings with normalization "none" are missing; given are l2',
  });
});
