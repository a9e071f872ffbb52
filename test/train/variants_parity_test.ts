/** Compares training variants with PyTorch; `test/parity/train_variants_parity.py` writes the fixtures. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import { readLogVariances } from "@/train/trained_parameters.ts";
import { testOnBackends } from "../backend.ts";
import {
  batchesOf,
  createFixtureModel,
  createFixtureTraining,
  type FixtureOptions,
  meanLoss,
  readFixture,
  relative,
  STEPS,
  TASKS,
} from "./steps_fixture.ts";

type Row = {
  readonly losses: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
  readonly logVariances?: Readonly<Record<string, number>>;
};
type Fixture = {
  readonly stepsPerStage: number;
  readonly turns: readonly string[];
  readonly runs: Readonly<Record<string, readonly Row[]>>;
};

const { stepsPerStage, turns, runs }: Fixture = await readFixture("variants.json");

type Variant = FixtureOptions & {
  readonly turns?: boolean;
  readonly accumulate?: number;
};

const VARIANTS: Readonly<Record<string, Variant>> = {
  "one task a step": { turns: true },
  "two batches a step": { accumulate: 2 },
  "learned loss weights": { lossWeights: "uncertainty" },
  "frozen": { freeze: ["embeddings", "layers<1", "heads.topic"] },
  "unfrozen one by one": { gradualUnfreezing: true, stepsPerStage },
};

for (
  const [name, { turns: inTurn = false, accumulate = 1, ...options }] of Object.entries(
    VARIANTS,
  )
) {
  testOnBackends(`createTrainStep() matches PyTorch 2.13 within 1e-4: ${name}`, async () => {
    const rows = runs[name] ?? [];
    strictEqual(rows.length, 16);
    const model = createFixtureModel();
    const { warmup } = STEPS.recipe;
    const { trainStep, dispose, ...training } = createFixtureTraining(model, {
      ...options,
      schedule: (step) => scheduleFactor("linear", step, { steps: rows.length, warmup }),
    });
    let { state } = training;
    for (const [s, expected] of rows.entries()) {
      const tasks = inTurn ? [turns[s % turns.length] ?? ""] : TASKS;
      const [next, metrics] = await trainStep(state, batchesOf(s, tasks, accumulate));
      state = next;
      for (const task of tasks) {
        const loss = meanLoss(metrics, task);
        const wanted = expected.losses[task] ?? NaN;
        ok(relative(loss, wanted) < 1e-4, `step ${s}, ${task}: ${loss} against ${wanted}`);
      }
      const { gradientNorm } = metrics;
      ok(relative(gradientNorm, expected.gradientNorm) < 1e-3, `step ${s}: norm ${gradientNorm}`);
      const variances = await readLogVariances(state.parameters);
      deepStrictEqual(Object.keys(variances), expected.logVariances ? TASKS : []);
      for (const [task, wanted] of Object.entries(expected.logVariances ?? {})) {
        const found = variances[task] ?? NaN;
        ok(Math.abs(found - wanted) < 1e-4, `step ${s}, log variance of ${task}: ${found}`);
      }
    }
    dispose();
    disposeModel(model);
  });
}

testOnBackends("createTrainStep() leaves frozen parameters bitwise unchanged", async () => {
  const model = createFixtureModel();
  const read = async () =>
    new Map(
      await Promise.all(
        namedParameters(model).map(async ({ name, variable }) =>
          [name, [...await variable.data()].join()] as const
        ),
      ),
    );
  const before = await read();
  const { state, trainStep, dispose } = createFixtureTraining(model, {
    freeze: ["layers<2", "heads.tags"],
  });
  await trainStep(state, batchesOf(0));
  const after = await read();
  const changed = (name: string) => before.get(name) !== after.get(name);
  const names = [...before.keys()].filter((name) => !name.startsWith("pooler."));
  const frozen = /^encoder\.layer\.|^heads\.tags\./;
  deepStrictEqual(names.filter(changed), names.filter((name) => !frozen.test(name)));
  ok(
    !state.parameters.some(({ plan }) => frozen.test(plan.name)),
    "frozen parameters are in no program",
  );
  dispose();
  disposeModel(model);
});

testOnBackends(
  "createTrainedParameters() rejects freezing missing layers, or all parameters of a task",
  () => {
    const model = createFixtureModel();
    throws(() => createFixtureTraining(model, { freeze: ["layers<3"] }), {
      name: "RangeError",
      message: "Cannot freeze layers<3: the encoder has only 2 layers; change training.freeze",
    });
    throws(() => createFixtureTraining(model, { freeze: ["encoder", "heads.tags"] }), {
      name: "RangeError",
      message: "Cannot train tags: none of its parameters learns from the first step; " +
        "change training.freeze (encoder, heads.tags)",
    });
    disposeModel(model);
  },
);

testOnBackends(
  "createTrainStep() continues exactly from a saved state, including the loss scale",
  async () => {
    const lossScale = { initial: 1024, growth: 2, backoff: 0.5, interval: 2 };
    const model = createFixtureModel();
    const { parameters, trainStep, dispose, ...training } = createFixtureTraining(model, {
      lossScale,
    });
    let { state } = training;
    const advance = async () => {
      const batches = batchesOf(state.step, [turns[state.step % turns.length] ?? ""]);
      const [next, metrics] = await trainStep(state, batches);
      state = next;
      return metrics;
    };
    for (let s = 0; s < 5; s++) await advance();
    const { parameters: _parameters, ...numbers } = state;
    deepStrictEqual(numbers, {
      step: 5,
      skipped: 0,
      updates: { "topic+tags 0": 5, "topic 0": 3, "tags 0": 2 },
      lossScaler: { scale: 4096, streak: 1 }, // grown after steps 2 and 4
    });
    const slots = parameters.flatMap(({ weight, first, second }) => [weight, first, second]);
    const saved = slots.map((variable) => variable.clone());
    const first = [await advance(), await advance()];
    state = { ...JSON.parse(JSON.stringify(numbers)), parameters };
    slots.forEach((variable, i) => variable.assign(saved[i] ?? variable));
    deepStrictEqual([await advance(), await advance()], first);
    tf.dispose(saved);
    dispose();
    disposeModel(model);
  },
);
