/**
 * Reads the scores of a classification or tagging task from a run's files.
 * @module
 */

import type { ClassificationScores } from "@/eval/classification.ts";
import type { EntityScores } from "@/eval/entities.ts";
import { type EntityErrors, ERROR_KINDS } from "@/eval/entity_errors.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { Interval } from "@/statistics.ts";
import {
  at,
  type Place,
  readList,
  readNumber,
  readObject,
  readRecord,
  wrongShape,
} from "./shape.ts";

/** Reads scores; those with `accuracy` belong to a classification task, others to a tagging task. */
export function readScores(value: unknown, place: Place): TaskScores {
  const scores = readObject(value, place);
  return "accuracy" in scores ? readClasses(scores, place) : readEntities(scores, place);
}

type Json = Readonly<Record<string, unknown>>;

/** Reads the numbers of `json` under `keys`. */
function readNumbers<K extends string>(json: Json, place: Place, keys: readonly K[]) {
  const entries = keys.map((key) => [key, readNumber(json[key], at(place, key))]);
  return Object.fromEntries(entries) as Record<K, number>;
}

const OPTIONAL_KEYS = ["ece", "temperature", "scaledEce"] as const;

function readClasses(json: Json, place: Place): ClassificationScores {
  const confusion = readList(
    json.confusion,
    at(place, "confusion"),
    (row, place) => readList(row, place, readNumber),
  );
  const perClass = readRecord(
    json.perClass,
    at(place, "perClass"),
    (value, place) =>
      readNumbers(readObject(value, place), place, ["precision", "recall", "f1", "support"]),
  );
  const classes = Object.keys(perClass).length;
  if (confusion.length !== classes || confusion.some((row) => row.length !== classes)) {
    throw wrongShape(at(place, "confusion"), `${classes} rows of ${classes}`, confusion);
  }
  return {
    ...readNumbers(json, place, ["rows", "accuracy", "macroF1"]),
    ...readNumbers(json, place, OPTIONAL_KEYS.filter((key) => json[key] !== undefined)),
    ...(json.bins !== undefined && {
      bins: readList(
        json.bins,
        at(place, "bins"),
        (bin, place) =>
          readNumbers(readObject(bin, place), place, ["confidence", "accuracy", "rows"]),
      ),
    }),
    interval: readInterval(json.interval, at(place, "interval")),
    ...(json.macroF1Interval !== undefined && {
      macroF1Interval: readInterval(json.macroF1Interval, at(place, "macroF1Interval")),
    }),
    perClass,
    confusion,
  };
}

const ENTITY_KEYS = [
  "rows",
  "f1",
  "precision",
  "recall",
  "strictF1",
  "strictPrecision",
  "strictRecall",
  "tokenAccuracy",
] as const;

function readEntities(json: Json, place: Place): EntityScores {
  return {
    ...readNumbers(json, place, ENTITY_KEYS),
    interval: readInterval(json.interval, at(place, "interval")),
    ...(json.strictF1Interval !== undefined && {
      strictF1Interval: readInterval(json.strictF1Interval, at(place, "strictF1Interval")),
    }),
    ...(json.errors !== undefined && { errors: readErrors(json.errors, at(place, "errors")) }),
    perType: readRecord(
      json.perType,
      at(place, "perType"),
      (value, place) =>
        readNumbers(readObject(value, place), place, [
          "precision",
          "recall",
          "f1",
          "strictF1",
          "support",
        ]),
    ),
  };
}

function readErrors(value: unknown, place: Place): EntityErrors {
  const errors = readObject(value, place);
  const readCounts = (value: unknown, place: Place) =>
    readNumbers(readObject(value, place), place, ERROR_KINDS);
  return {
    ...readCounts(errors, place),
    perType: readRecord(errors.perType, at(place, "perType"), readCounts),
  };
}

function readInterval(value: unknown, place: Place): Interval {
  const [low, high] = readList(value, place, readNumber);
  if (low === undefined || high === undefined) throw wrongShape(place, "two numbers", value);
  return [low, high];
}
