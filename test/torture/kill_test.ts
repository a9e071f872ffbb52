/** Runs in processes of their own that are killed, starved of room, or refused a folder. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { stream } from "@/random.ts";
import {
  checkFinished,
  inspectRemains,
  killRun,
  liveOnce,
  readTimelessMetrics,
  writeKillConfig,
} from "@/torture/kill_run.ts";

const nowMs = () => performance.now();
const root = await Deno.makeTempDir({ prefix: "kill-" });
globalThis.addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
const config = await writeKillConfig(root, {
  executor: "onnx",
  native: { isa: null, threads: 2 },
});
const whole = join(root, "whole");
/** How long a run lasts here, once the first one has filled what is cached. */
let lastedMs = 4000;

Deno.test("two processes with the same configuration write the same metrics but for times", async () => {
  checkFinished(await liveOnce(whole, { config, killMs: null, nowMs }));
  const again = join(root, "again");
  const life = await liveOnce(again, { config, killMs: null, nowMs });
  checkFinished(life);
  lastedMs = life.lastedMs;
  const metrics = await readTimelessMetrics(whole);
  strictEqual(await readTimelessMetrics(again), metrics);
  const lines = metrics.trimEnd().split("\n").map((line) => JSON.parse(line));
  strictEqual(lines.filter(({ kind }) => kind === "train").length, 60);
  const last = lines.filter(({ kind }) => kind === "train").at(-1);
  ok(last.skipped > 0 && last.skipped < 60, `premise: the loss scale skips steps: ${last.skipped}`);
  deepStrictEqual(Object.keys(last.logVariances), ["ag_news", "conll2003"]);
  ok(Object.values(last.logVariances).every((value) => value !== 0), "premise: they are learned");
});

Deno.test("a run killed at four random moments ends with the bytes of one never killed", async () => {
  const prng = stream(20, "kill test");
  const { lives, same } = await killRun(join(root, "killed"), {
    config,
    whole,
    kills: 4,
    longestMs: lastedMs,
    prng,
    nowMs,
  });
  strictEqual(lives.length, 4);
  ok(same, `the moments: ${lives.map(({ killMs }) => killMs.toFixed(0)).join(", ")} ms`);
});

/** Starts a run, or goes on with it, by a shell: `start` is what comes before the command. */
async function startRun(start: string, dir: string) {
  const through = ["/bin/sh", "-c", `${start} "$0" "$@"`];
  const { exitCode, errors } = await liveOnce(dir, { config, killMs: null, nowMs, through });
  return { code: exitCode, error: errors.trim().split("\n").at(-1) ?? "" };
}

/** Files may have 24 blocks of 512 bytes: less than a checkpoint or the metrics of a whole run. */
const NO_ROOM = "trap '' XFSZ; ulimit -f 24; exec";

/** There is no such shell. */
const ignore = Deno.build.os === "windows";

Deno.test(
  "a run that finds no room names the file, and goes on once there is",
  { ignore },
  async () => {
    const dir = join(root, "full");
    const { code, error } = await startRun(NO_ROOM, dir);
    strictEqual(code, 1);
    strictEqual(
      error,
      `error: Cannot write ${
        join(dir, "checkpoint", "step-4.safetensors")
      } as there must be room ` +
        "and permission to: File too large (os error 27)",
    );
    checkFinished(await liveOnce(dir, { config, killMs: null, nowMs }));
    strictEqual(await readTimelessMetrics(dir), await readTimelessMetrics(whole));
  },
);

Deno.test(
  "a run taken up where there is no room loses nothing that it had",
  { ignore },
  async () => {
    const dir = join(root, "again");
    const before = await inspectRemains(dir), metrics = await readTimelessMetrics(dir);
    ok(before.checkpoints.includes(60), "premise: the run is there from the test above");
    await Deno.remove(join(dir, "summary.json")); // as if it had been killed before its end
    const { code, error } = await startRun(NO_ROOM, dir);
    strictEqual(code, 1);
    strictEqual(
      error,
      `error: Cannot write ${join(dir, "metrics.jsonl")}: ` +
        "File too large (os error 27)",
    );
    deepStrictEqual(await inspectRemains(dir), before);
    strictEqual(await readTimelessMetrics(dir), metrics);
  },
);

Deno.test("a run refuses a folder that it may not write to, by name", { ignore }, async () => {
  const locked = join(root, "locked");
  await Deno.mkdir(locked);
  await Deno.chmod(locked, 0o555);
  // The superuser may write everywhere, unless that right is dropped.
  const start = Deno.uid() === 0 ? "exec setpriv --bounding-set=-dac_override" : "exec";
  const dir = join(locked, "run");
  const { code, error } = await startRun(start, dir);
  strictEqual(code, 1);
  strictEqual(
    error,
    `error: Cannot write ${join(dir, "config.json")}: ` +
      "Permission denied (os error 13)",
  );
});
