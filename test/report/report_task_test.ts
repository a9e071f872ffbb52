import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSyntheticRun } from "./synthetic_run.ts";

const TASK = fileURLToPath(new URL("../../lib/cli/report.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** Runs `deno task report` as a process of its own in `cwd`. */
async function report(cwd: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", CONFIG, TASK, ...args],
    cwd,
    env: { NO_COLOR: "1", DEBUG: "" },
  }).output();
  const lines = (bytes: Uint8Array) =>
    new TextDecoder().decode(bytes).split("\n").filter((l) => l !== "");
  return { code, out: lines(stdout), error: lines(stderr) };
}

async function withFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("deno task report rebuilds every finished run under outputs/ and fails if one is damaged", async () => {
  await withFolder(async (dir) => {
    const index = join(dir, "outputs", "index.html");
    await writeSyntheticRun(join(dir, "outputs", "b"));
    await writeSyntheticRun(join(dir, "outputs", "a"), { "metrics.jsonl": null });
    await writeSyntheticRun(join(dir, "outputs", "c"), { "summary.json": null }); // not finished
    deepStrictEqual(await report(dir), {
      code: 1,
      out: ["outputs/b/report.html", "outputs/index.html"],
      error: ["error: Cannot read run: outputs/a/metrics.jsonl does not exist"],
    });
    const page = await Deno.readTextFile(index);
    deepStrictEqual(page.match(/<a href="[^#"]+">/g), ['<a href="b/report.html">']);
    ok(page.includes("ag_news accuracy 85.00 on test; conll2003 entity F1 66.67 on test"), page);
    await Deno.remove(index);
    deepStrictEqual(await report(dir, "outputs/b"), {
      code: 0,
      out: ["outputs/b/report.html"],
      error: [],
    });
    await rejects(
      Deno.stat(index),
      Deno.errors.NotFound,
      "one run does not make the page over all",
    );
  });
});

Deno.test("deno task report without runs explains how to create one", async () => {
  await withFolder(async (dir) => {
    deepStrictEqual(await report(dir), {
      code: 1,
      out: [],
      error: [
        "error: There is no finished run under outputs/: train one with deno task train",
      ],
    });
  });
});

Deno.test("deno task report skips an experiment without runs, with a message", async () => {
  await withFolder(async (dir) => {
    const folder = join(dir, "outputs", "experiments", "pooling");
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(
      join(folder, "experiment.json"),
      JSON.stringify({
        name: "pooling",
        title: "Pooling",
        question: "Which?",
        preset: "quickstart",
        base: {},
        variants: [{ name: "mean" }],
        reference: "mean",
        seeds: [1],
        score: "validation",
      }),
    );
    deepStrictEqual(await report(dir), {
      code: 0,
      out: [
        "outputs/experiments/pooling: no report, since it has no runs yet; deno task experiment trains them",
      ],
      error: [],
    });
    deepStrictEqual(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), [
      "experiment.json",
    ]);
  });
});
