/** Interrupts `deno task train` with Ctrl+C in a pseudo-terminal, with SIGTERM and by closing the terminal. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { TINY_MODEL } from "@/development/fault_injection/kill_run.ts";
import { inFolder } from "../train/tiny_run.ts";

const ROOT = join(import.meta.dirname ?? "", "../..");

/** A run that trains until it is interrupted, without regular checkpoints. */
const CONFIG = {
  preset: "quickstart",
  executor: "onnx",
  model: TINY_MODEL,
  training: { maxSteps: 100_000, epochs: 100_000, batchRows: 4, lengths: [32], logEvery: 1000 },
  data: { maxRows: 16 },
};

/** True if `script` of util-linux, which runs a program in a pseudo-terminal, is available. */
const canAllocateTerminal = new Deno.Command("sh", {
  args: ["-c", "script --version 2>/dev/null | grep -q util-linux"],
}).outputSync().success;

/** Collects the text of a stream; `until` waits for a match, at most 60 s. */
function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let text = "";
  const waiting: { pattern: RegExp; done: () => void }[] = [];
  const ended = (async () => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      for (const { pattern, done } of waiting) if (pattern.test(text)) done();
    }
  })();
  return {
    until: async (pattern: RegExp) => {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, 60_000);
      const seen = new Promise<void>((done) => waiting.push({ pattern, done }));
      if (!pattern.test(text)) await Promise.race([seen, ended, late]);
      clearTimeout(timer);
      ok(pattern.test(text), `there is no ${pattern} in: ${text}`);
    },
    /** All lines, once the stream has ended. */
    lines: async () => {
      await ended;
      return text.split(/[\r\n]+/);
    },
  };
}

/** File names in the checkpoint folder of a run. */
const listCheckpoints = async (dir: string) =>
  (await Array.fromAsync(Deno.readDir(join(dir, "checkpoint")))).map(({ name }) => name).sort();

const childEnv = (root: string) => ({
  NO_COLOR: "1",
  DEBUG: "",
  STX_CACHE: join(root, "cache"),
  npm_command: "",
});

Deno.test({
  name:
    "a single Ctrl+C during `deno task train` saves a checkpoint and prints the command that resumes",
  ignore: !canAllocateTerminal,
  fn: () =>
    inFolder(async (root) => {
      const out = join(root, "a run"), file = join(root, "config.json");
      await Deno.writeTextFile(file, JSON.stringify(CONFIG));
      // the full path of deno, so that the test does not depend on PATH
      const deno = `'${Deno.execPath()}' task --config '${join(ROOT, "deno.json")}'`;
      const open = (command: string) =>
        new Deno.Command("script", {
          args: ["--quiet", "--return", "--flush", "--command", command, "/dev/null"],
          stdin: "piped",
          stdout: "piped",
          stderr: "null",
          env: childEnv(root),
        }).spawn();

      const child = open(`${deno} train --config '${file}' --out '${out}'`);
      const seen = collect(child.stdout);
      await seen.until(/train .*\d+\/100000/);
      const keys = child.stdin.getWriter();
      await keys.write(new Uint8Array([3])); // Ctrl+C
      const lines = await seen.lines();
      strictEqual((await child.status).code, 130, lines.join("\n"));
      await keys.close();
      const message = lines.find((line) => line.startsWith("error: ")) ?? "";
      match(
        message,
        /^error: Training was interrupted after step \d+ of 100000: it is saved in .*checkpoint\. To resume:$/,
      );
      const step = Number(/step (\d+)/.exec(message)?.[1]);
      deepStrictEqual(await listCheckpoints(out), [
        `step-${step}.json`,
        `step-${step}.safetensors`,
      ]);
      const command = lines[lines.indexOf(message) + 1] ?? "";
      strictEqual(command, `deno task train --resume '${out}'`);

      const again = open(command.replace("deno task", deno));
      const after = collect(again.stdout);
      await after.until(/resuming from step/);
      await after.until(/train .*\d+\/100000/);
      const more = again.stdin.getWriter();
      await more.write(new Uint8Array([3]));
      const resumed = await after.lines();
      await more.close();
      strictEqual((await again.status).code, 130, resumed.join("\n"));
      ok(resumed.includes(`resuming from step ${step} of 100000`), resumed.join("\n"));
      const steps = (await listCheckpoints(out)).map((name) => Number(/\d+/.exec(name)));
      ok(Math.max(...steps) > step, `${steps} must go beyond ${step}`);
    }),
});

Deno.test({
  name: "SIGTERM, sent twice, saves the step and ends with exit code 143",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (root) => {
      const out = join(root, "run"), file = join(root, "config.json");
      await Deno.writeTextFile(file, JSON.stringify(CONFIG));
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", "--no-check", join(ROOT, "lib/cli/train.ts")]
          .concat("--config", file, "--out", out),
        stdin: "null",
        stdout: "null",
        stderr: "piped",
        env: childEnv(root),
      }).spawn();
      const seen = collect(child.stderr);
      await seen.until(/train .*\d+\/100000/);
      child.kill("SIGTERM");
      await seen.until(/interrupted: stopping/);
      child.kill("SIGTERM");
      const lines = await seen.lines();
      strictEqual((await child.status).code, 143, lines.join("\n"));
      ok(lines.includes(`deno task train --resume ${out}`), lines.join("\n"));
      strictEqual((await listCheckpoints(out)).length, 2);
    }),
});

Deno.test({
  name: "a terminal that is closed under `deno task train` saves the step",
  ignore: !canAllocateTerminal,
  fn: () =>
    inFolder(async (root) => {
      const out = join(root, "run"), file = join(root, "config.json");
      await Deno.writeTextFile(file, JSON.stringify(CONFIG));
      const child = new Deno.Command("script", {
        args: ["--quiet", "--flush", "--command"].concat(
          `'${Deno.execPath()}' task --config '${
            join(ROOT, "deno.json")
          }' train --config '${file}' --out '${out}'`,
          "/dev/null",
        ),
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
        env: childEnv(root),
      }).spawn();
      const seen = collect(child.stdout);
      await seen.until(/train .*\d+\/100000/);
      child.kill("SIGKILL"); // the terminal is gone with `script`
      await child.status;
      await child.stdin.close();
      for (let left = 100; left > 0; left--) {
        if ((await listCheckpoints(out).catch(() => [])).length === 2) return;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      throw new Error("there is no checkpoint");
    }),
});

Deno.test({
  name: "a run that is started by nohup outlives its terminal",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (root) => {
      const out = join(root, "run"), file = join(root, "config.json");
      const training = { ...CONFIG.training, maxSteps: 40 };
      await Deno.writeTextFile(file, JSON.stringify({ ...CONFIG, training }));
      const child = new Deno.Command("nohup", {
        args: [Deno.execPath(), "run", "--allow-all", "--no-check", join(ROOT, "lib/cli/train.ts")]
          .concat("--config", file, "--out", out),
        stdin: "null",
        stdout: "null",
        stderr: "piped",
        env: childEnv(root),
      }).spawn();
      const seen = collect(child.stderr);
      await seen.until(/train .*\d+\/40/);
      child.kill("SIGHUP");
      const lines = await seen.lines();
      strictEqual((await child.status).code, 0, lines.join("\n"));
    }),
});
