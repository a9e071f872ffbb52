import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { readRun, rows } from "@/report/readers/read_run.ts";
import { syntheticFiles, writeSyntheticRun } from "./synthetic_run.ts";

/** Calls `use` with a run folder in which some files are replaced; null omits a file. */
async function withRun(
  replaced: Readonly<Record<string, string | null>>,
  use: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await writeSyntheticRun(dir, replaced);
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("readRun() reads a run folder", async () => {
  await withRun({}, async (dir) => {
    const record = await readRun(dir);
    const summary = JSON.parse(syntheticFiles()["summary.json"] ?? "");
    deepStrictEqual(record.summary.scores, summary.scores);
    deepStrictEqual(record.summary.groups, summary.groups);
    deepStrictEqual(record.summary.data, summary.data);
    deepStrictEqual([record.config.seed, record.config.dataDir, record.config.clipNorm], [
      13,
      "sample",
      1,
    ]);
    deepStrictEqual([record.train.length, record.evaluations.length], [40, 1]);
    strictEqual(record.train[1]?.tokens, 46_800);
  });
});

Deno.test("rows() returns one row per number of a training line", async () => {
  const line = {
    kind: "train",
    step: 50,
    epoch: 0.5,
    losses: { a: 1.5, b: 2.5 },
    gradientNorm: 3.5,
    rate: 0.25,
    tokens: 10,
    seconds: 1,
  };
  await withRun({ "metrics.jsonl": JSON.stringify(line) }, async (dir) => {
    const run = "synthetic", step = 50;
    deepStrictEqual(rows(await readRun(dir)), [
      { run, step, task: "a", measure: "loss", value: 1.5 },
      { run, step, task: "b", measure: "loss", value: 2.5 },
      { run, step, task: null, measure: "gradientNorm", value: 3.5 },
      { run, step, task: null, measure: "rate", value: 0.25 },
    ]);
  });
});

Deno.test("readRun() refuses a missing folder", async () => {
  await rejects(readRun("/nowhere/run"), {
    name: "NotFound",
    message: "Cannot read run: there is no folder /nowhere/run",
  });
});

for (const name of ["config.json", "environment.json", "metrics.jsonl", "summary.json"]) {
  Deno.test(`readRun() reports that ${name} is missing`, async () => {
    await withRun({ [name]: null }, async (dir) => {
      await rejects(readRun(dir), {
        name: "NotFound",
        message: `Cannot read run: ${join(dir, name)} does not exist`,
      });
    });
  });
}

/** Content of the file `name` with the value at `path` replaced; undefined removes it. */
function damage(name: string, path: readonly string[], value: unknown): string {
  const json = JSON.parse(syntheticFiles()[name] ?? "");
  let inner = json;
  for (const key of path.slice(0, -1)) inner = inner[key];
  inner[path.at(-1) ?? ""] = value;
  return JSON.stringify(json);
}

const DAMAGED: [name: string, path: string[], value: unknown, rest: string][] = [
  ["config.json", ["seed"], "1", "seed of FILE must be a number, but is 1"],
  ["config.json", ["data"], undefined, "data of FILE must be an object, but is missing"],
  [
    "config.json",
    ["tasks", "1", "kind"],
    "ranking",
    "tasks.1.kind of FILE must be one of classification, tagging, but is ranking",
  ],
  [
    "summary.json",
    ["scores", "ag_news", "test", "macroF1"],
    null,
    "scores.ag_news.test.macroF1 of FILE must be a number, but is null",
  ],
  [
    "summary.json",
    ["scores", "conll2003", "test", "interval"],
    [0.5],
    "scores.conll2003.test.interval of FILE must be two numbers, but is [0.5]",
  ],
  [
    "summary.json",
    ["scores", "ag_news", "test", "confusion"],
    [[1]],
    "scores.ag_news.test.confusion of FILE must be 4 rows of 4, but is [[1]]",
  ],
  ["summary.json", ["groups"], {}, "groups of FILE must be a list, but is {}"],
  ["summary.json", ["notes", "0"], 7, "notes.0 of FILE must be a string, but is 7"],
];

for (const [name, path, value, rest] of DAMAGED) {
  Deno.test(`readRun() reports the key ${path.join(".")} of ${name} if it is wrong`, async () => {
    await withRun({ [name]: damage(name, path, value) }, async (dir) => {
      await rejects(readRun(dir), {
        name: "SyntaxError",
        message: `Cannot read run: ${rest.replace("FILE", join(dir, name))}`,
      });
    });
  });
}

Deno.test("readRun() reports a truncated line of metrics.jsonl", async () => {
  const whole = (syntheticFiles()["metrics.jsonl"] ?? "").split("\n").slice(0, 2);
  await withRun({ "metrics.jsonl": `${whole.join("\n")}\n{"kind":"tra` }, async (dir) => {
    await rejects(readRun(dir), {
      name: "SyntaxError",
      message: `Cannot read run: ${dir}/metrics.jsonl line 3 must be JSON, but is {"kind":"tra`,
    });
  });
});

Deno.test("readRun() reports the line and key of an error in metrics.jsonl", async () => {
  await withRun({ "metrics.jsonl": '\n{"kind":"train","step":1,"epoch":"x"}\n' }, async (dir) => {
    await rejects(readRun(dir), {
      name: "SyntaxError",
      message: `Cannot read run: epoch of ${dir}/metrics.jsonl line 2 must be a number, but is x`,
    });
  });
});
