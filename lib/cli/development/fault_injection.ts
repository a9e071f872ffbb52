/**
 * `deno task fault-injection`: kills runs, fills disks, damages files, and reports the outcomes.
 * @module
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { readJson, writeFileAtomic } from "@/system/files.ts";
import { checkInterrupt } from "@/system/interrupt.ts";
import { stream } from "@/random.ts";
import {
  checkFinished,
  killRun,
  trainOnce,
  writeRunConfig,
} from "@/development/fault_injection/kill_run.ts";
import {
  formatFaultReport,
  isGood,
  type Kill,
} from "@/development/fault_injection/fault_report.ts";
import { fillDisks, lockDisks } from "@/development/fault_injection/disk_faults.ts";
import { SUBJECTS } from "@/development/fault_injection/subjects.ts";
import { type MutationTally, tryMutations } from "@/development/fault_injection/try_mutations.ts";
import { type Options, parseInteger } from "../arguments.ts";
import { runTask, type Task } from "../run_task.ts";
import { readEngineChoice, SET_ENGINE } from "../open_engine.ts";
import { createTerminalProgress } from "../terminal_progress.ts";

const OPTIONS = {
  kills: { type: "string", value: "N", help: "number of runs to kill", default: "100" },
  mutations: {
    type: "string",
    value: "N",
    help: "number of files to damage per kind",
    default: "1000",
  },
  seed: { type: "string", value: "N", help: "seed of the random times and damage", default: "1" },
  executor: { type: "string", value: "NAME", byDefault: "auto", help: "auto, onnx or native" },
  out: { type: "string", value: "FILE", help: "also write the results to a Markdown file" },
  set: SET_ENGINE,
} as const satisfies Options;

/** Folders and settings of the runs. */
type Runs = {
  readonly root: string;
  readonly config: string;
  /** Folder of a run without faults. */
  readonly reference: string;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
};

/** Kills runs and prints one line per run. Passes all results so far to `keep`. */
async function killRuns(
  { root, signal, ...runs }: Runs,
  { kills, seed, durationMs, keep }: {
    readonly kills: number;
    readonly seed: number;
    readonly durationMs: number;
    readonly keep: (done: readonly Kill[]) => Promise<void>;
  },
): Promise<readonly Kill[]> {
  console.log("kill  after   lines  checkpoints      same result");
  const done: Kill[] = [];
  let longestMs = durationMs;
  for (let i = 1; i <= kills; i++) {
    checkInterrupt(
      signal,
      () => `Fault injection was interrupted after ${i - 1} of ${kills} kills`,
    );
    const dir = join(root, `run-${i}`), prng = stream(seed, "fault-injection", i);
    const killed = await killRun(dir, { ...runs, kills: 1, longestMs, prng });
    longestMs = killed.longestMs;
    for (const { killMs, state } of killed.interruptions) {
      const { started, metricsLines, checkpoints } = state;
      done.push({ killMs, state, same: killed.same });
      const found = started
        ? [String(metricsLines).padStart(5), checkpoints.join(" ").padEnd(15)]
        : ["    –", "not started    "];
      const after = `${(killMs / 1000).toFixed(2)} s`.padStart(7);
      console.log(
        `${String(i).padStart(4)} ${after}  ${found.join("  ")}  ${killed.same ? "yes" : "NO"}`,
      );
    }
    await Deno.remove(dir, { recursive: true });
    await keep(done);
  }
  return done;
}

/** Damages files of each kind and prints one line per kind. */
async function damageFiles(
  { root, reference, signal }: Runs,
  { cases, seed }: { readonly cases: number; readonly seed: number },
): Promise<readonly MutationTally[]> {
  const tallies: MutationTally[] = [];
  const view = createTerminalProgress();
  for (const subject of SUBJECTS) {
    checkInterrupt(signal, () => `Fault injection was interrupted before damage to ${subject}`);
    const tally = await tryMutations(subject, {
      run: reference,
      folder: join(root, "damaged"),
      seed,
      cases,
      onCase: (done) => view.update({ done, total: cases, label: `damage ${subject}` }),
    });
    await view.finish();
    tallies.push(tally);
    const { correct, refused, bad } = tally;
    console.log(
      `${subject}: ${refused} rejected, ${correct} correct, ${bad.length} failed of ${cases}`,
    );
    for (const { what, message } of bad) console.log(`  ${what}: ${message}`);
  }
  return tallies;
}

/** The task `fault-injection`. */
const FAULT_INJECTION = {
  name: "fault-injection",
  summary:
    "Fault injection: kills small training runs at random times (SIGKILL) and compares the results with those " +
    "of an undisturbed run; fills the disk or makes it read-only; damages tensors, tables, tokenizers, " +
    "configurations, checkpoints and the cache of Hub downloads.",
  usage:
    "[--kills N] [--mutations N] [--seed N] [--executor NAME] [--out FILE] [--set KEY=VALUE …]",
  options: OPTIONS,
  stopsItself: true,
  async run({ values, signal }) {
    const kills = parseInteger("fault-injection", "kills", values.kills);
    const cases = parseInteger("fault-injection", "mutations", values.mutations);
    const seed = parseInteger("fault-injection", "seed", values.seed);
    const nowMs = () => performance.now();
    const root = await Deno.makeTempDir({ prefix: "fault-injection-" });
    try {
      const choice = readEngineChoice("fault-injection", values.set);
      const executor = values.executor ?? choice.executor;
      const config = await writeRunConfig(root, { ...choice, executor });
      const runs: Runs = { root, config, reference: join(root, "reference"), nowMs, signal };
      checkFinished(await trainOnce(runs.reference, { config, killMs: null, nowMs }));
      // timed with a warm cache
      const timed = await trainOnce(join(root, "timed"), { config, killMs: null, nowMs });
      const { durationMs } = timed;
      console.log(`duration of an uninterrupted run: ${(durationMs / 1000).toFixed(1)} s`);
      const tallies = cases > 0 ? await damageFiles(runs, { cases, seed }) : [];
      const filled = await fillDisks(runs), locked = await lockDisks(runs);
      const diskFaults = filled === null || locked === null ? null : [...filled, ...locked];
      for (const { what, error, good } of diskFaults ?? []) {
        console.log(`${what}: ${good ? "ok" : "FAILED"}: ${error}`);
      }
      if (diskFaults === null) {
        console.log(
          "full disks are not tried: file systems of a given size cannot be created here",
        );
      }
      const where = await describeWhere(runs.reference);
      const compose = (kills: readonly Kill[]) => ({
        ...{ seed, where, durationMs, kills, diskFaults, tallies },
      });
      const { out } = values;
      // written after each run, so that an interruption loses nothing
      const keep = async (kills: readonly Kill[]) => {
        if (out !== undefined) await writeFileAtomic(out, formatFaultReport(compose(kills)));
      };
      await keep([]);
      const killed = await killRuns(runs, { kills, seed, durationMs, keep });
      console.log(`${killed.filter(({ same }) => same).length} of ${kills} with the same result`);
      return isGood(compose(killed));
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
} as const satisfies Task<typeof OPTIONS>;

/** Executor, system and processor as text. */
async function describeWhere(run: string): Promise<string> {
  const environment = await readJson(join(run, "environment.json"), "environment");
  const executor = typeof environment === "object" && environment !== null &&
      "executor" in environment
    ? environment.executor
    : "unknown";
  return `executor ${executor}, Deno ${Deno.version.deno}, ${Deno.build.os} ${Deno.build.arch}, ` +
    `${cpus()[0]?.model.trim() ?? "unknown processor"}`;
}

if (import.meta.main) await runTask(FAULT_INJECTION);
