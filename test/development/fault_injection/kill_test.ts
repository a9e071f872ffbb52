/** Training processes that are killed, run out of disk space or lack permission. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { stream } from "@/random.ts";
import {
  checkFinished,
  inspectRun,
  killRun,
  readMetricsWithoutTimes,
  trainOnce,
  writeRunConfig,
} from "@/development/fault_injection/kill_run.ts";

const nowMs = () => performance.now();
const root = await Deno.makeTempDir({ prefix: "kill-" });
globalThis.addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
const config = await writeRunConfig(root, {
  executor: "onnx",
  native: { isa: null, threads: 2 },
});
const reference = join(root, "reference");
/** Duration of a run on this machine, once the first run has filled the cache. */
let durationMs = 4000;

Deno.test("two runs with the same configuration write the same metrics except for times", async () => {
  checkFinished(await trainOnce(reference, { config, killMs: null, nowMs }));
  const again = join(root, "again");
  const process = await trainOnce(again, { config, killMs: null, nowMs });
  checkFinished(process);
  durationMs = process.durationMs;
  const metrics = await readMetricsWithoutTimes(reference);
  strictEqual(await readMetricsWithoutTimes(again), metrics);
  const lines = metrics.trimEnd().split("\n").map((line) => JSON.parse(line));
  strictEqual(lines.filter(({ kind }) => kind === "train").length, 60);
  const last = lines.filter(({ kind }) => kind === "train").at(-1);
  ok(
    last.skipped > 0 && last.skipped < 60,
    `precondition: the loss scale skips steps: ${last.skipped}`,
  );
  deepStrictEqual(Object.keys(last.logVariances), ["ag_news", "conll2003"]);
  ok(
    Object.values(last.logVariances).every((value) => value !== 0),
    "precondition: they are learned",
  );
});

Deno.test("a run killed at four random moments ends with the same bytes as one never killed", async () => {
  const prng = stream(20, "kill test");
  const { interruptions, same } = await killRun(join(root, "killed"), {
    config,
    reference,
    kills: 4,
    longestMs: durationMs,
    prng,
    nowMs,
  });
  strictEqual(interruptions.length, 4);
  ok(same, `killed after ${interruptions.map(({ killMs }) => killMs.toFixed(0)).join(", ")} ms`);
});

/** Starts or resumes a run through a shell; `start` precedes the command. */
async function startRun(start: string, dir: string) {
  const through = ["/bin/sh", "-c", `${start} "$0" "$@"`];
  const { exitCode, errors } = await trainOnce(dir, { config, killMs: null, nowMs, through });
  return { code: exitCode, error: errors.trim().split("\n").at(-1) ?? "" };
}

/** Limits files to 24 blocks of 512 bytes, less than a checkpoint or the metrics of a complete run. */
const NO_ROOM = "trap '' XFSZ; ulimit -f 24; exec";

/** Windows has no such shell. */
const ignore = Deno.build.os === "windows";

Deno.test(
  "a run on a full disk reports the file, and can be resumed once there is space",
  { ignore },
  async () => {
    const dir = join(root, "full");
    const { code, error } = await startRun(NO_ROOM, dir);
    strictEqual(code, 1);
    strictEqual(
      error,
      `error: Cannot write ${join(dir, "checkpoint", "step-4.safetensors")}: ` +
        "File too large (os error 27)",
    );
    checkFinished(await trainOnce(dir, { config, killMs: null, nowMs }));
    strictEqual(await readMetricsWithoutTimes(dir), await readMetricsWithoutTimes(reference));
  },
);

Deno.test(
  "a run resumed on a full disk loses nothing that was saved",
  { ignore },
  async () => {
    const dir = join(root, "again");
    const before = await inspectRun(dir), metrics = await readMetricsWithoutTimes(dir);
    ok(before.checkpoints.includes(60), "precondition: the first test has created the run");
    await Deno.remove(join(dir, "summary.json")); // as if the run had been killed before its end
    const { code, error } = await startRun(NO_ROOM, dir);
    strictEqual(code, 1);
    strictEqual(
      error,
      `error: Cannot write ${join(dir, "metrics.jsonl")}: ` +
        "File too large (os error 27)",
    );
    deepStrictEqual(await inspectRun(dir), before);
    strictEqual(await readMetricsWithoutTimes(dir), metrics);
  },
);

Deno.test("a run without write permission reports the file", { ignore }, async () => {
  const locked = join(root, "locked");
  await Deno.mkdir(locked);
  await Deno.chmod(locked, 0o555);
  // Root may write everywhere unless that capability is dropped.
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
