/**
 * Predictions for raw texts from label probabilities: a class for each classification task, entities with
 * their offsets for each tagging task. Independent of the backend; also runs in browsers.
 * Shapes: T tokens, C labels.
 * @module
 */

import { assertNever } from "@/assert_never.ts";
import type { Predictor } from "@/eval/predict_examples.ts";
import { spans } from "@/eval/spans.ts";
import type { ModelTask } from "@/model/multi_task.ts";
import { encodeRows, readTags } from "@/text/encode_rows.ts";
import { splitWords } from "@/split_words.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** Predicted class of a text. */
export type PredictedLabel = {
  /** Name of the most probable class. */
  readonly label: string;
  /** Its probability. */
  readonly probability: number;
  /** Probability of each label, in the order of the task's labels; they sum to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
};

/** Predicted entity in a text. */
export type PredictedEntity = {
  /** Entity type, such as `PER`. */
  readonly type: string;
  /** The text of the entity. */
  readonly text: string;
  /** UTF-16 code units [start, end) of the text, as for `text.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
  /** Probability of the tag of the least certain word. */
  readonly probability: number;
};

/** All predictions for a text, by task. */
export type TextPrediction = {
  /** The input text. */
  readonly text: string;
  /** Predicted class by classification task. */
  readonly labels: Readonly<Record<string, PredictedLabel>>;
  /** Predicted entities by tagging task, in order of occurrence. */
  readonly entities: Readonly<Record<string, readonly PredictedEntity[]>>;
};

/** Predicts for all tasks of a model. */
export type TextPredictor = {
  /** One prediction per text, in input order. */
  predict(texts: readonly string[]): Promise<TextPrediction[]>;
};

/** A task and the predictor of its label probabilities. */
type TaskPredictor = {
  readonly task: ModelTask;
  readonly predictor: Pick<Predictor, "predict">;
};

/** Tokenizer and input settings of a model. */
export type TextInputOptions = {
  readonly tokenizer: Tokenizer;
  /** Maximum input length in tokens, [CLS] and [SEP] included. */
  readonly maxLength: number;
  /** Prepended to each text; "" for none. Entity offsets refer to the text without it. */
  readonly prompt: string;
};

/**
 * Creates a predictor for raw texts. For classification, long texts are truncated. For tagging, they are
 * split into overlapping windows, so that no entity is missed.
 */
export function combinePredictors(
  tasks: readonly TaskPredictor[],
  options: TextInputOptions,
): TextPredictor {
  return {
    async predict(texts) {
      const found = texts.map((text) => ({
        text,
        labels: {} as Record<string, PredictedLabel>,
        entities: {} as Record<string, readonly PredictedEntity[]>,
      }));
      for (const { task, predictor } of tasks) {
        switch (task.kind) {
          case "classification":
            (await classify(texts, task, predictor, options))
              .forEach((label, i) => set(found[i]?.labels, task.name, label));
            break;
          case "tagging":
            (await findEntities(texts, task, predictor, options))
              .forEach((entities, i) => set(found[i]?.entities, task.name, entities));
            break;
          default:
            return assertNever(task.kind, "task kind");
        }
      }
      return found;
    },
  };
}

async function classify(
  texts: readonly string[],
  { kind, labels }: ModelTask,
  predictor: TaskPredictor["predictor"],
  { tokenizer, maxLength, prompt }: TextInputOptions,
): Promise<PredictedLabel[]> {
  const rows = texts.map((text) => ({ text, label: 0 }));
  const { examples } = encodeRows(rows, {
    ...{ tokenizer, kind, maxLength, prompt },
    windows: "cut",
  });
  return (await predictor.predict(examples)).map((probabilities) => {
    const best = argmaxAt(probabilities, 0, labels.length);
    return {
      label: labels[best] ?? "",
      probability: probabilities[best] ?? NaN,
      probabilities: Object.fromEntries(labels.map((label, i) => [label, probabilities[i] ?? NaN])),
    };
  });
}

async function findEntities(
  texts: readonly string[],
  { kind, labels }: ModelTask,
  predictor: TaskPredictor["predictor"],
  { tokenizer, maxLength, prompt }: TextInputOptions,
): Promise<PredictedEntity[][]> {
  const words = texts.map(splitWords);
  const rows = words.map((list) => ({
    tokens: list.map(({ word }) => word),
    tags: list.map(() => 0),
  }));
  const { examples } = encodeRows(rows, {
    ...{ tokenizer, kind, maxLength, prompt },
    windows: "overlap",
  });
  const probabilities = await predictor.predict(examples); // each [T, C]
  const count = labels.length;
  const best = examples.map(({ ids }, i) =>
    Array.from(ids, (_, token) => argmaxAt(probabilities[i] ?? [], token * count, count))
  );
  const certainty = best.map((tags, i) =>
    tags.map((tag, token) => probabilities[i]?.[token * count + tag] ?? NaN)
  );
  const tags = readTags(examples, best, rows, { unread: Math.max(0, labels.indexOf("O")) });
  const certain = readTags(examples, certainty, rows); // readTags also maps probabilities of tokens to words

  return texts.map((text, row) => {
    const list = words[row] ?? [];
    const names = (tags[row] ?? []).map((tag) => labels[tag] ?? "O");
    return spans(names, "conlleval").map(({ type, start: first, end: after }) => {
      const start = list[first]?.start ?? 0, end = list[after - 1]?.end ?? 0;
      const probability = Math.min(...(certain[row] ?? []).slice(first, after));
      return { type, text: text.slice(start, end), start, end, probability };
    });
  });
}

function set<T>(target: Record<string, T> | undefined, key: string, value: T): void {
  if (target !== undefined) target[key] = value;
}

/** Applies softmax to each row of [N, C] scores, in place. */
export function softmaxRowsInto(scores: Float32Array, classes: number): void {
  for (let start = 0; start < scores.length; start += classes) {
    const row = scores.subarray(start, start + classes);
    const largest = row.reduce((most, score) => Math.max(most, score), -Infinity);
    const weights = Array.from(row, (score) => Math.exp(score - largest));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    row.set(weights.map((weight) => weight / sum));
  }
}

/** Index, relative to `start`, of the largest of `count` values; the first of equal values. */
export function argmaxAt(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) {
    if ((values[start + i] ?? NaN) > (values[start + best] ?? NaN)) best = i;
  }
  return best;
}

/** Throws if the model has no tasks. */
export function checkHasTasks(tasks: readonly ModelTask[]): void {
  if (tasks.length > 0) return;
  throw new RangeError("Cannot predict: the model is an encoder without tasks");
}
