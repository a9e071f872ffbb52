/**
 * Converts parsed run files into their types. Keys that reports do not use are ignored.
 * @module
 */

import { assertNever } from "@/assert_never.ts";
import { TASK_KINDS, type TaskKind } from "@/config/config.ts";
import type { PredictionError } from "@/train/choose_errors.ts";
import type { MetricsLine } from "@/train/run_folder.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { readScores } from "./read_scores.ts";
import type { RecordedConfig } from "./run_record.ts";
import {
  at,
  type Place,
  readList,
  readNumber,
  readObject,
  readRecord,
  readString,
  wrongShape,
} from "./shape.ts";

/** `config.json`. */
export function readConfig(value: unknown, place: Place): RecordedConfig {
  const json = readObject(value, place);
  const data = readObject(json.data, at(place, "data"));
  const training = readObject(json.training, at(place, "training"));
  const limit = (value: unknown, key: string) =>
    value === null ? null : readNumber(value, at(place, key));
  return {
    preset: readString(json.preset, at(place, "preset")),
    seed: readNumber(json.seed, at(place, "seed")),
    dataDir: data.dir === null ? null : readString(data.dir, at(place, "data.dir")),
    maxRows: limit(data.maxRows, "data.maxRows"),
    maxSteps: limit(training.maxSteps, "training.maxSteps"),
    precision: readString(json.precision, at(place, "precision")),
    clipNorm: limit(training.clipNorm, "training.clipNorm"),
    tasks: readList(json.tasks, at(place, "tasks"), (item, place) => {
      const task = readObject(item, place);
      return {
        name: readString(task.name, at(place, "name")),
        kind: readKind(task.kind, at(place, "kind")),
        dataset: readString(task.dataset, at(place, "dataset")),
        labels: readList(task.labels, at(place, "labels"), readString),
      };
    }),
    json,
  };
}

function readKind(value: unknown, place: Place): TaskKind {
  const kind = TASK_KINDS.find((each) => each === value);
  if (kind === undefined) throw wrongShape(place, `one of ${TASK_KINDS.join(", ")}`, value);
  return kind;
}

/** A line of `metrics.jsonl`. */
export function readLine(value: unknown, place: Place): MetricsLine {
  const line = readObject(value, place);
  const number = (key: string) => readNumber(line[key], at(place, key));
  switch (line.kind) {
    case "train":
      return {
        kind: "train",
        step: number("step"),
        epoch: number("epoch"),
        losses: readRecord(line.losses, at(place, "losses"), readNumber),
        gradientNorm: number("gradientNorm"),
        rate: number("rate"),
        tokens: number("tokens"),
        seconds: number("seconds"),
        ...(line.lossScale !== undefined && { lossScale: number("lossScale") }),
        ...(line.skipped !== undefined && { skipped: number("skipped") }),
        ...(line.logVariances !== undefined && {
          logVariances: readRecord(line.logVariances, at(place, "logVariances"), readNumber),
        }),
      };
    case "evaluate":
      return {
        kind: "evaluate",
        step: number("step"),
        split: readString(line.split, at(place, "split")),
        scores: readRecord(line.scores, at(place, "scores"), readScores),
        seconds: number("seconds"),
      };
    default:
      throw wrongShape(at(place, "kind"), "one of train, evaluate", line.kind);
  }
}

/** A line of `errors.jsonl`. */
export function readPredictionError(value: unknown, place: Place): PredictionError {
  const line = readObject(value, place);
  const text = (key: string) => readString(line[key], at(place, key));
  const texts = (key: string) => readList(line[key], at(place, key), readString);
  const subject = { task: text("task"), split: text("split") };
  const kind = readKind(line.kind, at(place, "kind"));
  switch (kind) {
    case "classification":
      return {
        ...subject,
        kind,
        text: text("text"),
        gold: text("gold"),
        predicted: text("predicted"),
        probability: readNumber(line.probability, at(place, "probability")),
      };
    case "tagging":
      return {
        ...subject,
        kind,
        words: texts("words"),
        gold: texts("gold"),
        predicted: texts("predicted"),
      };
    default:
      return assertNever(kind, "task kind");
  }
}

/** `summary.json`. */
export function readSummary(value: unknown, place: Place): RunSummary {
  const summary = readObject(value, place);
  const number = (key: string) => readNumber(summary[key], at(place, key));
  const seconds = readObject(summary.seconds, at(place, "seconds"));
  return {
    name: readString(summary.name, at(place, "name")),
    preset: readString(summary.preset, at(place, "preset")),
    steps: number("steps"),
    ...(summary.plannedSteps !== undefined && { plannedSteps: number("plannedSteps") }),
    tokens: number("tokens"),
    parameters: number("parameters"),
    seconds: {
      train: readNumber(seconds.train, at(place, "seconds.train")),
      evaluate: readNumber(seconds.evaluate, at(place, "seconds.evaluate")),
    },
    scores: readRecord(
      summary.scores,
      at(place, "scores"),
      (splits, place) => readRecord(splits, place, readScores),
    ),
    ...(summary.best !== undefined && { best: readBest(summary.best, at(place, "best")) }),
    groups: readList(summary.groups, at(place, "groups"), readGroup),
    data: readRecord(summary.data, at(place, "data"), readCounts),
    notes: readList(summary.notes, at(place, "notes"), readString),
  };
}

function readBest(value: unknown, place: Place): NonNullable<RunSummary["best"]> {
  const best = readObject(value, place);
  return {
    step: readNumber(best.step, at(place, "step")),
    metric: readString(best.metric, at(place, "metric")),
    value: readNumber(best.value, at(place, "value")),
  };
}

function readGroup(value: unknown, place: Place): RunSummary["groups"][number] {
  const group = readObject(value, place);
  return {
    name: readString(group.name, at(place, "name")),
    learningRate: readNumber(group.learningRate, at(place, "learningRate")),
    weightDecay: readNumber(group.weightDecay, at(place, "weightDecay")),
    parameters: readNumber(group.parameters, at(place, "parameters")),
    undecayed: readNumber(group.undecayed, at(place, "undecayed")),
    ...(group.from !== undefined && { from: readNumber(group.from, at(place, "from")) }),
  };
}

function readCounts(value: unknown, place: Place): RunSummary["data"][string] {
  const counts = readObject(value, place);
  const number = (key: string) => readNumber(counts[key], at(place, key));
  return {
    train: number("train"),
    validation: number("validation"),
    test: number("test"),
    overlap: number("overlap"),
    cutWords: number("cutWords"),
  };
}
