/**
 * What came of making a run again, in lines for the terminal.
 * @module
 */
import { join } from "node:path";
import { readJson, readText } from "@/files.ts";
import { readObject } from "@/report/shape.ts";
import type { RunEnvironment } from "@/train/run_environment.ts";
import { compareEnvironments, type EnvironmentDifference } from "./compare_environments.ts";
import {
  compareNumbers,
  type Difference,
  LOSS_TOLERANCE,
  type RunNumbers,
  SCORE_TOLERANCE,
} from "./compare_reproduction.ts";

/** A run as it was made: its numbers, and where. */
export type MadeRun = RunNumbers & { readonly environment: RunEnvironment };

/** What is asked for where not all that bits depend on is the same. */
export const TOLERANCE =
  `losses within ${LOSS_TOLERANCE.nats} nats and ${100 * LOSS_TOLERANCE.share} %, main scores ` +
  `within ${SCORE_TOLERANCE}, and steps, word pieces, rates and rows equal`;

/** Reads the files of a finished run that are compared. */
export async function readMade(dir: string): Promise<MadeRun> {
  const text = await readText(join(dir, "metrics.jsonl"), "run");
  const file = join(dir, "environment.json");
  return {
    metrics: text.split("\n").filter((line) => line.trim() !== "").map((line) => JSON.parse(line)),
    summary: await readJson(join(dir, "summary.json"), "run"),
    environment: readObject(await readJson(file, "run"), { file, key: "" }),
  };
}

/** Compares a run with the same one made again. */
export function describeReproduction(
  then: MadeRun,
  now: MadeRun,
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
      ...packages.map((change) => `package: ${showChange(change)}`),
      ...decisive.map((change) => `elsewhere: ${showChange(change)}`),
      `asked for: ${alike ? IDENTICAL : TOLERANCE}`,
      `compared: ${found.compared} values in ${then.metrics.length} lines of metrics.jsonl and in ` +
      "summary.json, times left out",
      ...describeLargest("loss", loss),
      ...describeLargest("score", score),
      ...(first === undefined
        ? [alike ? "reproduced: all of them are identical" : "reproduced within what is asked for"]
        : [
          `first of ${found.differences.length} differences: ${showDifference(first)}`,
          alike && close.differences.length === 0
            ? NEARLY
            : "not reproduced: have code, data or model changed?",
        ]),
    ],
  };
}

const IDENTICAL = "identical numbers, as device, executor, processor and threads are the same";

const NEARLY = `not reproduced to the last digit, but to what would be asked for elsewhere ` +
  `(${TOLERANCE}): has the code changed, or is it another processor of that name?`;

function describeLargest(what: string, largest: Difference | undefined): string[] {
  if (largest === undefined || largest.then === largest.now) return [];
  return [`largest difference of a ${what}: ${showDifference(largest)}`];
}

const show = (value: unknown) => value === undefined ? "nothing" : JSON.stringify(value);

const showChange = ({ key, then, now }: EnvironmentDifference) =>
  `${key} ${show(then)} → ${show(now)}`;

const showDifference = ({ place, key, then, now }: Difference) =>
  `${place}, ${key}: ${show(then)} then, ${show(now)} now`;
