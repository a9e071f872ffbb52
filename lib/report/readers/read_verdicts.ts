/**
 * Reads the verdicts of a run: its scores beside those of baselines.
 * @module
 */

import { join } from "node:path";
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

const VERDICTS = ["better", "no better", "worse"] as const;
const MEASURES = ["accuracy", "f1"] as const;

function readVerdict(value: unknown, place: Place): TaskVerdict {
  const { task, measure, rows, score, baselines, best, difference, interval, verdict } = readObject(
    value,
    place,
  );
  const [low, high] = readList(interval, at(place, "interval"), readNumber);
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
    interval: [low ?? NaN, high ?? NaN],
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
