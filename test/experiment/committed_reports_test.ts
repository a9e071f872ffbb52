/** The committed reports under `outputs/` match what their runs produce now, byte for byte. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { join, relative } from "node:path";
import { openRunPool } from "@/experiment/run_pool.ts";
import { writeExperimentReport } from "@/experiment/experiment_report.ts";
import { isFile } from "@/system/files.ts";
import { writeReport } from "@/report/write_report.ts";

const OUTPUTS = join(import.meta.dirname ?? "", "..", "..", "outputs");
const EXPERIMENTS = join(OUTPUTS, "experiments");

/** Files that reports are generated from. */
const SOURCES = /\.(json|jsonl)$|^card\.md$/;

/** All files below a folder by relative path. */
async function readAll(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const walk = async (dir: string) => {
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      const path = join(dir, name);
      if (isDirectory) await walk(path);
      else files.set(relative(folder, path), await Deno.readFile(path));
    }
  };
  await walk(folder);
  return files;
}

/** Fails if `write`, applied to the source files of a folder, produces other files than those committed. */
async function expectSame(
  folder: string,
  write: (copy: string) => Promise<unknown>,
): Promise<void> {
  const committed = await readAll(folder);
  const copy = await Deno.makeTempDir();
  try {
    for (const [path, bytes] of committed) {
      const made = path === "results.json" || path.includes("/"); // written by the report itself
      if (SOURCES.test(path) && !made) await Deno.writeFile(join(copy, path), bytes);
    }
    await write(copy);
    const built = await readAll(copy);
    const advice = `${relative(OUTPUTS, folder)} is not up to date: run deno task report`;
    const kept = [...committed.keys()].filter((path) =>
      !/^(model|checkpoint|predictions)\//.test(path)
    );
    deepStrictEqual([...built.keys()].sort(), kept.sort(), advice);
    for (const [path, bytes] of built) {
      ok(
        bytes.length === committed.get(path)?.length &&
          bytes.every((byte, i) => byte === committed.get(path)?.[i]),
        `${path} of ${advice}`,
      );
    }
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

for (const name of ["minilm-float32", "minilm-bfloat16", "minilm-float16"]) {
  Deno.test(`the report of ${name} is rebuilt byte for byte`, () =>
    expectSame(join(OUTPUTS, name), writeReport));
}

Deno.test("the report of every experiment is rebuilt byte for byte", async () => {
  const pool = openRunPool(join(EXPERIMENTS, "runs"));
  let experiments = 0;
  for await (const { name } of Deno.readDir(EXPERIMENTS)) {
    const folder = join(EXPERIMENTS, name);
    if (!await isFile(join(folder, "experiment.json"))) continue;
    experiments++;
    await expectSame(folder, (copy) => writeExperimentReport(copy, pool));
  }
  ok(experiments >= 8);
});

Deno.test("outputs/index.html links to every committed run and experiment", async () => {
  const page = await Deno.readTextFile(join(OUTPUTS, "index.html"));
  const links = [...page.matchAll(/<a href="([^#"]+)">/g)].map(([, path = ""]) => path);
  for (const path of links) ok(await isFile(join(OUTPUTS, path)), `${path} is not there`);
  const folders = ["minilm-float32", "minilm-bfloat16", "minilm-float16"];
  for await (const { name } of Deno.readDir(EXPERIMENTS)) {
    if (await isFile(join(EXPERIMENTS, name, "report.html"))) folders.push(`experiments/${name}`);
  }
  const missing = folders.filter((folder) => !links.includes(`${folder}/report.html`));
  deepStrictEqual(missing, [], "run deno task report");
});
