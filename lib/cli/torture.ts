/**
 * `deno task torture`: kills training runs at random moments and compares what they come to.
 * @module
 */
import { join } from "node:path";
import { stream } from "@/random.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";
import {
  checkFinished,
  killRun,
  liveOnce,
  readTimelessMetrics,
  writeKillConfig,
} from "./kill_run.ts";
import { readEngineChoice, SET_ENGINE } from "./open_engine.ts";

const OPTIONS = {
  kills: { type: "string", value: "N", help: "runs to kill, by default 20" },
  seed: { type: "string", value: "N", help: "of the moments, by default 1" },
  executor: { type: "string", value: "NAME", help: "auto, onnx or native, by default auto" },
  set: SET_ENGINE,
} as const satisfies Options;

/** A whole number given by an option. */
function readWhole(value: string | undefined, name: string, fallback: number): number {
  if (value === undefined) return fallback;
  if (/^\d+$/.test(value)) return Number(value);
  throw new RangeError(
    `Cannot run torture as --${name} must be a whole number: current value is ${value}`,
  );
}

/** The task `torture`. */
export const TORTURE = {
  name: "torture",
  summary:
    "Kills small training runs (SIGKILL) at random moments, takes each up again and compares it with " +
    "a run never killed; each line is a kill.",
  usage: "[--kills N] [--seed N] [--executor NAME] [--set KEY=VALUE …]",
  options: OPTIONS,
  async run({ values }) {
    const kills = readWhole(values.kills, "kills", 20), seed = readWhole(values.seed, "seed", 1);
    const nowMs = () => performance.now();
    const root = await Deno.makeTempDir({ prefix: "torture-" });
    try {
      const choice = readEngineChoice("torture", values.set);
      const config = await writeKillConfig(root, {
        ...choice,
        executor: values.executor ?? choice.executor,
      });
      const whole = join(root, "whole");
      checkFinished(await liveOnce(whole, { config, killMs: null, nowMs }));
      let { lastedMs: longestMs } = await liveOnce(join(root, "timed"), {
        config,
        killMs: null,
        nowMs,
      }); // a second time, with all that the first one cached
      const lines = (await readTimelessMetrics(whole)).split("\n").length - 1;
      console.log(
        `a run never killed: ${(longestMs / 1000).toFixed(1)} s, ${lines} lines of metrics`,
      );
      console.log("kill  after   lines  checkpoints      the same in the end");
      let differing = 0;
      for (let i = 1; i <= kills; i++) {
        const killed = await killRun(join(root, `run-${i}`), {
          config,
          whole,
          kills: 1,
          longestMs,
          prng: stream(seed, "torture", i),
          nowMs,
        });
        const { lives: [life], same } = killed;
        longestMs = killed.longestMs;
        if (!same) differing++;
        const { killMs = 0, remains } = life ?? {};
        const found = remains?.begun
          ? [String(remains.metricsLines).padStart(5), remains.checkpoints.join(" ").padEnd(15)]
          : ["    –", "not begun      "];
        const after = `${(killMs / 1000).toFixed(2)} s`.padStart(7);
        console.log(
          `${String(i).padStart(4)} ${after}  ${found.join("  ")}  ${same ? "yes" : "NO"}`,
        );
      }
      console.log(`${kills - differing} of ${kills} the same`);
      return differing === 0;
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(TORTURE);
