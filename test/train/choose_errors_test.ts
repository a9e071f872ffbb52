import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Row } from "@/data/rows.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import { chooseErrors } from "@/train/choose_errors.ts";
import type { EvaluationTask } from "@/train/run_data.ts";
import { CONFIG } from "./tiny_run.ts";

const LABELS = { topics: ["World", "Sports"], names: ["O", "B-PER"] };
const ROWS: Record<keyof typeof LABELS, readonly Row[]> = {
  topics: [{ text: "right", label: 0 }, { text: "sure", label: 1 }, { text: "surer", label: 1 }],
  names: [
    { tokens: ["one", "error"], tags: [0, 1] },
    { tokens: ["two", "errors"], tags: [1, 0] },
    { tokens: ["right"], tags: [0] },
  ],
};
const RECORDS: readonly PredictionRecord[] = ["validation", "test"].flatMap((split) => [
  {
    task: "topics",
    split,
    kind: "classification",
    labels: LABELS.topics,
    gold: [0, 1, 1],
    predicted: [0, 0, 0],
    probability: [0.99, 0.6, 0.8],
  },
  {
    task: "names",
    split,
    kind: "tagging",
    labels: LABELS.names,
    gold: [[0, 1], [1, 0], [0]],
    predicted: [[0, 0], [0, 1], [0]],
  },
]);

function task(name: keyof typeof LABELS, dataset: string): EvaluationTask {
  const [first] = CONFIG.tasks;
  if (first === undefined) throw new TypeError("the tiny run has tasks");
  const set = { rows: ROWS[name], examples: [] };
  const evaluation = new Map([["validation", set], ["test", set]]);
  return { task: { ...first, name, dataset, labels: LABELS[name] }, evaluation, unseen: null };
}

const own = { data: { ...CONFIG.data, dir: "my/data", scoreTest: true } };

Deno.test("chooseErrors() sorts wrong classes by confidence and sentences by number of errors", () => {
  const place = { split: "test" };
  deepStrictEqual(
    chooseErrors(own, [task("topics", "mine"), task("names", "names")], RECORDS),
    [
      {
        task: "topics",
        ...place,
        kind: "classification",
        text: "surer",
        gold: "Sports",
        predicted: "World",
        probability: 0.8,
      },
      {
        task: "topics",
        ...place,
        kind: "classification",
        text: "sure",
        gold: "Sports",
        predicted: "World",
        probability: 0.6,
      },
      {
        task: "names",
        ...place,
        kind: "tagging",
        words: ["two", "errors"],
        gold: ["B-PER", "O"],
        predicted: ["O", "B-PER"],
      },
      {
        task: "names",
        ...place,
        kind: "tagging",
        words: ["one", "error"],
        gold: ["O", "B-PER"],
        predicted: ["O", "O"],
      },
    ],
  );
});

Deno.test("chooseErrors() omits texts whose license forbids publishing, depending on data set name and source", () => {
  const tasks = [task("topics", "fancyzhx/ag_news"), task("names", "conll2003")];
  deepStrictEqual(chooseErrors(own, tasks, RECORDS), []);
  const sample = { data: { ...own.data, dir: "sample" } };
  strictEqual(chooseErrors(sample, tasks, RECORDS).length, 4);
});

Deno.test("chooseErrors() uses validation if test was not scored", () => {
  const unscored = { data: { ...own.data, scoreTest: false } };
  const [first] = chooseErrors(unscored, [task("topics", "mine")], RECORDS);
  strictEqual(first?.split, "validation");
});
