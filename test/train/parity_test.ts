import { ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { adamStep } from "@/train/adamw.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import { createTrainStep } from "@/train/step.ts";
import type { Batch } from "@/text/example.ts";
import { testOnBackends } from "../backend.ts";
import { createTinyModel, formulaValues } from "./tiny_model.ts";

type Numbers = readonly number[];
type StoredBatch = {
  readonly rows: number;
  readonly length: number;
  readonly ids: Numbers;
  readonly mask: Numbers;
  readonly labels: Numbers;
};
type Fixture = {
  readonly bert: { readonly vocab_size: number };
  readonly recipe: {
    readonly steps: number;
    readonly top: number;
    readonly decay: number;
    readonly heads: number;
    readonly weightDecay: number;
    readonly warmup: number;
    readonly clipNorm: number;
    readonly weights: Readonly<Record<string, number>>;
  };
  readonly batches: Readonly<Record<string, readonly StoredBatch[]>>;
  readonly steps: readonly {
    readonly losses: Readonly<Record<string, number>>;
    readonly gradientNorm: number;
  }[];
  /** Sum and Euclidean norm of every parameter after the last step. */
  readonly final: Readonly<Record<string, readonly [number, number]>>;
};

const FIXTURE: Fixture = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/train/steps.json", import.meta.url)),
);

function toBatch({ rows, length, ids, mask, labels }: StoredBatch): Batch {
  return {
    rows,
    length,
    ids: Int32Array.from(ids),
    mask: Int32Array.from(mask),
    labels: Int32Array.from(labels),
    examples: [],
    tokens: 0,
  };
}

/** |a − b| in parts of |b|. */
const relative = (a: number, b: number) => Math.abs(a - b) / Math.abs(b);

testOnBackends(
  "createTrainStep() follows 20 steps of PyTorch 2.13 within 1e-4, both tasks",
  async () => {
    const { recipe, batches, steps, final } = FIXTURE;
    const model = createTinyModel();
    for (const { name, variable } of namedParameters(model)) {
      tf.tidy(() =>
        variable.assign(tf.tensor(formulaValues(name, variable.shape), variable.shape))
      );
    }
    const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    const step = createTrainStep(model, {
      tasks: Object.entries(recipe.weights).map(([name, weight]) => ({ name, weight })),
      rates: recipe,
      weightDecay: recipe.weightDecay,
      adam,
      clipNorm: recipe.clipNorm,
      dropout: { hidden: 0, attention: 0, head: 0 },
    });
    let clipped = 0;
    for (const [s, expected] of steps.entries()) {
      for (const task of Object.keys(recipe.weights)) {
        const stored = batches[task]?.[s % 4];
        ok(stored);
        const { loss, count } = await step.accumulate(task, toBatch(stored), s);
        const wanted = expected.losses[task] ?? NaN;
        ok(relative(loss, wanted) < 1e-4, `step ${s}, ${task}: ${loss} against ${wanted}`);
        strictEqual(count, stored.labels.filter((label) => label >= 0).length);
      }
      const factor = scheduleFactor("linear", s, recipe);
      const { gradientNorm } = await step.update(adamStep(s + 1, factor, adam));
      ok(relative(gradientNorm, expected.gradientNorm) < 1e-3, `step ${s}: norm ${gradientNorm}`);
      if (gradientNorm > recipe.clipNorm) clipped++;
    }
    ok(clipped > 0 && clipped < steps.length, `premise: some steps are clipped, ${clipped} were`);
    for (const { name, variable } of namedParameters(model)) {
      // Softmax does not see a key's bias: its gradient is rounding alone, which Adam scales up.
      if (name.endsWith("key.bias")) continue;
      const values = await variable.data();
      const [, norm] = final[name] ?? [NaN, NaN];
      const ours = Math.hypot(...values);
      ok(relative(ours, norm) < 1e-4, `${name}: norm ${ours} against ${norm}`);
    }
    step.dispose();
    disposeModel(model);
  },
);
