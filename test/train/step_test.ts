/** The contract of a training step: what it returns, what it changes in place, and which layers it leaves out. */
import { deepStrictEqual, notDeepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type * as tf from "@tensorflow/tfjs";
import { onCompile } from "@/engine/jit.ts";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import type { StepBatches, TrainState } from "@/train/step.ts";
import { readLogVariances } from "@/train/trained_parameters.ts";
import { isAvailable, openBackend, testOnBackends } from "../backend.ts";
import {
  batchesOf,
  createFixtureModel,
  createFixtureTraining,
  type FixtureOptions,
  meanLoss,
  TASKS,
} from "./steps_fixture.ts";
import { createTinyModel } from "./tiny_model.ts";

const LOSS_SCALE = { initial: 1024, growth: 2, backoff: 0.5, interval: 2 };

/** The numbers of a state. */
const numbersOf = ({ parameters: _parameters, ...numbers }: TrainState) => structuredClone(numbers);

async function read(variables: Iterable<tf.Variable>): Promise<readonly (readonly number[])[]> {
  const values: number[][] = [];
  for (const variable of variables) values.push([...await variable.data()]);
  return values;
}

/** Runs steps on one batch of each task and returns their weights and metrics. */
async function train(
  options: FixtureOptions,
  steps: readonly StepBatches[] = [batchesOf(0)],
  model = createFixtureModel(),
) {
  const { trainStep, dispose, ...training } = createFixtureTraining(model, options);
  let { state } = training;
  const metrics = [];
  for (const batches of steps) {
    const [next, found] = await trainStep(state, batches);
    state = next;
    metrics.push(found);
  }
  const weights = await read(namedParameters(model).map(({ variable }) => variable));
  const logVariances = await readLogVariances(state.parameters);
  dispose();
  disposeModel(model);
  return { weights, metrics, logVariances };
}

testOnBackends("a step returns a new state and leaves the numbers of the old one", async () => {
  const model = createFixtureModel();
  const { trainStep, dispose, parameters, state } = createFixtureTraining(model, {
    lossScale: { ...LOSS_SCALE, interval: 1 },
  });
  const before = numbersOf(state);
  const [next, { skipped }] = await trainStep(state, batchesOf(0, ["topic"]));
  strictEqual(skipped, false);
  deepStrictEqual(numbersOf(state), before);
  deepStrictEqual(numbersOf(next), {
    step: 1,
    skipped: 0,
    updates: { "topic+tags 0": 1, "topic 0": 1, "tags 0": 0 },
    lossScaler: { scale: 2048, streak: 0 },
  });
  const gradients = await read(parameters.map(({ gradient }) => gradient));
  ok(gradients.flat().every((value) => value === 0), "gradients are zero between steps");
  dispose();
  disposeModel(model);
});

testOnBackends("a step refuses a state that another step has consumed", async () => {
  const model = createFixtureModel();
  const { trainStep, dispose, state } = createFixtureTraining(model);
  const [next] = await trainStep(state, batchesOf(0));
  await rejects(trainStep(state, batchesOf(0)), {
    name: "TypeError",
    message: "internal: a step has already updated the tensors of this state",
  });
  await rejects(trainStep({ ...next, parameters: [...next.parameters] }, batchesOf(1)), {
    name: "TypeError",
    message: "internal: the state has the parameters of another model",
  });
  await trainStep(next, batchesOf(1));
  dispose();
  disposeModel(model);
});

testOnBackends("a step reports sums over labels and the number of tokens", async () => {
  const batches = new Map([...batchesOf(0, TASKS, 2)].map(([task, parts]) => [
    task,
    parts.map((batch) => ({ ...batch, tokens: 7 })),
  ]));
  const { metrics: [both] } = await train({}, [batches]);
  const labels = (task: string) =>
    batches.get(task)?.map(({ labels }) => labels.filter((label) => label >= 0).length) ?? [];
  strictEqual(both?.tokens, 7 * 2 * TASKS.length);
  for (const task of TASKS) {
    const [a = 0, b = 0] = labels(task);
    strictEqual(both.losses[task]?.count, a + b);
    const alone = [];
    for (const batch of batches.get(task) ?? []) {
      const { metrics: [one] } = await train({}, [new Map([[task, [batch]]])]);
      alone.push(one ? meanLoss(one, task) : NaN);
    }
    const wanted = ((alone[0] ?? NaN) * a + (alone[1] ?? NaN) * b) / (a + b);
    ok(Math.abs(meanLoss(both, task) - wanted) < 1e-5, `${task}: ${meanLoss(both, task)}`);
  }
});

testOnBackends(
  "a task that is not in a step leaves its own parameters bitwise unchanged",
  async () => {
    const model = createFixtureModel();
    const { trainStep, dispose, state, parameters } = createFixtureTraining(model);
    const own = (task: string) =>
      parameters.filter(({ tasks }) => tasks.join() === task).map(({ weight }) => weight);
    const tags = await read(own("tags")), topic = await read(own("topic"));
    await trainStep(state, batchesOf(0, ["topic"]));
    deepStrictEqual(await read(own("tags")), tags);
    notDeepStrictEqual(await read(own("topic")), topic);
    dispose();
    disposeModel(model);
  },
);

testOnBackends(
  "a power of two as loss scale changes no weight, and an overflow skips the step",
  async () => {
    const plain = await train({}), scaled = await train({ lossScale: LOSS_SCALE });
    plain.weights.flat().forEach((weight, i) =>
      ok(Math.abs(weight - (scaled.weights.flat()[i] ?? NaN)) < 1e-5)
    );
    deepStrictEqual(scaled.metrics[0]?.skipped, false);
    const model = createFixtureModel();
    const { trainStep, dispose, state, parameters } = createFixtureTraining(model, {
      lossScale: { ...LOSS_SCALE, initial: 1e38 },
    });
    const slots = parameters.flatMap(({ weight, first, second }) => [weight, first, second]);
    const before = await read(slots);
    const [next, { skipped }] = await trainStep(state, batchesOf(0));
    strictEqual(skipped, true);
    deepStrictEqual(await read(slots), before);
    deepStrictEqual([next.step, next.skipped, Object.values(next.updates)], [1, 1, [0, 0, 0]]);
    strictEqual(next.lossScaler?.scale, Math.fround(Math.fround(1e38) / 2));
    dispose();
    disposeModel(model);
  },
);

testOnBackends("uncertainty weights are learned, and fixed ones have no log variance", async () => {
  const fixed = await train({}), learned = await train({ lossWeights: "uncertainty" });
  deepStrictEqual(fixed.logVariances, {});
  deepStrictEqual(Object.keys(learned.logVariances), TASKS);
  // s starts at 0, where the derivative of exp(−s)·L + s/2 is 1/2 − L < 0: Adam raises s by the rate of the heads.
  for (const value of Object.values(learned.logVariances)) ok(value > 0);
});

testOnBackends("clipping to a norm above the gradient's changes no bit", async () => {
  const none = await train({ clipNorm: null }), high = await train({ clipNorm: 1e6 });
  deepStrictEqual(high, none);
  const low = await train({ clipNorm: 1e-3 });
  strictEqual(low.metrics[0]?.gradientNorm, none.metrics[0]?.gradientNorm);
  notDeepStrictEqual(low.weights, none.weights);
});

testOnBackends("gradual unfreezing trains only the heads in its first stage", async () => {
  const model = createFixtureModel();
  const { trainStep, dispose, parameters, ...training } = createFixtureTraining(model, {
    gradualUnfreezing: true,
    stepsPerStage: 1,
  });
  let { state } = training;
  const changed: string[][] = [];
  for (const step of [0, 1]) {
    const before = await read(parameters.map(({ weight }) => weight));
    [state] = await trainStep(state, batchesOf(step));
    const after = await read(parameters.map(({ weight }) => weight));
    const groups = parameters.flatMap(({ plan: { group } }, i) =>
      after[i]?.join() === before[i]?.join() ? [] : [group]
    );
    changed.push([...new Set(groups)].sort());
  }
  deepStrictEqual(changed, [["heads"], ["heads", "layer 1"]]);
  dispose();
  disposeModel(model);
});

Deno.test({
  name: "steps compile one gradient program per task, and one update program per set of tasks",
  ignore: !isAvailable("native"),
  async fn() {
    await openBackend("native");
    const compiled: string[] = [];
    onCompile((name) => void compiled.push(name));
    const both = [batchesOf(0), batchesOf(0)], topic = [batchesOf(0, ["topic"])];
    const model = createTinyModel(1, { maxPositions: 64 });
    await train({}, [...both, ...topic, ...both, ...topic], model);
    onCompile(() => {});
    deepStrictEqual(compiled, [...TASKS.map((task) => `gradient.${task}`), "update", "update"]);
  },
});
