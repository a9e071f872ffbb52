import { PLAIN_SPLIT } from "@/config/presets.ts";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { TaskConfig } from "@/config/config.ts";
import { prepareEvaluation } from "@/eval/evaluate_rows.ts";
import { createPredictor } from "@/eval/predict_examples.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import { SILENT } from "@/progress.ts";
import { createRunEvaluator, UNSEEN } from "@/train/evaluate_run.ts";
import type { EvaluationTask } from "@/train/run_data.ts";
import { TEXTS, withSavedModel } from "../eval/saved_model.ts";

Deno.env.set("STX_CACHE", ""); // do not cache the encoded rows of a test

const TOPIC: TaskConfig = {
  ...{ name: "topic", kind: "classification", dataset: "topics", metric: "accuracy", weight: 1 },
  columns: { text: "text", label: "label" },
  labels: ["a", "b", "c"],
  split: { validation: null, test: "test", ...PLAIN_SPLIT },
  dropInvalid: false,
  alsoTest: [],
};
const TAGS: TaskConfig = {
  ...{ name: "tags", kind: "tagging", dataset: "tags", metric: "f1", weight: 1 },
  columns: { tokens: "tokens", tags: "tags" },
  labels: ["O", "B-X", "I-X"],
  split: { validation: "validation", test: "test", ...PLAIN_SPLIT },
  dropInvalid: false,
  alsoTest: [],
};

const topics = TEXTS.map((text, row) => ({ text, label: row % 3 }));
const tagged = [{ tokens: ["yes", "Ada"], tags: [1, 2] }, { tokens: ["it"], tags: [1] }];

/** Calls `test` with an evaluator of the tiny model and the predictions that it reports. */
async function withEvaluator(
  temperatures: Readonly<Record<string, number>>,
  test: (
    evaluator: ReturnType<typeof createRunEvaluator>,
    records: readonly PredictionRecord[],
  ) => Promise<void>,
): Promise<void> {
  await withSavedModel([0, 1, 0], async ({ model, tokenizer, maxLength }) => { // predicts B-X for all words
    const { pad: padId, cls: clsId } = tokenizer.ids;
    const sets = { tokenizer, maxLength, prompt: "" };
    const tasks: EvaluationTask[] = [
      {
        task: TOPIC,
        evaluation: new Map([
          ["validation", await prepareEvaluation(topics, TOPIC, sets)],
          ["test", await prepareEvaluation(topics.slice(0, 3), TOPIC, sets)],
        ]),
        unseen: [0, 2],
      },
      {
        task: TAGS,
        evaluation: new Map([["test", await prepareEvaluation(tagged, TAGS, sets)]]),
        unseen: null,
      },
    ];
    const records: PredictionRecord[] = [];
    const evaluator = createRunEvaluator(tasks, {
      predictorOf: (task) => createPredictor(model, task, { lengths: [16], padId, clsId }),
      view: SILENT,
      temperatures,
      onPredictions: (record) => Promise.resolve(records.push(record)),
    });
    await test(evaluator, records);
  });
}

Deno.test("evaluations report the predictions for each row, once per split", async () => {
  await withEvaluator({}, async (evaluator, records) => {
    const scores = await evaluator.evaluateTests();
    deepStrictEqual(records.map(({ task, split }) => `${task} ${split}`), [
      "topic test",
      "tags test",
    ]);
    const [first, second] = records;
    ok(first?.kind === "classification" && second?.kind === "tagging");
    deepStrictEqual(first.gold, [0, 1, 2]);
    ok(first.probability.every((p) => p > 1 / 3 && p < 1));
    deepStrictEqual([second.gold, second.predicted], [[[1, 2], [1]], [[1, 1], [1]]]);
    // the record agrees with the scores: one of two entities found, two wrong ones predicted
    const hits = first.gold.filter((label, row) => label === first.predicted[row]).length;
    const topic = scores.topic?.test, tags = scores.tags?.test;
    ok(topic && "accuracy" in topic && tags && "f1" in tags);
    strictEqual(topic.accuracy, hits / 3);
    strictEqual(tags.f1, 2 * 1 / (3 + 2));
    deepStrictEqual(Object.keys(scores.topic ?? {}), ["test", UNSEEN]);
    strictEqual(scores.topic?.[UNSEEN]?.rows, 2);
  });
});

Deno.test("the temperature fitted on validation is used for the calibration error of test", async () => {
  await withEvaluator({}, async (evaluator) => {
    const before = (await evaluator.evaluateTests()).topic?.test;
    ok(before && "accuracy" in before);
    deepStrictEqual([before.temperature, before.scaledEce], [undefined, undefined]);
    const validation = (await evaluator.evaluate("validation")).topic;
    const after = (await evaluator.evaluateTests()).topic;
    ok(validation && "accuracy" in validation && validation.temperature !== undefined);
    for (const scores of Object.values(after ?? {})) {
      ok("accuracy" in scores && scores.scaledEce !== undefined);
      strictEqual(scores.temperature, validation.temperature);
    }
  });
  await withEvaluator({ topic: 3 }, async (evaluator) => { // as in a run's summary
    const scores = (await evaluator.evaluateTests()).topic?.test;
    ok(scores && "accuracy" in scores);
    strictEqual(scores.temperature, 3);
    ok(scores.scaledEce !== scores.ece);
  });
});
