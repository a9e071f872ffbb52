/**
 * What a model says of raw texts, whoever computes its probabilities: a class for each classification
 * task, entities with their places for each tagging task. Runs in browsers as well. Shapes: T pieces,
 * C labels.
 * @module
 */

import { assertNever } from "@/assert_never.ts";
import type { Predictor } from "@/eval/predict_examples.ts";
import { argmaxAt } from "@/eval/probabilities.ts";
import { spans } from "@/eval/spans.ts";
import type { ModelTask } from "@/model/parameters.ts";
import { encodeRows, readTags } from "@/text/encode_rows.ts";
import { splitWords } from "@/text/split_words.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** A class of a text. */
export type PredictedLabel = {
  readonly label: string;
  readonly probability: number;
  /** By label, in the order of the task's labels; their sum is 1. */
  readonly probabilities: Readonly<Record<string, number>>;
};

/** A named entity in a text. */
export type PredictedEntity = {
  readonly type: string;
  readonly text: string;
  /** UTF-16 units [start, end) of the text, as `text.slice(start, end)` counts. */
  readonly start: number;
  readonly end: number;
  /** Of the tag of its least certain word. */
  readonly probability: number;
};

/** All that is predicted for a text, by task. */
export type TextPrediction = {
  readonly text: string;
  readonly labels: Readonly<Record<string, PredictedLabel>>;
  readonly entities: Readonly<Record<string, readonly PredictedEntity[]>>;
};

/** Predicts for all tasks of a model. */
export type TextPredictor = {
  predict(texts: readonly string[]): Promise<TextPrediction[]>;
};

/** A task, and who computes the probabilities of its labels. */
export type ReadTask = {
  readonly task: ModelTask;
  readonly predictor: Pick<Predictor, "predict">;
};

/** What reading needs of a model. */
export type ReadOptions = {
  readonly tokenizer: Tokenizer;
  /** Longest input in word pieces, [CLS] and [SEP] included. */
  readonly maxLength: number;
  /** Prepended to each text; "" for none. Places of entities are places in the text without it. */
  readonly prompt: string;
};

/**
 * A reader of raw texts. Long texts are classified by their beginning; their entities are read through
 * overlapping windows, so that none is missed.
 */
export function createTextReader(
  tasks: readonly ReadTask[],
  options: ReadOptions,
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
  predictor: ReadTask["predictor"],
  { tokenizer, maxLength, prompt }: ReadOptions,
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
  predictor: ReadTask["predictor"],
  { tokenizer, maxLength, prompt }: ReadOptions,
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
    Array.from(ids, (_, piece) => argmaxAt(probabilities[i] ?? [], piece * count, count))
  );
  const certainty = best.map((tags, i) =>
    tags.map((tag, piece) => probabilities[i]?.[piece * count + tag] ?? NaN)
  );
  const tags = readTags(examples, best, rows, { unread: Math.max(0, labels.indexOf("O")) });
  const certain = readTags(examples, certainty, rows); // numbers like the tags: one a word

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
