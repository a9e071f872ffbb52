/**
 * Describes the result of reproducing a run, as lines for the terminal.
 * @module
 */
import { join } from "node:path";
import { readJson, readText } from "@/system/files.ts";
import { readObject } from "@/report/readers/shape.ts";
import type { RunEnvironment } from "@/train/run_environment.ts";
import { compareEnvironments, type EnvironmentDifference } from "./compare_environments.ts";
import {
  compareNumbers,
  type Difference,
  LOSS_TOLERANCE,
  type RunNumbers,
  SCORE_TOLERANCE,
} from "./compare_reproduction.ts";

/** Numbers and environment of a finished run. */
type FinishedRun = RunNumbers & { readonly environment: RunEnvironment };

/** Required agreement if the environments differ. */
export const TOLERANCE =
  `losses within ${LOSS_TOLERANCE.nats} nats plus ${100 * LOSS_TOLERANCE.share} %, main scores ` +
  `within ${SCORE_TOLERANCE}, equal steps, tokens, learning rates and rows`;

/** Reads the files of a finished run that are compared. */
export async function readFinishedRun(dir: string): Promise<FinishedRun> {
  const text = await readText(join(dir, "metrics.jsonl"), "run");
  const file = join(dir, "environment.json");
  return {
    metrics: text.split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line)),
    summary: await readJson(join(dir, "summary.json"), "run"),
    environment: readObject(await readJson(file, "run"), { file, key: "" }),
  };
}

/** Compares a run with its reproduction. */
export function describeReproduction(
  then: FinishedRun,
  now: FinishedRun,
): { readonly lines: readonly string[]; readonly reproduced: boolean } {
  const { decisive, packages } = compareEnvironments(then.environment, now.environment);
  const close = compareNumbers(then, now, "close");
  const alike = decisive.length === 0;
  const found = alike ? compareNumbers(then, now, "identical") : close;
  const { loss, score } = close.largest;
  const [first] = found.differences;
  return {
    reproduced: first === undefined,
    lines: [
      ...packages.map((change) => `package differs: ${showChange(change)}`),
      ...decisive.map((change) => `environment differs: ${showChange(change)}`),
      `required: ${alike ? IDENTICAL : TOLERANCE}`,
      `compared: ${found.compared} values in ${then.metrics.length} lines of metrics.jsonl and in ` +
      "summary.json, except times",
      ...describeLargest("loss", loss),
      ...describeLargest("score", score),
      ...(first === undefined
        ? [alike ? "reproduced: all values are identical" : "reproduced within the tolerance"]
        : [
          `first of ${found.differences.length} differences: ${showDifference(first)}`,
          alike && close.differences.length === 0
            ? NEARLY
            : "not reproduced: have code, data or model changed?",
        ]),
    ],
  };
}

const IDENTICAL = "identical numbers, because device, executor, processor and threads are the same";

const NEARLY = `not reproduced exactly, but within the tolerance for other environments ` +
  `(${TOLERANCE}): has the code changed, or is this a different processor with the same name?`;

function describeLargest(what: string, largest: Difference | undefined): string[] {
  if (largest === undefined || largest.then === largest.now) return [];
  return [`largest ${what} difference: ${showDifference(largest)}`];
}

const show = (value: unknown) => value === undefined ? "missing" : JSON.stringify(value);

const showChange = ({ key, then, now }: EnvironmentDifference) =>
  `${key} ${show(then)} → ${show(now)}`;

const showDifference = ({ place, key, then, now }: Difference) =>
  `${place}, ${key}: was ${show(then)}, is now ${show(now)}`;
