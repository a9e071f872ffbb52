import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { fitLogisticRegression, predictClasses } from "@/eval/logistic_regression.ts";
import {
  fitTfidf,
  predictByTfidf,
  predictFrequentTags,
  predictMajority,
} from "@/eval/text_baselines.ts";
import fixture from "../fixtures/logistic_regression.json" with { type: "json" };

const near = (actual: number | undefined, expected: number, tolerance: number, what: string) =>
  ok(
    Math.abs((actual ?? NaN) - expected) <= tolerance,
    `${what}: ${actual} instead of ${expected}`,
  );

Deno.test("fitTfidf() gives the vectors of scikit-learn's TfidfVectorizer", () => {
  const { terms, transform } = fitTfidf(fixture.texts);
  strictEqual(terms.length, fixture.terms);
  const { starts, indices, values } = transform(fixture.texts);
  const end = starts[1] ?? 0;
  const first = Object.fromEntries(
    [...indices.subarray(0, end)].map((column, at) => [terms[column], values[at] ?? NaN]),
  );
  deepStrictEqual(Object.keys(first).sort(), Object.keys(fixture.first).sort());
  for (const [term, value] of Object.entries(fixture.first)) near(first[term], value, 1e-12, term);
  const unknown = transform(["zebra"]);
  deepStrictEqual([...unknown.starts], [0, 0]);
});

Deno.test("fitLogisticRegression() reaches the optimum of scikit-learn's LogisticRegression", () => {
  const { terms, transform } = fitTfidf(fixture.texts);
  const rows = transform(fixture.texts);
  for (const [c, expected] of Object.entries(fixture.fitted)) {
    const model = fitLogisticRegression(rows, fixture.labels, 3, {
      c: Number(c),
      tolerance: 1e-9,
      maxIterations: 2000,
    });
    const mean = (model.bias[0] ?? 0) / 3 + (model.bias[1] ?? 0) / 3 + (model.bias[2] ?? 0) / 3;
    expected.bias.forEach((bias, k) => near((model.bias[k] ?? 0) - mean, bias, 1e-5, `bias ${k}`));
    for (const [term, weights] of Object.entries(expected.weights)) {
      weights.forEach((weight, k) =>
        near(model.weights[terms.indexOf(term) * 3 + k], weight, 1e-5, `${term} ${k}`)
      );
    }
    deepStrictEqual(predictClasses(model, rows), expected.predicted);
  }
});

Deno.test("text baselines predict the most frequent class, and classes by words", () => {
  const train = [
    { text: "good film", label: 1 },
    { text: "bad film", label: 0 },
    { text: "good book", label: 1 },
  ];
  deepStrictEqual(predictMajority(train, train), [1, 1, 1]);
  deepStrictEqual(predictMajority(train.slice(0, 2), train), [0, 0, 0]); // of equally frequent ones the first
  const rows = [{ text: "A good meal!", label: 0 }, { text: "BAD meal", label: 0 }];
  deepStrictEqual(predictByTfidf(train, rows, 2), [1, 0]);
});

Deno.test("predictFrequentTags() tags each word as most often in train, and repairs entities", () => {
  const labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
  const train = [
    { tokens: ["Ada", "Lovelace", "saw", "Paris"], tags: [1, 2, 0, 3] },
    { tokens: ["Paris", "Hilton", "saw", "Paris"], tags: [1, 2, 0, 3] },
  ];
  const rows = [{ tokens: ["Lovelace", "saw", "Ada", "Hilton", "in", "Paris"], tags: [] }];
  // Lovelace alone is I-PER in train and begins an entity here; "in" is unknown
  deepStrictEqual(predictFrequentTags(train, rows, labels), [[1, 0, 1, 2, 0, 3]]);
});
