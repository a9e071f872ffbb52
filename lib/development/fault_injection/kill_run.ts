/**
 * Kills runs of `deno task train` (SIGKILL), resumes them in a new process, and compares the results with a
 * run that was never killed.
 * @module
 */
import { dirname, join } from "node:path";
import { isFile, readText, writeFileAtomic } from "@/system/files.ts";
import type { ModelConfig } from "@/config/config.ts";
import type { Prng } from "@/random.ts";
import { trainCommand } from "@/system/train_command.ts";

/** A model so small that training it takes seconds. */
export const TINY_MODEL = {
  fresh: {
    hiddenSize: 8,
    layers: 1,
    attentionHeads: 2,
    intermediateSize: 8,
    vocabularySize: 250,
    maxPositions: 48,
  },
  maxLength: 48,
} as const satisfies Partial<ModelConfig>;

/** A small run that uses every feature whose state a checkpoint must save. */
export const KILL_CONFIG = {
  preset: "quickstart",
  precision: "mixed-float16",
  model: TINY_MODEL,
  training: {
    maxSteps: 60,
    epochs: 100,
    mixing: "annealed",
    lossWeights: "uncertainty",
    batchRows: 4,
    accumulate: 2,
    lengths: [24, 48],
    unfreezeEvery: 15,
    lossScale: { initial: 2 ** 26, growth: 2, backoff: 0.5, interval: 7 },
    logEvery: 1,
    evaluateEvery: 6,
    checkpointEvery: 4,
    keepCheckpoints: 2,
    earlyStopping: { metric: "mean", patience: null, minDelta: 0 },
  },
  data: { maxRows: 16, validationRows: 16 },
};

/** Result of one process that trains a run. */
export type TrainProcess = {
  /** Duration of the process. */
  readonly durationMs: number;
  readonly killed: boolean;
  readonly exitCode: number;
  readonly errors: string;
};

/** State of a run's folder after a kill. */
export type RunState = {
  /** True if there is a run to resume. */
  readonly started: boolean;
  readonly metricsLines: number;
  /** Steps that have a checkpoint, in ascending order. */
  readonly checkpoints: readonly number[];
};

/** Options of {@link trainOnce}. */
export type TrainOptions = {
  /** Path of a configuration file. */
  readonly config: string;
  readonly killMs: number | null;
  readonly nowMs: () => number;
  /** Command to run the training command through, such as one that drops privileges. */
  readonly through?: readonly string[];
};

/** Starts or resumes a run in `dir` and kills it after `killMs`; null to let it finish. */
export async function trainOnce(
  dir: string,
  { config, killMs, nowMs, through = [] }: TrainOptions,
): Promise<TrainProcess> {
  const [program = "", ...args] = [...through, ...await trainCommand(dir, config)];
  const startMs = nowMs();
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    // The cache survives kills too, and must still work for later processes.
    env: { NO_COLOR: "1", STX_CACHE: join(dirname(config), "cache") },
  }).spawn();
  let killed = false;
  const timer = killMs === null ? undefined : setTimeout(() => {
    killed = true;
    child.kill("SIGKILL");
  }, killMs);
  const { code, stderr } = await child.output();
  clearTimeout(timer);
  return {
    durationMs: nowMs() - startMs,
    killed: killed && code !== 0, // the run may have finished before the kill
    exitCode: code,
    errors: new TextDecoder().decode(stderr),
  };
}

/** Inspects the folder of a run. */
export async function inspectRun(dir: string): Promise<RunState> {
  const metrics = join(dir, "metrics.jsonl");
  const checkpoints: number[] = [];
  try {
    for await (const { name } of Deno.readDir(join(dir, "checkpoint"))) {
      const step = /^step-(\d+)\.json$/.exec(name)?.[1];
      if (step !== undefined) checkpoints.push(Number(step));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return {
    started: await isFile(join(dir, "config.json")),
    metricsLines: await isFile(metrics)
      ? (await readText(metrics, "metrics")).split("\n").length - 1
      : 0,
    checkpoints: checkpoints.sort((a, b) => a - b),
  };
}

/** `metrics.jsonl` without its times; must be byte-identical across runs of the same configuration. */
export async function readMetricsWithoutTimes(dir: string): Promise<string> {
  const text = await readText(join(dir, "metrics.jsonl"), "metrics");
  return text.replace(/"seconds":[^,}]+/g, '"seconds":0');
}

/** A run that was killed several times and then finished. */
export type KilledRun = {
  readonly interruptions: readonly { readonly killMs: number; readonly state: RunState }[];
  /** True if metrics (except times) and weights are byte-identical to those of the reference run. */
  readonly same: boolean;
  /** Current estimate of the duration of an uninterrupted run. */
  readonly longestMs: number;
};

/**
 * Kills the run in `dir` `kills` times, each after a random time up to `longestMs`, lets it finish, and compares
 * it with the reference. If a run finishes before its first kill, `longestMs` was too long for this
 * machine, and the run starts again.
 */
export async function killRun(
  dir: string,
  { config, reference, kills, longestMs, prng, nowMs }: {
    readonly config: string;
    /** Folder of a run that was never killed. */
    readonly reference: string;
    readonly kills: number;
    readonly longestMs: number;
    readonly prng: Prng;
    readonly nowMs: () => number;
  },
): Promise<KilledRun> {
  const interruptions: { killMs: number; state: RunState }[] = [];
  let shortestMs = longestMs;
  while (interruptions.length < kills) {
    const killMs = prng.uniform() * shortestMs;
    const process = await trainOnce(dir, { config, killMs, nowMs });
    if (process.killed) {
      interruptions.push({ killMs, state: await inspectRun(dir) });
      continue;
    }
    checkFinished(process);
    shortestMs = Math.min(shortestMs, process.durationMs);
    if (interruptions.length === 0) await Deno.remove(dir, { recursive: true });
  }
  const last = await trainOnce(dir, { config, killMs: null, nowMs });
  checkFinished(last);
  // If the run had to start again from scratch, its duration shows whether the machine has become slower.
  const started = interruptions.at(-1)?.state.started ?? true;
  return {
    interruptions,
    same: await isSameRun(dir, reference),
    longestMs: started ? shortestMs : Math.max(shortestMs, last.durationMs),
  };
}

/** True if metrics (except times) and weights of two finished runs are byte-identical. */
export async function isSameRun(one: string, other: string): Promise<boolean> {
  const weights = (run: string) => Deno.readFile(join(run, "model", "model.safetensors"));
  const [a, b] = [await weights(one), await weights(other)];
  return await readMetricsWithoutTimes(one) === await readMetricsWithoutTimes(other) &&
    a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Throws if a process that was not killed has failed. */
export function checkFinished({ exitCode, errors }: TrainProcess): void {
  if (exitCode === 0) return;
  throw new Error(`Cannot continue: the run failed with exit code ${exitCode}: ${errors}`);
}

/** Writes the configuration of killed runs into a folder. Returns its path. */
export async function writeRunConfig(
  root: string,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const path = join(root, "killed.json");
  await writeFileAtomic(path, JSON.stringify({ ...KILL_CONFIG, ...overrides }));
  return path;
}
