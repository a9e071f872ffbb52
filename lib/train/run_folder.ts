/**
 * The run folder during training. All files are written atomically, except `metrics.jsonl`, which grows line by line.
 * When a run is resumed, `metrics.jsonl` is truncated to the lines before the checkpoint.
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
} from "@/system/files.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";

/** A line of training metrics in `metrics.jsonl`, written every `training.logEvery` steps. */
export type TrainLine = {
  /** Distinguishes it from {@link EvaluateLine}. */
  readonly kind: "train";
  /** Number of completed steps. */
  readonly step: number;
  /** Number of completed epochs, fractional. */
  readonly epoch: number;
  /** Mean loss per label, by task, over the steps since the previous line. */
  readonly losses: Readonly<Record<string, number>>;
  /** Mean global gradient norm before clipping over these steps, without skipped steps; 0 if all were skipped. */
  readonly gradientNorm: number;
  /** The schedule's factor on the peak learning rates at this step. */
  readonly rate: number;
  /** Tokens processed since the run started, without padding. */
  readonly tokens: number;
  /** Seconds of training since the run started. */
  readonly seconds: number;
  /** Only with `mixed-float16`: the loss scale of the next step. */
  readonly lossScale?: number;
  /** Only with `mixed-float16`: number of steps skipped so far because of non-finite gradients. */
  readonly skipped?: number;
  /** Only with learned loss weights: log σ² by task. */
  readonly logVariances?: Readonly<Record<string, number>>;
};

/** A line of evaluation scores in `metrics.jsonl`. */
export type EvaluateLine = {
  /** Distinguishes it from {@link TrainLine}. */
  readonly kind: "evaluate";
  /** Number of completed steps. */
  readonly step: number;
  /** The split that was scored. */
  readonly split: string;
  /** Scores by task. */
  readonly scores: Readonly<Record<string, TaskScores>>;
  /** Duration of this evaluation in seconds. */
  readonly seconds: number;
};

/** A line of `metrics.jsonl`. */
export type MetricsLine = TrainLine | EvaluateLine;

/** A run folder that is open for writing. */
export type RunFolder = {
  readonly dir: string;
  /** Name of the run: the last component of the path. */
  readonly name: string;
  /** Path of a file in the folder. */
  path(...parts: readonly string[]): string;
  /** Number of lines in `metrics.jsonl`. */
  metricsLines(): number;
  appendMetrics(line: MetricsLine): Promise<void>;
  /** Truncates `metrics.jsonl` to its first `lines` lines. */
  truncateMetrics(lines: number): Promise<void>;
  /** Writes a JSON file atomically. */
  writeJson(name: string, value: unknown): Promise<void>;
};

/** Finds a folder for a new run: the first of `outputs/PRESET`, `outputs/PRESET-2`, … that does not exist. */
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
 * Opens the folder of a new run. The folder is created when the first file is written.
 *
 * @throws {Deno.errors.AlreadyExists} if it is not empty
 */
export async function createRunFolder(dir: string): Promise<RunFolder> {
  try {
    for await (const { name } of Deno.readDir(dir)) {
      if (isPartial(name)) continue; // left over from a start that was killed
      throw new Deno.errors.AlreadyExists(
        `Cannot start run: ${dir} is not empty (it contains ${name}); choose another --out, or ` +
          `continue the run with --resume ${dir}`,
      );
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) {
      throw new Deno.errors.AlreadyExists(
        `Cannot start run: ${dir} is a file, not a folder; choose another --out`,
      );
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return openFolder(dir, 0);
}

/**
 * Opens the folder of a run to resume it.
 *
 * @throws {Deno.errors.NotFound} if it has no `config.json`
 */
export async function openRunFolder(dir: string): Promise<RunFolder> {
  if (!await isFile(join(dir, "config.json"))) {
    throw new Deno.errors.NotFound(
      `Cannot resume run: ${dir} is not a run folder, it has no config.json`,
    );
  }
  await removePartials(dir);
  return openFolder(dir, (await readMetricsText(dir)).split("\n").length - 1);
}

/** Content of `metrics.jsonl`; empty if the file does not exist. */
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
          `Cannot resume run: ${metrics} has ${kept.length} lines, but had ${wanted} at the checkpoint`,
        );
      }
      await writeFileAtomic(metrics, kept.map((line) => line + "\n").join(""));
      lines = wanted;
    },
    writeJson: (name, value) =>
      writeFileAtomic(join(dir, name), JSON.stringify(value, null, 2) + "\n"),
  };
}
