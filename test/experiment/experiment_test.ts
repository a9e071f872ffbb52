import { deepStrictEqual, notStrictEqual, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { type Experiment, planRuns, readExperiment } from "@/experiment/declaration.ts";
import { runExperiment, type RunOptions } from "@/experiment/run_experiment.ts";
import { nameRun, openRunPool } from "@/experiment/run_pool.ts";
import { writeFileAtomic } from "@/system/files.ts";

const DECLARED = {
  name: "pooling",
  title: "Pooling",
  question: "Which?",
  preset: "quickstart",
  base: { "training.maxSteps": 5 },
  variants: [
    { name: "mean" },
    { name: "max", set: { "model.pooling": "max" } },
    { name: "news", tasks: ["ag_news"] },
  ],
  reference: "mean",
  seeds: [1, 2],
  score: "validation",
};

const without = (key: keyof Experiment) =>
  Object.fromEntries(Object.entries(DECLARED).filter(([name]) => name !== key));

Deno.test("planRuns() resolves every variant for every seed, ordered by seed", () => {
  const runs = planRuns(readExperiment(DECLARED));
  deepStrictEqual(runs.map(({ variant, seed }) => `${variant} ${seed}`), [
    "mean 1",
    "max 1",
    "news 1",
    "mean 2",
    "max 2",
    "news 2",
  ]);
  deepStrictEqual(
    runs.map(({ config: { model, training, seed, data } }) => [
      model.pooling,
      training.maxSteps,
      seed,
      data.scoreTest,
    ]),
    [
      ["mean", 5, 1, false],
      ["max", 5, 1, false],
      ["mean", 5, 1, false],
      ["mean", 5, 2, false],
      ["max", 5, 2, false],
      ["mean", 5, 2, false],
    ],
  );
  deepStrictEqual(runs[2]?.config.tasks.map(({ name }) => name), ["ag_news"]);
  const confirmed = planRuns(readExperiment({ ...DECLARED, score: "test" }), {
    set: ["training.maxSteps=3"],
  });
  strictEqual(confirmed[0]?.config.data.scoreTest, true);
  strictEqual(confirmed[0]?.config.training.maxSteps, 3);
});

Deno.test("readExperiment() reports errors in a declaration", () => {
  const refuses = (value: unknown, message: string) =>
    throws(() => readExperiment(value), { message });
  refuses(
    without("seeds"),
    "experiment: seeds must be a list of at least 1 item: it is missing",
  );
  refuses(
    { ...DECLARED, reference: "average" },
    'experiment: reference must be one of mean, max, news: current value is "average"',
  );
  refuses(
    { ...DECLARED, base: { "training.steps": 5 } },
    'config: unknown key "training.steps" (did you mean training.maxSteps?)',
  );
  refuses(
    { ...DECLARED, variants: [{ name: "mean", tasks: ["sst2"] }] },
    'experiment: unknown key "mean.tasks.sst2": known keys are ag_news, conll2003',
  );
  refuses(
    { ...DECLARED, seeds: [1, 1] },
    "experiment: seeds must be all different: current value is [1,1]",
  );
});

Deno.test("nameRun() depends on model, data and training, not on locations nor on scoring", () => {
  const [mean, max] = planRuns(readExperiment(DECLARED)).map(({ config }) => config);
  if (mean === undefined || max === undefined) throw new Error("internal: two runs");
  notStrictEqual(nameRun(mean), nameRun(max));
  const given = { ...mean, model: { ...mean.model, source: "/a/all-MiniLM" } };
  const moved = {
    ...given,
    data: { ...mean.data, scoreTest: true },
    model: { ...mean.model, source: "owner/all-MiniLM" },
  };
  strictEqual(nameRun(moved), nameRun(given));
  strictEqual(nameRun({ ...mean, seed: 2 }), nameRun(mean).replace("seed1", "seed2"));
  notStrictEqual(nameRun({ ...mean, data: { ...mean.data, dir: "elsewhere" } }), nameRun(mean));
});

/** A trainer that writes the files of a run without training, and records its calls. */
function fakeTraining(root: string) {
  const trained: string[] = [];
  const train: RunOptions["train"] = async (config, name) => {
    trained.push(name);
    if (config.model.pooling === "max") return { state: "failed", reason: "a broken disk" };
    const dir = join(root, "scratch", name);
    await writeFileAtomic(join(dir, "config.json"), JSON.stringify(config));
    for (const file of ["environment.json", "metrics.jsonl", "summary.json"]) {
      await writeFileAtomic(join(dir, file), "{}");
    }
    return { state: "done", dir };
  };
  return { train, trained };
}

Deno.test("runExperiment() trains each missing run once, and continues after a failure", async () => {
  const root = await Deno.makeTempDir();
  try {
    const pool = openRunPool(join(root, "pool"));
    const { train, trained } = fakeTraining(root);
    const twin = { ...DECLARED, variants: [...DECLARED.variants, { name: "again" }] };
    const runs = planRuns(readExperiment({ ...twin, seeds: [1] }));
    const run = (signal = new AbortController().signal) =>
      runExperiment(runs, { pool, train, signal, onBegin: () => {}, onOutcome: () => {} });
    const states = async () => (await run()).map(({ variant, state }) => `${variant} ${state}`);
    deepStrictEqual(await states(), ["mean done", "max failed", "news done", "again present"]);
    strictEqual(trained.length, 3);
    deepStrictEqual(await states(), [
      "mean present",
      "news present",
      "again present",
      "max failed",
    ]);
    strictEqual(trained.length, 4, "only the failed one is tried again");
    deepStrictEqual(
      await Array.fromAsync(Deno.readDir(await pool.folderOf(runs[0]?.config ?? fail()))).then(
        (entries) => entries.map(({ name }) => name).sort(),
      ),
      ["config.json", "environment.json", "metrics.jsonl", "summary.json"],
    );
    strictEqual((await run(AbortSignal.abort())).length, 3, "an interrupt begins no further run");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a pool finds a run whose configuration predates a key", async () => {
  const root = await Deno.makeTempDir();
  try {
    const [run] = planRuns(readExperiment(DECLARED));
    const { data: { scoreTest: _, ...data }, ...rest } = run?.config ?? fail();
    const dir = join(root, "quickstart-00000000-seed1");
    await writeFileAtomic(join(dir, "config.json"), JSON.stringify({ ...rest, data }));
    await writeFileAtomic(join(dir, "summary.json"), "{}");
    const pool = openRunPool(root);
    strictEqual(await pool.holds(run?.config ?? fail()), true);
    strictEqual(await pool.folderOf(run?.config ?? fail()), dir);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a pool has a run for the test split only if the test set was scored", async () => {
  const root = await Deno.makeTempDir();
  try {
    const pool = openRunPool(join(root, "pool"));
    const { train } = fakeTraining(root);
    const [screened] = planRuns(readExperiment(DECLARED));
    const [confirmed] = planRuns(readExperiment({ ...DECLARED, score: "test" }));
    const make = async (run = screened) => {
      const { config } = run ?? fail();
      const trained = await train(config, nameRun(config));
      if (trained.state === "done") await pool.take(config, trained.dir);
    };
    const held = async () => [
      await pool.holds(screened?.config ?? fail()),
      await pool.holds(confirmed?.config ?? fail()),
    ];
    deepStrictEqual(await held(), [false, false]);
    await make(screened);
    deepStrictEqual(await held(), [true, false]);
    await make(confirmed);
    deepStrictEqual(await held(), [true, true]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

function fail(): never {
  throw new Error("internal: there is such a run");
}
