import { deepStrictEqual } from "node:assert/strict";
import type { Row } from "@/data/rows.ts";
import { chooseExamples } from "@/train/choose_examples.ts";
import type { EvaluationTask } from "@/train/run_data.ts";
import { CONFIG } from "./tiny_run.ts";

const LABELS = { reviews: ["negative", "neutral", "positive"], names: ["O", "B-PER", "I-PER"] };

function task(
  name: keyof typeof LABELS,
  dataset: string,
  rows: readonly Row[],
  split = "test",
): EvaluationTask {
  const [first] = CONFIG.tasks;
  if (first === undefined) throw new TypeError("the tiny run has tasks");
  const evaluation = new Map([[split, { rows, examples: [] }]]);
  return { task: { ...first, name, dataset, labels: LABELS[name] }, evaluation, unseen: null };
}

const REVIEWS: readonly Row[] = [
  { text: "A fine kettle that boils fast.", label: 2 },
  { text: "Another fine kettle that boils.", label: 2 },
  { text: "Bad.", label: 0 }, // too short if there are enough others
  { text: "The lid broke on the second day.", label: 0 },
  { text: "It is a kettle and it is green.", label: 1 },
  { text: "x".repeat(201), label: 1 },
];
const NAMES: readonly Row[] = [
  { tokens: ["Nobody", "came", "to", "the", "meeting", "."], tags: [0, 0, 0, 0, 0, 0] },
  { tokens: ["Ada", "Lovelace", "wrote", "to", "him", "."], tags: [1, 2, 0, 0, 0, 0] },
];
const own = { data: { ...CONFIG.data, dir: "my/data" } };

Deno.test("chooseExamples() selects readable test rows of every label, alternating between tasks", () => {
  const tasks = [task("reviews", "reviews", REVIEWS), task("names", "names", NAMES)];
  deepStrictEqual(chooseExamples(own, tasks).texts, [
    "A fine kettle that boils fast.",
    "Ada Lovelace wrote to him.",
    "The lid broke on the second day.",
    "Nobody came to the meeting.",
  ]);
});

Deno.test("chooseExamples() omits texts whose license forbids publishing", () => {
  const tasks = [task("reviews", "someone/ag_news", REVIEWS), task("names", "names", NAMES)];
  deepStrictEqual(chooseExamples(own, tasks).texts, [
    "Ada Lovelace wrote to him.",
    "Nobody came to the meeting.",
  ]);
  const restricted = [task("reviews", "ag_news", REVIEWS)];
  deepStrictEqual(chooseExamples(own, restricted).texts, []);
  const sample = { data: { ...CONFIG.data, dir: "sample" } };
  deepStrictEqual(chooseExamples(sample, restricted).texts.length, 4);
});

Deno.test("chooseExamples() falls back to short rows, and to validation if there is no test split", () => {
  const rows = [{ text: "Bad.", label: 0 }, { text: " ", label: 1 }];
  deepStrictEqual(chooseExamples(own, [task("reviews", "reviews", rows)]).texts, ["Bad."]);
  deepStrictEqual(chooseExamples(own, [task("reviews", "reviews", [])]).texts, []);
  const validation = task("reviews", "reviews", rows, "validation");
  deepStrictEqual(chooseExamples(own, [validation]).texts, ["Bad."]);
});
