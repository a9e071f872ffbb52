/** Reproduction of runs: comparison of numbers and environments. */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { compareEnvironments } from "@/experiment/compare_environments.ts";
import { compareNumbers, type RunNumbers } from "@/experiment/compare_reproduction.ts";
import { describeReproduction } from "@/experiment/describe_reproduction.ts";
import { planReproduction } from "@/experiment/plan_reproduction.ts";
import { isObject } from "@/schema.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { writeSyntheticRun } from "../report/synthetic_run.ts";

const RUN: RunNumbers = {
  metrics: [
    {
      kind: "train",
      step: 5,
      losses: { topic: 1, name: 2 },
      rate: 0.5,
      gradientNorm: 3,
      seconds: 1,
    },
    { kind: "evaluate", step: 5, scores: { topic: { rows: 9, accuracy: 0.8, ece: 0.1 } } },
  ],
  summary: {
    name: "run",
    steps: 5,
    seconds: { train: 1 },
    scores: { topic: { test: { rows: 9, accuracy: 0.8, perClass: { a: { f1: 0.5 } } } } },
  },
};

/** The run with the value at the end of a path of one line replaced. */
function changed(line: number, path: readonly string[], value: unknown): RunNumbers {
  const set = (tree: unknown, [key = "", ...rest]: readonly string[]): unknown =>
    isObject(tree) ? { ...tree, [key]: rest.length === 0 ? value : set(tree[key], rest) } : tree;
  return { ...RUN, metrics: RUN.metrics.map((each, i) => i === line ? set(each, path) : each) };
}

Deno.test("compareNumbers() finds numbers that are not identical, and ignores times", () => {
  deepStrictEqual(compareNumbers(RUN, structuredClone(RUN), "identical").differences, []);
  deepStrictEqual(
    compareNumbers(RUN, changed(0, ["seconds"], 2), "identical").differences,
    [],
    "times",
  );
  deepStrictEqual(
    compareNumbers(RUN, changed(0, ["losses", "topic"], 1.0000001), "identical").differences,
    [{ place: "metrics.jsonl line 1, step 5", key: "losses.topic", then: 1, now: 1.0000001 }],
  );
  const renamed = { ...RUN, summary: { steps: 5, name: "again", seconds: { train: 7 } } };
  deepStrictEqual(
    compareNumbers(RUN, renamed, "identical").differences.map(({ key }) => key),
    ["scores"],
    "old keys must be present",
  );
  deepStrictEqual(
    compareNumbers(renamed, RUN, "identical").differences,
    [],
    "new keys are ignored",
  );
  // line 1: kind, step, two losses, rate, norm; line 2: kind, step, three scores; summary: steps, three
  strictEqual(compareNumbers(RUN, RUN, "identical").compared, 6 + 5 + 4);
});

Deno.test("compareNumbers() reports missing and additional lines", () => {
  const short = { ...RUN, metrics: RUN.metrics.slice(0, 1) };
  deepStrictEqual(
    compareNumbers(short, RUN, "identical").differences,
    [{ place: "metrics.jsonl line 2, step 5", key: "line", then: undefined, now: 5 }],
  );
  deepStrictEqual(
    compareNumbers(RUN, short, "close").differences.map(({ place, key }) => [place, key]),
    [["metrics.jsonl line 2, step 5", "line"]],
  );
});

Deno.test("compareNumbers() tolerates rounding in another environment, but not other steps, learning rates or rows", () => {
  const differing = (line: number, path: readonly string[], value: unknown) =>
    compareNumbers(RUN, changed(line, path, value), "close").differences.length;
  // 0.02 + 5 % of 1
  strictEqual(differing(0, ["losses", "topic"], 1.069), 0);
  strictEqual(differing(0, ["losses", "topic"], 1.071), 1);
  strictEqual(differing(0, ["gradientNorm"], 30), 0, "sensitive to rounding");
  strictEqual(differing(0, ["rate"], 0.5 * (1 + 1e-12)), 0);
  strictEqual(differing(0, ["rate"], 0.51), 1);
  strictEqual(differing(0, ["step"], 6), 1);
  strictEqual(differing(1, ["scores", "topic", "accuracy"], 0.792), 0);
  strictEqual(differing(1, ["scores", "topic", "accuracy"], 0.788), 1);
  strictEqual(differing(1, ["scores", "topic", "rows"], 8), 1);
  strictEqual(differing(1, ["scores", "topic", "ece"], 0.2), 0);
  const { largest } = compareNumbers(RUN, changed(0, ["losses", "name"], 2.1), "close");
  strictEqual(largest.loss?.key, "losses.name");
});

const HERE = { device: "cpu", executor: "onnx", threads: 2, cpu: { model: "A", cores: 2 } };

Deno.test("compareEnvironments() separates differences that affect rounding from packages", () => {
  deepStrictEqual(compareEnvironments(HERE, { ...HERE, cpu: { model: "A", cores: 8 } }), {
    decisive: [],
    packages: [],
  });
  deepStrictEqual(
    compareEnvironments(
      { ...HERE, versions: { deno: "1", marked: "4", gone: "1" } },
      {
        ...HERE,
        threads: 4,
        cpu: { model: "B" },
        versions: { deno: "2", marked: "4", fresh: "1" },
      },
    ),
    {
      decisive: [
        { key: "threads", then: 2, now: 4 },
        { key: "cpu", then: "A", now: "B" },
      ],
      packages: [{ key: "versions.deno", then: "1", now: "2" }],
    },
  );
  const on = (flags: readonly string[]) => ({ ...HERE, cpu: { model: "A", flags } });
  deepStrictEqual(compareEnvironments(on(["avx2"]), on(["avx2", "amx_bf16"])).decisive, [
    { key: "cpu", then: "A (avx2)", now: "A (avx2 amx_bf16)" },
  ]);
  deepStrictEqual(compareEnvironments(HERE, on(["avx2"])).decisive, [], "not recorded then");
  const resumed = (changed: object) => ({ ...HERE, resumed: [{ step: 4, changed }] });
  deepStrictEqual(compareEnvironments(resumed({ versions: {} }), HERE).decisive, []);
  deepStrictEqual(compareEnvironments(resumed({ threads: 4 }), HERE).decisive, [
    { key: "resumed elsewhere", then: ["step 4: threads"], now: [] },
  ]);
});

Deno.test("describeReproduction() describes the requirement, the comparison and the result", () => {
  const made = (run: RunNumbers, environment: object = HERE) => ({
    ...run,
    environment: { ...environment },
  });
  deepStrictEqual(describeReproduction(made(RUN), made(RUN)), {
    reproduced: true,
    lines: [
      "required: identical numbers, because device, executor, processor and threads are the same",
      "compared: 15 values in 2 lines of metrics.jsonl and in summary.json, except times",
      "reproduced: all values are identical",
    ],
  });
  const nearly = changed(0, ["losses", "name"], 2.1);
  const tolerance = "losses within 0.02 nats plus 5 %, main scores within 0.01, equal steps, " +
    "tokens, learning rates and rows";
  const place = "metrics.jsonl line 1, step 5, losses.name: was 2, is now 2.1";
  deepStrictEqual(describeReproduction(made(RUN), made(nearly)), {
    reproduced: false,
    lines: [
      "required: identical numbers, because device, executor, processor and threads are the same",
      "compared: 15 values in 2 lines of metrics.jsonl and in summary.json, except times",
      `largest loss difference: ${place}`,
      `first of 1 differences: ${place}`,
      `not reproduced exactly, but within the tolerance for other environments (${tolerance}): ` +
      "has the code changed, or is this a different processor with the same name?",
    ],
  });
  deepStrictEqual(describeReproduction(made(RUN), made(nearly, { ...HERE, threads: 4 })), {
    reproduced: true,
    lines: [
      "environment differs: threads 2 → 4",
      `required: ${tolerance}`,
      "compared: 12 values in 2 lines of metrics.jsonl and in summary.json, except times",
      `largest loss difference: ${place}`,
      "reproduced within the tolerance",
    ],
  });
});

/** Calls `test` with the folder of a finished run with this configuration. */
async function withRun(config: object, test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const environment = JSON.stringify({ ...HERE, threads: 1 });
    await writeSyntheticRun(dir, {
      "config.json": JSON.stringify(config),
      "environment.json": environment,
    });
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("planReproduction() keeps executor and threads, and notes new keys", async () => {
  const { data: { scoreTest: _, ...data }, tensorflow: __, ...rest } = resolveConfig();
  await withRun({ ...rest, data }, async (dir) => {
    const { config, notes } = await planReproduction(dir);
    strictEqual(config.executor, "onnx");
    strictEqual(config.native.threads, 1);
    deepStrictEqual(notes, [
      "config.json was written by an older version: data.scoreTest, tensorflow are taken from preset quickstart",
    ]);
  });
});

Deno.test("planReproduction() reports missing files and accepts other locations of data and model", async () => {
  const config = resolveConfig({ preset: "minilm", shortcuts: { data: "no/such", model: "no" } });
  await withRun(config, async (dir) => {
    await rejects(planReproduction(dir), {
      name: "NotFound",
      message: "Cannot reproduce the run: its data.dir no/such does not exist on this machine; " +
        "pass --data DIR",
    });
    const planned = await planReproduction(dir, { data: dir, model: "owner/name" });
    strictEqual(planned.config.data.dir, dir);
    strictEqual(planned.config.model.source, "owner/name");
    await Deno.remove(join(dir, "summary.json"));
    await rejects(planReproduction(dir), {
      message: `Cannot reproduce ${dir}: it has no summary.json ` +
        "to compare with",
    });
  });
  await withRun({ ...config, speed: 1 }, async (dir) => {
    await rejects(planReproduction(dir), {
      message: 'config: unknown key "speed" (did you mean seed?)',
    });
  });
});
