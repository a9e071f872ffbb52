/** `deno task reproduce` with short runs: one unchanged, one with a modified record. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { runTaskWith } from "@/cli/run_task.ts";
import { REPRODUCE } from "@/cli/reproduce.ts";
import { openEngine } from "@/engine/engine.ts";
import { describeEnvironment } from "@/system/environment.ts";
import { isFolder } from "@/system/files.ts";
import { trainRun } from "@/train/train_run.ts";
import { CONFIG, inFolder } from "../train/tiny_run.ts";

type Ended = { readonly code: number; readonly out: readonly string[]; readonly error: string[] };

/** Runs the task in a separate process, with `cache` as its cache folder. */
async function reproduce(cache: string, ...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "lib/cli/reproduce.ts", ...args],
    env: { NO_COLOR: "1", DEBUG: "", STX_CACHE: cache },
  }).output();
  const lines = (bytes: Uint8Array) =>
    new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "");
  return { code, out: lines(stdout), error: lines(stderr) };
}

Deno.test("reproduce trains the run again in another folder and reports a changed number", async () => {
  const engine = await openEngine({ executor: "onnx" }); // opened as in the task, including the number of threads
  await inFolder(async (root) => {
    const run = join(root, "run"), cache = join(root, "cache"), path = join(run, "metrics.jsonl");
    await trainRun(CONFIG, {
      out: run,
      nowMs: () => performance.now(),
      environment: describeEnvironment("cpu", engine),
    });
    const before = await Deno.readTextFile(path);

    const same = await reproduce(cache, run);
    strictEqual(same.code, 0, same.error.join("\n"));
    match(same.out[0] ?? "", /preset quickstart, seed 13, float32 on cpu by onnx \(/);
    strictEqual(same.out.at(-1), "reproduced: all values are identical");
    strictEqual(await Deno.readTextFile(path), before, "the run is left as it was");
    deepStrictEqual(await Array.fromAsync(Deno.readDir(join(cache, "reproduce"))), []);

    const changed = before.replace(/"losses":\{"ag_news":/, '"losses":{"ag_news":9');
    await Deno.writeTextFile(path, changed);
    const out = join(root, "again");
    const other = await reproduce(cache, run, "--out", out);
    strictEqual(other.code, 1);
    match(
      other.out.at(-3) ?? "",
      /^first of 1 differences: metrics.jsonl line 1, step 3, losses.ag_news: was 9\d\.\d+, is now \d\.\d+$/,
    );
    strictEqual(other.out.at(-2), "not reproduced: have code, data or model changed?");
    strictEqual(other.out.at(-1), `kept: ${out}`);
    strictEqual(await isFolder(join(out, "model")), true);
    strictEqual(await Deno.readTextFile(path), changed);
    deepStrictEqual(await fail(run, "--out", out), {
      code: 1,
      errors: [
        `error: Cannot reproduce the run in ${out}: the folder contains a finished run; choose another --out`,
      ],
    });
    deepStrictEqual(await fail(run, "--out", run), {
      code: 1,
      errors: [
        `error: Cannot reproduce the run in ${run}: the folder contains another run; choose another --out`,
      ],
    });
  });
});

/** Runs the task in this process, if it fails before it prints; returns exit code and error lines. */
async function fail(...args: string[]): Promise<{ code: number; errors: string[] }> {
  const errors: string[] = [];
  const code = await runTaskWith(REPRODUCE, args, {
    out: () => {},
    error: (line) => errors.push(line),
    debug: false,
    onInterrupt: () => () => {},
    nowMs: () => 0,
    exit: () => {},
  });
  return { code, errors };
}

const WRONG: readonly (readonly [args: string[], message: string])[] = [
  [[], "Cannot run reproduce: RUN is missing; see --help"],
  [["none"], "Cannot read run to reproduce: none/config.json does not exist"],
];

for (const [args, message] of WRONG) {
  Deno.test(`reproduce ${args.join(" ")} fails with a one-line error and exit code 1`, async () => {
    deepStrictEqual(await fail(...args), { code: 1, errors: [`error: ${message}`] });
  });
}
