/**
 * Learning curve of a run: the same training on 25, 50 and 100 % of the rows, to say if more rows would help.
 * @module
 */
import { join } from "node:path";
import type { RunConfig } from "@/config/config.ts";
import { comparePredictions } from "@/eval/compare_runs.ts";
import type { Interval } from "@/statistics.ts";
import { type PredictionRecord, readPredictions } from "@/eval/prediction_record.ts";
import { isFile, readJson, writeFileAtomic } from "@/system/files.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { type TrainOptions, trainRun } from "@/train/train_run.ts";

/** Name of the file with the curve, and of the folder with the runs on fewer rows. */
export const LEARNING_CURVE_FILE = "learning_curve.json";
const FOLDER = "learning_curve";

/** Fractions of the training rows beside all of them. */
const SHARES = [0.25, 0.5] as const;

/** The learning curve of a task. */
export type LearningCurve = {
  readonly task: string;
  readonly measure: "accuracy" | "f1";
  /** Number of training rows, and score on validation with its 95 % interval, by ascending number of rows. */
  readonly points: readonly {
    readonly rows: number;
    readonly score: number;
    readonly interval: Interval;
  }[];
  /** Score with all rows minus score with half of them, with its 95 % interval by the paired bootstrap. */
  readonly difference: number;
  readonly interval: Interval;
};

/**
 * Trains a run as {@link trainRun} does, then the same number of steps on a quarter and on half of its training rows in the
 * subfolder `learning_curve`, and writes the curve. Runs of an earlier, interrupted call are resumed.
 */
export async function trainLearningCurve(
  config: RunConfig,
  options: TrainOptions,
): Promise<RunSummary> {
  const { out, onNote } = options;
  const summary = await trainRun(config, options);
  const folders = new Map<number, string>();
  for (const share of SHARES) {
    const dir = join(out, FOLDER, String(100 * share));
    folders.set(share, dir);
    onNote?.(`learning curve: ${100 * share} % of the training rows`);
    await trainRun({
      ...config,
      training: {
        ...config.training,
        epochs: config.training.epochs / share,
        maxSteps: summary.steps,
      },
      data: {
        ...config.data,
        trainShare: share * config.data.trainShare,
        scoreTest: false,
        baselines: false,
      },
    }, { ...options, out: dir, resume: await isFile(join(dir, "config.json")) });
  }
  const curves = await composeCurves([...folders.values()], out);
  await writeFileAtomic(join(out, LEARNING_CURVE_FILE), `${JSON.stringify(curves, null, 2)}\n`);
  return summary;
}

/** Composes the curve of each task from the runs in `smaller` (ascending) and the run `full`. */
async function composeCurves(
  smaller: readonly string[],
  full: string,
): Promise<readonly LearningCurve[]> {
  const runs: { readonly summary: RunSummary; readonly records: readonly PredictionRecord[] }[] =
    [];
  for (const dir of [...smaller, full]) {
    const summary = await readJson(join(dir, "summary.json"), "summary") as RunSummary;
    const records = (await readPredictions(dir)).filter(({ split }) => split === "validation");
    runs.push({ summary, records });
  }
  const half = runs.at(-2), all = runs.at(-1);
  return (all?.records ?? []).flatMap((record) => {
    const { task, kind } = record;
    const measure = kind === "classification" ? "accuracy" : "f1";
    const other = half?.records.find((each) => each.task === task);
    if (other === undefined) return [];
    const found = comparePredictions(other, record).find((each) => each.measure === measure);
    if (found === undefined) return [];
    const points = runs.flatMap(({ summary }) => {
      const scores = summary.scores[task]?.validation;
      return scores === undefined ? [] : [{
        rows: summary.data[task]?.train ?? 0,
        score: "accuracy" in scores ? scores.accuracy : scores.f1,
        interval: scores.interval,
      }];
    });
    return [{ task, measure, points, difference: found.difference, interval: found.interval }];
  });
}
