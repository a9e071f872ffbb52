import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { TaggedRow, TextRow } from "@/data/rows.ts";
import {
  accuracyOf,
  entityF1,
  entityFinder,
  entitySpans,
  listEntityNames,
  trainNaiveBayes,
  trainSoftmaxRegression,
} from "@/data/sample/sample_baselines.ts";

const TEXTS: TextRow[] = [
  { text: "Goal, goal!", label: 0 },
  { text: "vote", label: 1 },
  { text: "vote law", label: 1 },
];

Deno.test("trainNaiveBayes() agrees with probabilities computed by hand", () => {
  const classify = trainNaiveBayes(TEXTS, 2);
  // 3 words known; class 0: 2 words in 1 of 3 rows, class 1: 3 words in 2 of 3 rows
  // "goal":           1/3 · 3/5 = 0.200     2/3 · 1/6 = 0.111
  strictEqual(classify("goal"), 0);
  // "goal vote":      1/3 · 3/5 · 1/5 = 0.040     2/3 · 1/6 · 3/6 = 0.056
  strictEqual(classify("goal vote"), 1);
  // "goal goal vote": 1/3 · 3/5 · 3/5 · 1/5 = 0.024     2/3 · 1/6 · 1/6 · 3/6 = 0.009
  strictEqual(classify("Goal vote goal"), 0);
  strictEqual(classify("unknown"), 1, "the larger class");
});

Deno.test("bag-of-words classifiers learn from words but not from word order", () => {
  const easy = Array.from(
    { length: 40 },
    (_, i) => ({ text: `x${i % 7} w${i % 2}`, label: i % 2 }),
  );
  const order = Array.from({ length: 40 }, (_, i) => ({
    text: i % 2 === 0 ? "a beats b" : "b beats a",
    label: i % 2,
  }));
  for (const train of [trainNaiveBayes, trainSoftmaxRegression]) {
    strictEqual(accuracyOf(train(easy, 2), easy), 1);
    strictEqual(accuracyOf(train(order, 2), order), 0.5);
  }
  const classify = trainSoftmaxRegression(TEXTS, 2);
  deepStrictEqual(["goal", "vote", "law"].map(classify), [0, 1, 1]);
});

const LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
const NAMES: TaggedRow[] = [
  { tokens: ["Ada", "Lovelace", "in", "York"], tags: [1, 2, 0, 3] },
  { tokens: ["York", "New", "York", "York"], tags: [3, 3, 4, 1] },
];

Deno.test("entitySpans() separates adjacent entities and ends an entity at the end of the row", () => {
  deepStrictEqual(entitySpans([3, 3, 4, 1], LABELS), [
    { type: "LOC", start: 0, end: 1 },
    { type: "LOC", start: 1, end: 3 },
    { type: "PER", start: 3, end: 4 },
  ]);
  deepStrictEqual(entitySpans([0, 0], LABELS), []);
});

Deno.test("entityFinder() finds the longest listed entity with its most frequent type", () => {
  const names = listEntityNames(NAMES, LABELS);
  deepStrictEqual([...names], [["Ada Lovelace", "PER"], ["York", "LOC"], ["New York", "LOC"]]);
  deepStrictEqual(entityFinder(names)(["Ada", "saw", "New", "York", "York"]), [
    { type: "LOC", start: 2, end: 4 },
    { type: "LOC", start: 4, end: 5 },
  ]);
});

Deno.test("entityF1() requires type, start and end to match", () => {
  // gold: 5 names; found: Ada Lovelace, York (row 1), York, New York, York as LOC: 4 of 5 right
  const f1 = entityF1(entityFinder(listEntityNames(NAMES, LABELS)), NAMES, LABELS);
  ok(Math.abs(f1 - 2 * 4 / (5 + 5)) < 1e-12, `${f1}`);
  strictEqual(entityF1(() => [], NAMES, LABELS), 0);
  strictEqual(entityF1(() => [], [], LABELS), 0);
});
