import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { DISPLAY } from "@/notebook/displayable.ts";
import { showMistagged } from "@/notebook/show_rows.ts";
import {
  listClassifiedTexts,
  listMistagged,
  pickMisclassified,
  pickRecord,
} from "@/eval/prediction_errors.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import { predictionMap } from "@/report/figures/interactive_figures.ts";

const TOPICS: PredictionRecord = {
  task: "topics",
  split: "test",
  kind: "classification",
  labels: ["World", "Sports"],
  gold: [0, 1, 1],
  predicted: [1, 1, 0],
  probability: [0.6, 0.9, 0.8],
};
const TEXTS = [{ text: "a", label: 0 }, { text: "b", label: 1 }, { text: "c", label: 1 }];
const NAMES: PredictionRecord = {
  task: "names",
  split: "test",
  kind: "tagging",
  labels: ["O", "B-PER", "I-PER"],
  gold: [[1, 2, 0], [0, 1]],
  predicted: [[1, 0, 0], [0, 1]],
};
const SENTENCES = [
  { tokens: ["Ada", "Lovelace", "left"], tags: [1, 2, 0] },
  { tokens: ["Hello", "Ada"], tags: [0, 1] },
];

Deno.test("listClassifiedTexts() and pickMisclassified() join predictions with texts, most confident errors first", () => {
  const wrong = pickMisclassified(listClassifiedTexts(TOPICS, TEXTS));
  deepStrictEqual(wrong, [
    { gold: "Sports", predicted: "World", probability: 0.8, text: "c" },
    { gold: "World", predicted: "Sports", probability: 0.6, text: "a" },
  ]);
});

Deno.test("listMistagged() keeps only sentences with errors", () => {
  const wrong = listMistagged(NAMES, SENTENCES);
  deepStrictEqual(wrong.map(({ words, errors }) => [words[0], errors[0]?.kind]), [
    ["Ada", "boundary"],
  ]);
  strictEqual(
    showMistagged(wrong)[DISPLAY]()["text/plain"],
    "Errors: boundary. Gold, then predicted:\n[Ada Lovelace PER] left\n[Ada PER] Lovelace left",
  );
});

Deno.test("predictions of other rows, kinds and splits are rejected", () => {
  throws(() => listClassifiedTexts(TOPICS, []), {
    message:
      "Cannot list errors of topics test: its predictions are of 3 rows, but 0 rows are given",
  });
  throws(() => listClassifiedTexts(NAMES, SENTENCES), {
    name: "TypeError",
    message: "Cannot list errors of names: its kind must be classification, but is tagging",
  });
  throws(() => pickRecord([TOPICS, NAMES], { task: "topics", split: "validation" }), {
    message:
      "Cannot find predictions of topics validation: there are those of topics test, names test",
  });
  strictEqual(pickRecord([TOPICS, NAMES], { task: "names", split: "test" }), NAMES);
});

Deno.test("predictionMap() counts the misclassified texts and draws all of few", async () => {
  const { figure, spec } = await predictionMap(listClassifiedTexts(TOPICS, TEXTS), "topics");
  strictEqual(
    figure.alt,
    "2 of 3 predictions are wrong. One dot per row, by gold class and probability of the predicted class.",
  );
  const { data } = spec;
  strictEqual(data && "values" in data && Array.isArray(data.values) && data.values.length, 3);
});
