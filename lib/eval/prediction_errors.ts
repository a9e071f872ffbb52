/**
 * Wrong predictions of a run with their texts, for reading by a person.
 * @module
 */

import { isTaggedRow, type Row } from "@/data/rows.ts";
import { type EntityError, findEntityErrors } from "./entity_errors.ts";
import type { PredictionRecord } from "./prediction_record.ts";

/** Gold and predicted class of one text. */
export type ClassifiedText = {
  readonly gold: string;
  readonly predicted: string;
  /** Probability of the predicted class. */
  readonly probability: number;
  readonly text: string;
};

/** Texts of a classification record with their classes, in row order. */
export function listClassifiedTexts(
  record: PredictionRecord,
  rows: readonly Row[],
): readonly ClassifiedText[] {
  checkRows(record, rows);
  if (record.kind !== "classification") throw wrongKind(record, "classification");
  const { labels, gold, predicted, probability } = record;
  return rows.map((row, i) => ({
    gold: labels[gold[i] ?? -1] ?? "",
    predicted: labels[predicted[i] ?? -1] ?? "",
    probability: probability[i] ?? NaN,
    text: isTaggedRow(row) ? row.tokens.join(" ") : row.text,
  }));
}

/** Misclassified texts, most confident first. */
export function pickMisclassified(texts: readonly ClassifiedText[]): readonly ClassifiedText[] {
  return texts.filter(({ gold, predicted }) => gold !== predicted)
    .sort((a, b) => b.probability - a.probability);
}

/** A sentence with at least one entity error. */
export type MistaggedSentence = {
  readonly words: readonly string[];
  /** BIO tags, one per word. */
  readonly gold: readonly string[];
  readonly predicted: readonly string[];
  readonly errors: readonly EntityError[];
};

/** Sentences of a tagging record with at least one entity error, in row order. */
export function listMistagged(
  record: PredictionRecord,
  rows: readonly Row[],
): readonly MistaggedSentence[] {
  checkRows(record, rows);
  if (record.kind !== "tagging") throw wrongKind(record, "tagging");
  const name = (tag: number) => record.labels[tag] ?? "O";
  return rows.flatMap((row, i) => {
    if (!isTaggedRow(row)) return [];
    const gold = (record.gold[i] ?? []).map(name);
    const predicted = (record.predicted[i] ?? []).map(name);
    const errors = findEntityErrors(gold, predicted);
    return errors.length === 0 ? [] : [{ words: row.tokens, gold, predicted, errors }];
  });
}

/** Finds the record of one task on one split. Throws if there is none. */
export function pickRecord(
  records: readonly PredictionRecord[],
  { task, split }: Pick<PredictionRecord, "task" | "split">,
): PredictionRecord {
  const found = records.find((record) => record.task === task && record.split === split);
  if (found !== undefined) return found;
  const known = records.map((record) => `${record.task} ${record.split}`);
  throw new RangeError(
    `Cannot find predictions of ${task} ${split}: there are those of ${known.join(", ")}`,
  );
}

function checkRows({ task, split, gold }: PredictionRecord, rows: readonly Row[]): void {
  if (gold.length === rows.length) return;
  throw new RangeError(
    `Cannot list errors of ${task} ${split}: its predictions are of ${gold.length} rows, but ${rows.length} rows are given`,
  );
}

function wrongKind({ task, kind }: PredictionRecord, wanted: string): TypeError {
  return new TypeError(
    `Cannot list errors of ${task}: its kind must be ${wanted}, but is ${kind}`,
  );
}
