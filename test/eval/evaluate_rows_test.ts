import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { scoreRows } from "@/eval/evaluate_rows.ts";
import { createPredictor } from "@/eval/predict_examples.ts";
import { argmaxAt } from "@/eval/text_predictor.ts";
import { disposeModel } from "@/model/parameters.ts";
import type { Example } from "@/text/example.ts";
import { testOnBackends } from "../backend.ts";
import { createTinyModel } from "../train/tiny_model.ts";

/** Examples of the given lengths, all with different ids. */
const examples = (lengths: readonly number[]): Example[] =>
  lengths.map((length, row) => ({
    row,
    ids: Int32Array.from({ length }, (_, token) => 5 + (7 * row + 3 * token) % 30),
    labels: Int32Array.of(0),
  }));

for (const task of ["topic", "tags"]) {
  testOnBackends(
    `createPredictor() of ${task} does not depend on batches and padding`,
    async () => {
      const model = createTinyModel();
      const special = { padId: 0, clsId: 2 };
      const apart = createPredictor(model, task, { ...special, lengths: [3, 5, 9, 12], rows: 1 });
      const joined = createPredictor(model, task, { ...special, lengths: [12], rows: 4 });
      const given = examples([5, 12, 3, 9, 5, 3]); // two batches of 4; the last has two padding rows
      const expected = await apart.predict(given);
      const done: number[] = [];
      const found = await joined.predict(given, (count) => done.push(count));
      deepStrictEqual(done, [4, 6]);
      found.forEach((values, i) => {
        const count = task === "tags" ? given[i]?.ids.length ?? 0 : 1;
        strictEqual(values.length, count * joined.labels.length);
        values.forEach((value, j) => ok(Math.abs(value - (expected[i]?.[j] ?? NaN)) < 1e-6));
        const sum = values.subarray(0, joined.labels.length).reduce((a, b) => a + b, 0);
        ok(Math.abs(sum - 1) < 1e-6);
      });
      disposeModel(model);
    },
  );
}

Deno.test("argmaxAt() returns the first of equal values after the start offset", () => {
  strictEqual(argmaxAt([9, 1, 3, 3, 0], 1, 4), 1);
});

Deno.test("scoreRows() scores only the chosen rows", () => {
  const rows = [{ text: "a", label: 0 }, { text: "b", label: 1 }, { text: "c", label: 1 }];
  const predictions = {
    kind: "classification",
    classes: [0, 0, 1],
    probabilities: [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]].map((each) => Float32Array.from(each)),
  } as const;
  const labels = ["x", "y"];
  const all = scoreRows(rows, predictions, { labels });
  const some = scoreRows(rows, predictions, { labels, chosen: [1, 2] });
  ok("accuracy" in all && "accuracy" in some);
  strictEqual(all.accuracy, 2 / 3);
  deepStrictEqual([some.rows, some.accuracy], [2, 1 / 2]);
  deepStrictEqual(some.confusion, [[0, 0], [1, 1]]);
});

Deno.test("scoreRows() converts tag indices to their labels", () => {
  const rows = [{ tokens: ["a", "b"], tags: [1, 2] }, { tokens: ["c"], tags: [0] }];
  const scores = scoreRows(rows, { kind: "tagging", tags: [[1, 2], [1]] }, {
    labels: ["O", "B-PER", "I-PER"],
  });
  ok("f1" in scores);
  // one entity found, one invented: precision 1/2, recall 1
  deepStrictEqual([scores.precision, scores.recall, scores.tokenAccuracy], [1 / 2, 1, 2 / 3]);
});
