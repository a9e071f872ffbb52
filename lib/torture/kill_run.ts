/**
 * Runs of `deno task train` in processes that are killed (SIGKILL) and taken up again, and what is left of
 * them compared with a run that never was.
 * @module
 */
import { dirname, join } from "node:path";
import { isFile, readText, writeFileAtomic } from "@/files.ts";
import type { ModelConfig } from "@/config.ts";
import type { Prng } from "@/random.ts";
import { trainCommand } from "@/train_command.ts";

/** A model so small that a run of it takes seconds. */
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

/** A small run that uses whatever a checkpoint must remember. */
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

/** How one life of a run ended. */
export type Life = {
  /** Milliseconds from its start to its end. */
  readonly lastedMs: number;
  readonly killed: boolean;
  readonly exitCode: number;
  readonly errors: string;
};

/** What a killed run had come to. */
export type Remains = {
  /** Whether there was a run to go on with at all. */
  readonly begun: boolean;
  readonly metricsLines: number;
  /** Steps of the checkpoints. */
  readonly checkpoints: readonly number[];
};

/** How a run is started. */
export type LifeOptions = {
  /** A file. */
  readonly config: string;
  readonly killMs: number | null;
  readonly nowMs: () => number;
  /** A command that the run's own is handed to, such as one that takes rights away. */
  readonly through?: readonly string[];
};

/** Starts a run in `dir`, or goes on with it, and kills it after `killMs`; null: it may finish. */
export async function liveOnce(
  dir: string,
  { config, killMs, nowMs, through = [] }: LifeOptions,
): Promise<Life> {
  const [program = "", ...args] = [...through, ...await trainCommand(dir, config)];
  const startMs = nowMs();
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    // What is cached survives a kill as well, and must serve those that come after.
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
    lastedMs: nowMs() - startMs,
    killed: killed && code !== 0, // it may have finished first
    exitCode: code,
    errors: new TextDecoder().decode(stderr),
  };
}

/** What there is in a run's folder. */
export async function inspectRemains(dir: string): Promise<Remains> {
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
    begun: await isFile(join(dir, "config.json")),
    metricsLines: await isFile(metrics)
      ? (await readText(metrics, "metrics")).split("\n").length - 1
      : 0,
    checkpoints: checkpoints.sort((a, b) => a - b),
  };
}

/** `metrics.jsonl` without its times: what must be the same bytes, run for run. */
export async function readTimelessMetrics(dir: string): Promise<string> {
  const text = await readText(join(dir, "metrics.jsonl"), "metrics");
  return text.replace(/"seconds":[^,}]+/g, '"seconds":0');
}

/** A run killed some times and then finished, beside one that never was. */
export type KilledRun = {
  readonly lives: readonly { readonly killMs: number; readonly remains: Remains }[];
  /** Whether metrics (but for times) and weights are the same bytes as the other run's. */
  readonly same: boolean;
  /** How long a run lasts, as far as is known. */
  readonly longestMs: number;
};

/**
 * Kills the run in `dir` at `kills` moments, drawn up to `longestMs`, lets it finish, and compares. A run
 * that finishes before it is killed begins anew: the machine has become quicker.
 */
export async function killRun(
  dir: string,
  { config, whole, kills, longestMs, prng, nowMs }: {
    readonly config: string;
    /** Folder of the run that was never killed. */
    readonly whole: string;
    readonly kills: number;
    readonly longestMs: number;
    readonly prng: Prng;
    readonly nowMs: () => number;
  },
): Promise<KilledRun> {
  const lives: { killMs: number; remains: Remains }[] = [];
  let shortestMs = longestMs;
  while (lives.length < kills) {
    const killMs = prng.uniform() * shortestMs;
    const life = await liveOnce(dir, { config, killMs, nowMs });
    if (life.killed) {
      lives.push({ killMs, remains: await inspectRemains(dir) });
      continue;
    }
    checkFinished(life);
    shortestMs = Math.min(shortestMs, life.lastedMs);
    if (lives.length === 0) await Deno.remove(dir, { recursive: true });
  }
  const last = await liveOnce(dir, { config, killMs: null, nowMs });
  checkFinished(last);
  // One that had to begin anew shows how long a run lasts now, should the machine have become slower.
  const begun = lives.at(-1)?.remains.begun ?? true;
  return {
    lives,
    same: await isSameRun(dir, whole),
    longestMs: begun ? shortestMs : Math.max(shortestMs, last.lastedMs),
  };
}

/** Whether metrics (but for times) and weights of two finished runs are the same bytes. */
export async function isSameRun(one: string, other: string): Promise<boolean> {
  const weights = (run: string) => Deno.readFile(join(run, "model", "model.safetensors"));
  const [a, b] = [await weights(one), await weights(other)];
  return await readTimelessMetrics(one) === await readTimelessMetrics(other) &&
    a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** A life that was not ended from outside must have ended well. */
export function checkFinished({ exitCode, errors }: Life): void {
  if (exitCode === 0) return;
  throw new Error(`Cannot go on as the run must end well: it ended with ${exitCode}: ${errors}`);
}

/** Writes the configuration of killed runs into a folder and gives its path. */
export async function writeKillConfig(
  root: string,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const path = join(root, "killed.json");
  await writeFileAtomic(path, JSON.stringify({ ...KILL_CONFIG, ...overrides }));
  return path;
}
