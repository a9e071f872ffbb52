/**
 * The folder of a run while it is being written. A reader never sees half a file; `metrics.jsonl` alone
 * grows line by line and is cut back to a known number of lines when a run is taken up again.
 * @module
 */
import { basename, join, resolve } from "node:path";
import {
  explainWriteError,
  isFile,
  isPartial,
  readText,
  removePartials,
  writeFileAtomic,
} from "@/files.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";

/** A line of `metrics.jsonl`, written every so many steps. */
export type TrainLine = {
  readonly kind: "train";
  /** Steps done. */
  readonly step: number;
  /** Epochs done, with fractions. */
  readonly epoch: number;
  /** Mean loss a counted label by task, over the steps since the line before. */
  readonly losses: Readonly<Record<string, number>>;
  /** Mean of the global norm before clipping, over the same steps but those skipped; 0 where all were. */
  readonly gradientNorm: number;
  /** The schedule's factor of the peak rates at this step. */
  readonly rate: number;
  /** Word pieces seen since the run began, padding not counted. */
  readonly tokens: number;
  /** Seconds spent training since the run began. */
  readonly seconds: number;
  /** Of `mixed-float16`: the loss scale of the next step. */
  readonly lossScale?: number;
  /** Of `mixed-float16`: steps since the run began that were skipped, as a gradient was not finite. */
  readonly skipped?: number;
  /** Of learned loss weights: log σ² by task. */
  readonly logVariances?: Readonly<Record<string, number>>;
};

/** A line of `metrics.jsonl` on an evaluation. */
export type EvaluateLine = {
  readonly kind: "evaluate";
  readonly step: number;
  readonly split: string;
  readonly scores: Readonly<Record<string, TaskScores>>;
  /** Seconds that this evaluation took. */
  readonly seconds: number;
};

/** What goes into `metrics.jsonl`. */
export type MetricsLine = TrainLine | EvaluateLine;

/** A run's folder, open for writing. */
export type RunFolder = {
  readonly dir: string;
  /** Its last part: what the run is called. */
  readonly name: string;
  /** Where something of the run is. */
  path(...parts: readonly string[]): string;
  /** Lines of `metrics.jsonl` so far. */
  metricsLines(): number;
  appendMetrics(line: MetricsLine): Promise<void>;
  /** Cuts `metrics.jsonl` back to its first `lines` lines. */
  truncateMetrics(lines: number): Promise<void>;
  /** Writes a JSON file, whole or not at all. */
  writeJson(name: string, value: unknown): Promise<void>;
};

/** A folder for a new run: the first of `outputs/PRESET`, `outputs/PRESET-2`, … that does not exist. */
export async function chooseRunFolder(preset: string): Promise<string> {
  for (let i = 1;; i++) {
    const dir = join("outputs", i === 1 ? preset : `${preset}-${i}`);
    try {
      await Deno.lstat(dir);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return dir;
      throw error;
    }
  }
}

/**
 * Opens the folder of a new run, which is made with the first file in it.
 *
 * @throws {Deno.errors.AlreadyExists} where there is something in it already
 */
export async function createRunFolder(dir: string): Promise<RunFolder> {
  try {
    for await (const { name } of Deno.readDir(dir)) {
      if (isPartial(name)) continue; // of a start that was killed
      throw new Deno.errors.AlreadyExists(
        `Cannot start run as ${dir} must be empty: it holds ${name}; choose another --out, or go on ` +
          `with --resume ${dir}`,
      );
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw new Deno.errors.AlreadyExists(
        `Cannot start run as ${dir} must be a folder: there is a file of that name`,
      );
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return openFolder(dir, 0);
}

/** Opens the folder of a run to go on with it. */
export async function openRunFolder(dir: string): Promise<RunFolder> {
  if (!await isFile(join(dir, "config.json"))) {
    throw new Deno.errors.NotFound(
      `Cannot resume run as ${dir} must hold config.json: it is not the folder of a run`,
    );
  }
  await removePartials(dir);
  return openFolder(dir, (await readMetricsText(dir)).split("\n").length - 1);
}

/** `metrics.jsonl` as it stands; empty where there is none yet. */
async function readMetricsText(dir: string): Promise<string> {
  const path = join(dir, "metrics.jsonl");
  return await isFile(path) ? await readText(path, "metrics") : "";
}

function openFolder(dir: string, known: number): RunFolder {
  let lines = known;
  const metrics = join(dir, "metrics.jsonl");
  return {
    dir,
    name: basename(resolve(dir)),
    path: (...parts) => join(dir, ...parts),
    metricsLines: () => lines,
    async appendMetrics(line) {
      try {
        await Deno.writeTextFile(metrics, JSON.stringify(line) + "\n", { append: true });
      } catch (error) {
        throw explainWriteError(metrics, error);
      }
      lines++;
    },
    async truncateMetrics(wanted) {
      const kept = (await readMetricsText(dir)).split("\n").slice(0, -1).slice(0, wanted);
      if (kept.length < wanted) {
        throw new RangeError(
          `Cannot resume run as ${metrics} must have ${wanted} lines: current number is ${kept.length}`,
        );
      }
      await writeFileAtomic(metrics, kept.map((line) => line + "\n").join(""));
      lines = wanted;
    },
    writeJson: (name, value) =>
      writeFileAtomic(join(dir, name), JSON.stringify(value, null, 2) + "\n"),
  };
}
