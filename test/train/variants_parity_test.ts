/** Compares training variants with PyTorch; `test/parity/train_variants_parity.py` writes the fixtures. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { stageOfStep } from "@/train/freezing.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import type { StepOptions } from "@/train/step.ts";
import { weighMicroBatches } from "@/train/train_loop.ts";
import { testOnBackends } from "../backend.ts";
import {
  batchOf,
  createFixtureModel,
  createFixtureStep,
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

type Variant = Omit<Partial<StepOptions>, "tasks"> & {
  readonly turns?: boolean;
  readonly accumulate?: number;
};

const VARIANTS: Readonly<Record<string, Variant>> = {
  "one task a step": { turns: true },
  "two batches a step": { accumulate: 2 },
  "learned loss weights": { lossWeights: "uncertainty" },
  "frozen": { freeze: ["embeddings", "layers<1", "heads.topic"] },
  "unfrozen one by one": { gradualUnfreezing: true },
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
    const step = createFixtureStep(model, options);
    for (const [s, expected] of rows.entries()) {
      const stage = stageOfStep(s, options.gradualUnfreezing ? stepsPerStage : null);
      for (const task of inTurn ? [turns[s % turns.length] ?? ""] : TASKS) {
        const batches = Array.from(
          { length: accumulate },
          (_, i) => batchOf(task, s * accumulate + i),
        );
        const weights = weighMicroBatches(batches);
        let mean = 0;
        for (const [i, batch] of batches.entries()) {
          const batchWeight = weights[i] ?? NaN;
          mean += batchWeight *
            (await step.accumulate(task, batch, s, { batchWeight, stage })).loss;
        }
        const wanted = expected.losses[task] ?? NaN;
        ok(relative(mean, wanted) < 1e-4, `step ${s}, ${task}: ${mean} against ${wanted}`);
      }
      const factor = scheduleFactor("linear", s, {
        steps: rows.length,
        warmup: STEPS.recipe.warmup,
      });
      const { gradientNorm } = await step.update({ factor, stage });
      ok(relative(gradientNorm, expected.gradientNorm) < 1e-3, `step ${s}: norm ${gradientNorm}`);
      const variances = await step.readLogVariances();
      deepStrictEqual(Object.keys(variances), expected.logVariances ? TASKS : []);
      for (const [task, wanted] of Object.entries(expected.logVariances ?? {})) {
        const found = variances[task] ?? NaN;
        ok(Math.abs(found - wanted) < 1e-4, `step ${s}, log variance of ${task}: ${found}`);
      }
    }
    step.dispose();
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
  const step = createFixtureStep(model, { freeze: ["layers<2", "heads.tags"] });
  for (const task of TASKS) await step.accumulate(task, batchOf(task, 0), 0);
  await step.update({ factor: 1 });
  const after = await read();
  const changed = (name: string) => before.get(name) !== after.get(name);
  const names = [...before.keys()].filter((name) => !name.startsWith("pooler."));
  const frozen = /^encoder\.layer\.|^heads\.tags\./;
  deepStrictEqual(names.filter(changed), names.filter((name) => !frozen.test(name)));
  ok(
    !step.parameters.some(({ plan }) => frozen.test(plan.name)),
    "frozen parameters are in no program",
  );
  step.dispose();
  disposeModel(model);
});

testOnBackends(
  "createTrainStep() rejects freezing missing layers, or all parameters of a task",
  () => {
    const model = createFixtureModel();
    throws(() => createFixtureStep(model, { freeze: ["layers<3"] }), {
      name: "RangeError",
      message: "Cannot freeze layers<3: the encoder has only 2 layers; change training.freeze",
    });
    throws(() => createFixtureStep(model, { freeze: ["encoder", "heads.tags"] }), {
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
    const step = createFixtureStep(model, { lossScale });
    const advance = async (s: number) => {
      const task = turns[s % turns.length] ?? "";
      const { loss } = await step.accumulate(task, batchOf(task, s), s);
      return { loss, ...await step.update({ factor: 1 }) };
    };
    for (let s = 0; s < 5; s++) await advance(s);
    const state = await step.readState();
    deepStrictEqual(state, {
      updates: { "topic+tags 0": 5, "topic 0": 3, "tags 0": 2 },
      lossScaler: { scale: 4096, streak: 1 }, // grown after steps 2 and 4
    });
    const slots = step.parameters.flatMap(({ weight, first, second }) => [weight, first, second]);
    const saved = slots.map((variable) => variable.clone());
    const first = [await advance(5), await advance(6)];
    step.restoreState(JSON.parse(JSON.stringify(state)));
    slots.forEach((variable, i) => variable.assign(saved[i] ?? variable));
    deepStrictEqual([await advance(5), await advance(6)], first);
    tf.dispose(saved);
    step.dispose();
    disposeModel(model);
  },
);
