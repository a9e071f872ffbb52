import { ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { compareEmbeddings } from "@/eval/compare_embeddings.ts";
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
