/**
 * `deno task torture`: kills runs, starves them, damages what they read, and says what came of it.
 * @module
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { readJson, writeFileAtomic } from "@/files.ts";
import { checkInterrupt } from "@/interrupt.ts";
import { stream } from "@/random.ts";
import { checkFinished, killRun, liveOnce, writeKillConfig } from "@/torture/kill_run.ts";
import { formatRecord, isGood, type Kill } from "@/torture/record.ts";
import { fillDisks, lockDisks } from "@/torture/starve_run.ts";
import { SUBJECTS } from "@/torture/subjects.ts";
import { type MutationTally, tryMutations } from "@/torture/try_mutations.ts";
import { type Options, parseWhole } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";
import { readEngineChoice, SET_ENGINE } from "./open_engine.ts";
import { createTerminalProgress } from "./progress.ts";

const OPTIONS = {
  kills: { type: "string", value: "N", help: "runs to kill", default: "100" },
  mutations: { type: "string", value: "N", help: "files of each kind to damage", default: "1000" },
  seed: { type: "string", value: "N", help: "seed of the random moments and damage", default: "1" },
  executor: { type: "string", value: "NAME", byDefault: "auto", help: "auto, onnx or native" },
  out: { type: "string", value: "FILE", help: "also write the results to a Markdown file" },
  set: SET_ENGINE,
} as const satisfies Options;

/** What the runs of this task are, and where. */
type Runs = {
  readonly root: string;
  readonly config: string;
  /** A run that nobody touched. */
  readonly whole: string;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
};

/** Kills runs, a line each; all so far go to `keep`. */
async function killRuns(
  { root, signal, ...runs }: Runs,
  { kills, seed, lastedMs, keep }: {
    readonly kills: number;
    readonly seed: number;
    readonly lastedMs: number;
    readonly keep: (done: readonly Kill[]) => Promise<void>;
  },
): Promise<readonly Kill[]> {
  console.log("kill  after   lines  checkpoints      the same in the end");
  const done: Kill[] = [];
  let longestMs = lastedMs;
  for (let i = 1; i <= kills; i++) {
    checkInterrupt(signal, () => `Torture was interrupted after ${i - 1} of ${kills} kills`);
    const dir = join(root, `run-${i}`), prng = stream(seed, "torture", i);
    const killed = await killRun(dir, { ...runs, kills: 1, longestMs, prng });
    longestMs = killed.longestMs;
    for (const { killMs, remains } of killed.lives) {
      const { begun, metricsLines, checkpoints } = remains;
      done.push({ killMs, remains, same: killed.same });
      const found = begun
        ? [String(metricsLines).padStart(5), checkpoints.join(" ").padEnd(15)]
        : ["    –", "not begun      "];
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

/** Damages files of each kind, a line each. */
async function damageFiles(
  { root, whole, signal }: Runs,
  { cases, seed }: { readonly cases: number; readonly seed: number },
): Promise<readonly MutationTally[]> {
  const tallies: MutationTally[] = [];
  const view = createTerminalProgress();
  for (const subject of SUBJECTS) {
    checkInterrupt(signal, () => `Torture was interrupted before damage to ${subject}`);
    const tally = await tryMutations(subject, {
      run: whole,
      folder: join(root, "damaged"),
      seed,
      cases,
      onCase: (done) => view.update({ done, total: cases, label: `damage ${subject}` }),
    });
    await view.finish();
    tallies.push(tally);
    const { right, refused, bad } = tally;
    console.log(`${subject}: ${refused} refused, ${right} right, ${bad.length} bad of ${cases}`);
    for (const { what, message } of bad) console.log(`  ${what}: ${message}`);
  }
  return tallies;
}

/** The task `torture`. */
export const TORTURE = {
  name: "torture",
  summary:
    "Injects faults: kills small training runs at random moments (SIGKILL) and compares them with a run " +
    "that was never killed; fills the disk or makes it read-only; damages tensors, " +
    "tables, tokenizers, configurations, checkpoints and the Hub's cache.",
  usage:
    "[--kills N] [--mutations N] [--seed N] [--executor NAME] [--out FILE] [--set KEY=VALUE …]",
  options: OPTIONS,
  stopsItself: true,
  async run({ values, signal }) {
    const kills = parseWhole("torture", "kills", values.kills);
    const cases = parseWhole("torture", "mutations", values.mutations);
    const seed = parseWhole("torture", "seed", values.seed);
    const nowMs = () => performance.now();
    const root = await Deno.makeTempDir({ prefix: "torture-" });
    try {
      const choice = readEngineChoice("torture", values.set);
      const executor = values.executor ?? choice.executor;
      const config = await writeKillConfig(root, { ...choice, executor });
      const runs: Runs = { root, config, whole: join(root, "whole"), nowMs, signal };
      checkFinished(await liveOnce(runs.whole, { config, killMs: null, nowMs }));
      // a second time, with all that the first one cached
      const timed = await liveOnce(join(root, "timed"), { config, killMs: null, nowMs });
      const { lastedMs } = timed;
      console.log(`a run never killed: ${(lastedMs / 1000).toFixed(1)} s`);
      const tallies = cases > 0 ? await damageFiles(runs, { cases, seed }) : [];
      const filled = await fillDisks(runs), locked = await lockDisks(runs);
      const starved = filled === null || locked === null ? null : [...filled, ...locked];
      for (const { what, said, good } of starved ?? []) {
        console.log(`${what}: ${good ? "ok" : "NOT AS IT MUST BE"}: ${said}`);
      }
      if (starved === null) console.log("disks of a given size cannot be made here: not tried");
      const where = await describeWhere(runs.whole);
      const compose = (kills: readonly Kill[]) => ({
        ...{ seed, where, lastedMs, kills, starved, tallies },
      });
      const { out } = values;
      // kept as it grows: an hour's work is not lost with its last minute
      const keep = async (kills: readonly Kill[]) => {
        if (out !== undefined) await writeFileAtomic(out, formatRecord(compose(kills)));
      };
      await keep([]);
      const killed = await killRuns(runs, { kills, seed, lastedMs, keep });
      console.log(`${killed.filter(({ same }) => same).length} of ${kills} the same`);
      return isGood(compose(killed));
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
} as const satisfies Task<typeof OPTIONS>;

/** Executor, system and processor in a few words. */
async function describeWhere(run: string): Promise<string> {
  const environment = await readJson(join(run, "environment.json"), "environment");
  const executor = typeof environment === "object" && environment !== null &&
      "executor" in environment
    ? environment.executor
    : "unknown";
  return `executor ${executor}, Deno ${Deno.version.deno}, ${Deno.build.os} ${Deno.build.arch}, ` +
    `${cpus()[0]?.model.trim() ?? "unknown processor"}`;
}

if (import.meta.main) await runTask(TORTURE);
