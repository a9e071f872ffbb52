/** Compares mixed-precision training with PyTorch; `test/parity/train_precision_parity.py` writes the fixtures. */
import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { Precision } from "@/engine/options.ts";
import { openEngine } from "@/engine/engine.ts";
import { disposeModel } from "@/model/parameters.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import { createTrainStep, type StepOptions } from "@/train/step.ts";
import { backendOptions, BACKENDS, isAvailable } from "../backend.ts";
import {
  batchesOf,
  createFixtureModel,
  createFixtureTraining,
  meanLoss,
  readFixture,
  relative,
  STEPS,
  TASKS,
} from "./steps_fixture.ts";

type Row = {
  readonly losses: Readonly<Record<string, number>>;
  /** Null if it was not finite. */
  readonly gradientNorm: number | null;
  readonly scale?: number;
  readonly skipped?: boolean;
};
type Fixture = {
  /** Factor on the learning rates of the recipe. */
  readonly rateFactor: number;
  /** `scale`: a loss scale at which a single gradient value overflows; `finite`: one at which none does. */
  readonly marginal: { readonly scale: number; readonly finite: number };
  readonly forced: {
    readonly initial: number;
    readonly growth: number;
    readonly backoff: number;
    readonly interval: number;
    readonly steps: number;
    readonly boost: number;
    readonly at: readonly number[];
  };
  readonly runs: Readonly<
    Record<"float32" | "mixed-bfloat16" | "mixed-float16" | "forced", readonly Row[]>
  >;
};

const { forced, runs, rateFactor, marginal }: Fixture = await readFixture("precision.json");
const HALVES = BACKENDS.filter((backend) => backend !== "cpu");
const LOSS_SCALE = { initial: 65536, growth: 2, backoff: 0.5, interval: 2000 };

/** Trains as many steps as PyTorch's `rows` have, and returns our rows. */
async function followRun(
  rows: readonly Row[],
  { lossScale, boosts = [] }: {
    readonly lossScale: typeof LOSS_SCALE | null;
    readonly boosts?: readonly number[];
  },
): Promise<Row[]> {
  const before = tf.memory().numTensors;
  const model = createFixtureModel();
  const { warmup, weights, clipNorm } = STEPS.recipe;
  const options: Omit<StepOptions, "tasks"> = {
    schedule: (step) => rateFactor * scheduleFactor("linear", step, { steps: rows.length, warmup }),
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    clipNorm,
    dropout: { hidden: 0, attention: 0, head: 0 },
    lossScale,
    seed: 1,
  };
  const { parameters, trainStep, dispose, ...training } = createFixtureTraining(model, options);
  // Larger task weights make the gradients overflow.
  const boosted = createTrainStep(model, parameters, {
    ...options,
    tasks: Object.entries(weights).map(([name, weight]) => ({
      name,
      weight: forced.boost * weight,
    })),
  });
  let { state } = training;
  const found: Row[] = [];
  for (const s of rows.keys()) {
    const [next, metrics] = await (boosts.includes(s) ? boosted : trainStep)(state, batchesOf(s));
    state = next;
    const { gradientNorm, skipped } = metrics;
    found.push({
      losses: Object.fromEntries(TASKS.map((task) => [task, meanLoss(metrics, task)])),
      gradientNorm: Number.isFinite(gradientNorm) ? gradientNorm : null,
      ...(state.lossScaler !== null && { scale: state.lossScaler.scale, skipped }),
    });
  }
  dispose();
  disposeModel(model);
  deepStrictEqual(tf.memory().numTensors, before, "leaks tensors");
  return found;
}

/** The largest relative difference between losses. */
function worstLoss(found: readonly Row[], wanted: readonly Row[]): number {
  return Math.max(
    ...wanted.flatMap(({ losses }, s) =>
      TASKS.map((task) => relative(found[s]?.losses[task] ?? NaN, losses[task] ?? NaN))
    ),
  );
}

for (const backend of HALVES) {
  const ignore = !isAvailable(backend);
  const open = (precision: Precision) => openEngine({ ...backendOptions(backend), precision });

  for (const [precision, within] of [["mixed-bfloat16", 1e-2], ["mixed-float16", 2e-3]] as const) {
    Deno.test({
      name:
        `createTrainStep() matches 50 steps of PyTorch 2.13 in ${precision} within ${within} [${backend}]`,
      ignore,
      async fn() {
        await open(precision);
        const lossScale = precision === "mixed-float16" ? LOSS_SCALE : null;
        const found = await followRun(runs[precision], { lossScale });
        const worst = worstLoss(found, runs[precision]);
        ok(worst < within, `worst ${worst}`);
        ok(worstLoss(found, runs.float32) > 1e-5, "premise: matrix products were rounded");
        if (lossScale === null) return;
        const decisions = ({ scale, skipped }: Row) => [scale, skipped];
        deepStrictEqual(found.map(decisions), runs[precision].map(decisions));
      },
    });
  }

  Deno.test({
    name: `a step is skipped if the gradient of a single weight overflows [${backend}]`,
    ignore,
    async fn() {
      await open("mixed-float16");
      const skips = async (initial: number) => {
        const [row] = await followRun(runs.forced.slice(0, 1), {
          lossScale: { ...LOSS_SCALE, initial },
        });
        return row?.skipped;
      };
      deepStrictEqual([await skips(marginal.finite), await skips(marginal.scale)], [false, true]);
    },
  });

  Deno.test({
    name: `the loss scale follows PyTorch's GradScaler through forced overflows [${backend}]`,
    ignore,
    async fn() {
      await open("mixed-float16");
      const found = await followRun(runs.forced, { lossScale: forced, boosts: forced.at });
      const decisions = ({ scale, skipped, gradientNorm }: Row) => [
        scale,
        skipped,
        gradientNorm === null,
      ];
      deepStrictEqual(found.map(decisions), runs.forced.map(decisions));
      const skips = runs.forced.filter(({ skipped }) => skipped).length;
      ok(skips === forced.at.length, "premise: PyTorch skipped only the forced steps");
      // Skipped steps count for the schedule, but not for bias correction and moments.
      const worst = worstLoss(found, runs.forced);
      ok(worst < 1e-2, `worst ${worst}`);
    },
  });
}
