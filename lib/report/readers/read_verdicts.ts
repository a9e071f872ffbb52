/**
 * Reads the verdicts of a run: its scores beside those of baselines, and by the number of training rows.
 * @module
 */

import { join } from "node:path";
import type { Interval } from "@/statistics.ts";
import { LEARNING_CURVE_FILE, type LearningCurve } from "@/train/learning_curve.ts";
import { isFile, readJson } from "@/system/files.ts";
import {
  type BaselineName,
  BASELINES,
  BASELINES_FILE,
  type TaskVerdict,
} from "@/train/baselines.ts";
import {
  at,
  type Place,
  readList,
  readNumber,
  readObject,
  readString,
  wrongShape,
} from "./shape.ts";

/** Reads the verdicts in the run folder `dir`; empty if the run has none. */
export async function readVerdicts(dir: string): Promise<readonly TaskVerdict[]> {
  const file = join(dir, BASELINES_FILE);
  if (!await isFile(file)) return [];
  return readList(await readJson(file, "run"), { file, key: "" }, readVerdict);
}

/** Reads the learning curves in the run folder `dir`; empty if the run has none. */
export async function readLearningCurves(dir: string): Promise<readonly LearningCurve[]> {
  const file = join(dir, LEARNING_CURVE_FILE);
  if (!await isFile(file)) return [];
  return readList(await readJson(file, "run"), { file, key: "" }, (value, place) => {
    const { task, measure, points, difference, interval } = readObject(value, place);
    return {
      task: readString(task, at(place, "task")),
      measure: oneOf(MEASURES, measure, at(place, "measure")),
      points: readList(points, at(place, "points"), (point, inner) => {
        const { rows, score, interval } = readObject(point, inner);
        return {
          rows: readNumber(rows, at(inner, "rows")),
          score: readNumber(score, at(inner, "score")),
          interval: readInterval(interval, at(inner, "interval")),
        };
      }),
      difference: readNumber(difference, at(place, "difference")),
      interval: readInterval(interval, at(place, "interval")),
    };
  });
}

function readInterval(value: unknown, place: Place): Interval {
  const [low, high] = readList(value, place, readNumber);
  if (low === undefined || high === undefined) throw wrongShape(place, "two numbers", value);
  return [low, high];
}

const VERDICTS = ["better", "no better", "worse"] as const;
const MEASURES = ["accuracy", "f1"] as const;

function readVerdict(value: unknown, place: Place): TaskVerdict {
  const { task, measure, rows, score, baselines, best, difference, interval, verdict } = readObject(
    value,
    place,
  );
  return {
    task: readString(task, at(place, "task")),
    measure: oneOf(MEASURES, measure, at(place, "measure")),
    rows: readNumber(rows, at(place, "rows")),
    score: readNumber(score, at(place, "score")),
    baselines: readList(baselines, at(place, "baselines"), (each, inner) => {
      const { name, score } = readObject(each, inner);
      return {
        name: readName(name, at(inner, "name")),
        score: readNumber(score, at(inner, "score")),
      };
    }),
    best: readName(best, at(place, "best")),
    difference: readNumber(difference, at(place, "difference")),
    interval: readInterval(interval, at(place, "interval")),
    verdict: oneOf(VERDICTS, verdict, at(place, "verdict")),
  };
}

const readName = (value: unknown, place: Place) =>
  oneOf(Object.keys(BASELINES) as BaselineName[], value, place);

function oneOf<T extends string>(choices: readonly T[], value: unknown, place: Place): T {
  const found = choices.find((each) => each === value);
  if (found === undefined) throw wrongShape(place, `one of ${choices.join(", ")}`, value);
  return found;
}
