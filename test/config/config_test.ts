import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { findWatchedScores } from "@/config/config_constraints.ts";
import { PRESETS } from "@/config/presets.ts";
import { resolveConfig } from "@/config/resolve_config.ts";

/** The message of the error that resolving raises. */
function failure(parts: Parameters<typeof resolveConfig>[0]): string {
  let message = "nothing was raised";
  throws(() => resolveConfig(parts), (error) => {
    message = error instanceof RangeError ? error.message : `not a RangeError: ${error}`;
    return true;
  });
  return message;
}

for (const name of Object.keys(PRESETS)) {
  Deno.test(`resolveConfig() resolves preset ${name}, and its own JSON to the same configuration`, () => {
    const config = resolveConfig({ preset: name });
    strictEqual(config.preset, name);
    deepStrictEqual(resolveConfig({ file: JSON.parse(JSON.stringify(config)) }), config);
  });
}

Deno.test("resolveConfig() uses quickstart by default", () => {
  strictEqual(resolveConfig().preset, "quickstart");
});

Deno.test("resolveConfig() uses the recipe of the PyTorch reference in minilm", () => {
  const { model, training, data, seed, tasks } = resolveConfig({ preset: "minilm" });
  deepStrictEqual([model.pooling, model.normalize, model.maxLength], ["mean", "none", 128]);
  deepStrictEqual(model.dropout, { hidden: 0.1, attention: 0.1, head: 0.1 });
  deepStrictEqual(training.learningRate, { top: 1e-4, decay: 0.9, heads: 5e-4 });
  deepStrictEqual([training.batchRows, training.epochs, training.warmup], [32, 1, 0.06]);
  deepStrictEqual([training.weightDecay, training.clipNorm, seed], [0.01, 1, 13]);
  strictEqual(data.validationRows, 2000);
  deepStrictEqual(tasks.map((task) => task.alsoTest), [[], ["conllpp"]]);
});

Deno.test("resolveConfig() merges preset, file, --set and shortcuts", () => {
  const file = { preset: "minilm", training: { epochs: 2, lengths: [32, 128] }, seed: 5 };
  const config = resolveConfig({
    file,
    set: ["training.epochs=3", "model.pooling=max", "training.epochs=4", "tasks.1.weight=0.5"],
    shortcuts: { model: "folder", data: "rows" },
  });
  strictEqual(config.training.epochs, 4); // the last one wins
  strictEqual(config.training.batchRows, 32); // objects merge
  deepStrictEqual(config.training.lengths, [32, 128]); // arrays replace
  strictEqual(config.model.pooling, "max"); // bare text
  deepStrictEqual(config.tasks.map((task) => task.weight), [1, 0.5]);
  deepStrictEqual([config.model.source, config.data.dir, config.seed], ["folder", "rows", 5]);
  strictEqual(resolveConfig({ preset: "bert-base", file }).preset, "bert-base");
  deepStrictEqual(file.training, { epochs: 2, lengths: [32, 128] }); // left as it was
});

Deno.test("resolveConfig() parses values of --set as JSON if possible", () => {
  const { model, data } = resolveConfig({
    set: ["model.source=null", 'data.dir="7"', "data.maxRows=7"],
  });
  deepStrictEqual([model.source, data.dir, data.maxRows], [null, "7", 7]);
});

Deno.test("resolveConfig() uses the maximum input length as the last padded length", () => {
  const lengths = (set: string[]) => resolveConfig({ preset: "minilm", set }).training.lengths;
  deepStrictEqual(lengths(["model.maxLength=50", "training.lengths=[16,40,64]"]), [16, 40, 50]);
  deepStrictEqual(lengths(["model.maxLength=100", "training.lengths=[16,40,64]"]), [
    16,
    40,
    64,
    100,
  ]);
});

Deno.test("resolveConfig() adds defaults of a task, and carves validation rows if its split is used for test", () => {
  const third = {
    name: "tweets",
    kind: "tagging",
    dataset: "tweets",
    columns: { tokens: "words", tags: "tags" },
    labels: ["O", "B-X", "I-X"],
  };
  const [task] = resolveConfig({ file: { tasks: [third] } }).tasks;
  deepStrictEqual(task, {
    ...third,
    split: { validation: null, test: "test", column: null, group: null, stratify: false },
    dropInvalid: false,
    alsoTest: [],
    weight: 1,
    metric: "f1",
  });
  const config = resolveConfig({ preset: "minilm", set: ["tasks.1.split.test=validation"] });
  deepStrictEqual(config.tasks[1]?.split, {
    validation: null,
    test: "validation",
    column: null,
    group: null,
    stratify: false,
  });
});

Deno.test("resolveConfig() suggests a key for an unknown one, or lists the known ones", () => {
  strictEqual(
    failure({ file: { sead: 3 } }),
    'config: unknown key "sead" (did you mean seed?)',
  );
  strictEqual(
    failure({ file: { training: { learningRate: { head: 3 } } } }),
    'config: unknown key "training.learningRate.head" ' +
      "(did you mean training.learningRate.heads?)",
  );
  strictEqual(
    failure({ file: { verbosity: 3 } }),
    'config: unknown key "verbosity": known keys are preset, model, tasks, training, data, ' +
      "seed, device, executor, precision, native, tensorflow",
  );
  strictEqual(
    failure({ set: ["maxSteps=5"] }),
    'config: unknown key "maxSteps" (did you mean training.maxSteps?)',
  );
  strictEqual(
    failure({ set: ["trainig.max_steps=5"] }),
    'config: unknown key "trainig" (did you mean training.maxSteps?)',
  );
  strictEqual(
    failure({ preset: "minlm" }),
    "config: preset must be one of quickstart, minilm, bert-base: current value " +
      'is "minlm" (did you mean minilm?)',
  );
  strictEqual(
    failure({ set: ["data.folder=x"] }),
    'config: unknown key "data.folder": known keys are dir, validationRows, maxRows, trainShare, scoreTest, baselines',
  );
  strictEqual(
    failure({ set: ["tasks.2.weight=1"] }),
    'config: unknown key "tasks.2": known keys are 0, 1',
  );
  strictEqual(
    failure({ set: ["seed.x=1"] }),
    'config: unknown key "seed.x": seed is a single value',
  );
});

const WRONG: readonly (readonly [string, string])[] = [
  ["training.epochs=-1", "training.epochs must be a number above 0: current value is -1"],
  ["training.epochs=many", 'training.epochs must be a number above 0: current value is "many"'],
  ["training.warmup=1", "training.warmup must be a number from 0 to below 1: current value is 1"],
  [
    "training.learningRate.decay=1.1",
    "training.learningRate.decay must be a number above 0 and at most 1: current value is 1.1",
  ],
  ["device=gpu", 'device must be one of cpu, tensorflow: current value is "gpu"'],
  [
    "native.isa=sse9",
    'native.isa must be one of native, avx512, avx2, generic, or null: current value is "sse9"',
  ],
  ["seed=0.5", "seed must be an integer from 0 to 4294967295: current value is 0.5"],
  [
    "model.pooling=sum",
    'model.pooling must be one of mean, cls, cls-token, max: current value is "sum"',
  ],
  [
    "training.lengths=[64,32]",
    "training.lengths must be in ascending order: current value is [64,32,128]",
  ],
  ["training=3", "training must be an object: current value is 3"],
  [
    "training.batchTokens=4096",
    "training.batchRows must be null if training.batchTokens is set, and set if it is null: " +
    "current value is 32",
  ],
  ["tasks.0.metric=f1", 'tasks.0.metric must be one of accuracy, macroF1: current value is "f1"'],
  [
    "tasks.1.name=ag_news",
    'tasks.1.name must be a name that no other task has: current value is "ag_news"',
  ],
  [
    'tasks.1.labels=["O","PER"]',
    'tasks.1.labels.1 must be O or a tag that begins with B- or I-: current value is "PER"',
  ],
  [
    "tasks.0.kind=ranking",
    'tasks.0.kind must be one of classification, tagging: current value is "ranking"',
  ],
  ["tasks=[]", "tasks must be a list of at least 1 item: current value is []"],
  ['tasks=[{"name":"a"}]', "tasks.0.kind must be one of classification, tagging: it is missing"],
  [
    "precision=float64",
    "precision must be one of float32, mixed-bfloat16, mixed-float16: current value is " +
    '"float64" (did you mean float32?)',
  ],
];

for (const [assignment, message] of WRONG) {
  Deno.test(`resolveConfig() rejects --set ${assignment}`, () => {
    strictEqual(
      failure({ preset: "minilm", set: [assignment] }),
      `config: ${message}`,
    );
  });
}

Deno.test("resolveConfig() rejects tasks.N.weight together with learned loss weights", () => {
  strictEqual(
    failure({ set: ["training.lossWeights=uncertainty", "tasks.1.weight=2"] }),
    "config: tasks.1.weight must be 1 if training.lossWeights are learned: " +
      "current value is 2",
  );
});

Deno.test("resolveConfig() rejects executor with device tensorflow", () => {
  strictEqual(
    failure({ set: ["device=tensorflow", "executor=native"] }),
    "config: executor must be auto on device tensorflow: " +
      'current value is "native"',
  );
});

Deno.test("resolveConfig() rejects early stopping without evaluations", () => {
  const earlyStopping = { metric: "mean", patience: 3, minDelta: 0 };
  strictEqual(
    failure({ file: { training: { earlyStopping, evaluateEvery: null } } }),
    "config: training.evaluateEvery must be a number of steps if " +
      "training.earlyStopping is set: current value is null",
  );
});

Deno.test("findWatchedScores() accepts one score, several, or the mean of the tasks' metrics", () => {
  const { tasks } = resolveConfig();
  const f1 = { task: "conll2003", score: "f1" }, macro = { task: "ag_news", score: "macroF1" };
  deepStrictEqual(findWatchedScores("conll2003.f1", tasks), [f1]);
  deepStrictEqual(findWatchedScores("ag_news.macroF1 + conll2003.f1", tasks), [macro, f1]);
  deepStrictEqual(findWatchedScores("mean", tasks), [{ task: "ag_news", score: "accuracy" }, f1]);
  strictEqual(findWatchedScores("conll2003.f1+", tasks), null);
});

Deno.test("resolveConfig() rejects an unknown preset, a file that is not an object, and --set without =", () => {
  strictEqual(
    failure({ preset: "large" }),
    'config: preset must be one of quickstart, minilm, bert-base: current value is "large"',
  );
  strictEqual(
    failure({ file: [1] }),
    "config: the file must be an object: current value is [1]",
  );
  strictEqual(
    failure({ set: ["seed"] }),
    'config: --set must be like key.path=value: current value is "seed"',
  );
});
