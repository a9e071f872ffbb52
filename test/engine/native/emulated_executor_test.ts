/**
 * Compares entire programs on an emulated aarch64 processor with the executor `native` on this one.
 */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { type Precision, PRECISIONS } from "@/engine/options.ts";
import { RecordingBackend } from "@/engine/backend.ts";
import { openEngine } from "@/engine/engine.ts";
import { jit } from "@/engine/jit.ts";
import { FEATURES } from "@/engine/native/abi.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { dropout, gelu } from "@/engine/neural.ts";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { batchesOf, createFixtureTraining, meanLoss, TASKS } from "../../train/steps_fixture.ts";
import { createTinyModel } from "../../train/tiny_model.ts";
import { startEmulatedExecutor } from "./emulated_executor.ts";
import { findEmulation } from "./emulation.ts";
import { assertClose, type Values } from "./compare_outputs.ts";
import { type Case, CASES, tensor } from "./executor_cases.ts";

const THREADS = 3;

const emulation = findEmulation();
const reason = "missing" in emulation
  ? emulation.missing
  : findCompiler() === null
  ? "no C compiler"
  : null;
const executor = "missing" in emulation || reason !== null
  ? null
  : await startEmulatedExecutor(emulation, THREADS);
if (executor !== null) Deno.test.afterAll(() => executor.close());

/** The processor on which programs of `jit` run. */
type Place = "here" | "emulated";

/** Selects the processor for the following programs. */
async function openPlace(place: Place, precision: Precision): Promise<void> {
  const notes: string[] = [];
  const onNote = (note: string) => notes.push(note);
  await openEngine({ executor: "native", threads: THREADS, precision, onNote });
  deepStrictEqual(notes, []);
  const backend = tf.backend();
  ok(backend instanceof RecordingBackend && executor !== null);
  if (place === "emulated") backend.traced.compileWith(executor, precision);
}

/** Outputs of a case's second run, in which weights are already packed. */
async function runCase(place: Place, { inputs, run }: Case, precision: Precision): Promise<Values> {
  await openPlace(place, precision);
  const given = inputs() as Record<string, tf.Tensor>, program = jit("case", run);
  tf.dispose(await program(given));
  const outputs = await program(given);
  const values: Values = {};
  for (const [name, output] of Object.entries(outputs)) values[name] = [...await output.data()];
  tf.dispose([given, outputs]);
  program.release();
  return values;
}

function testEmulated(name: string, body: () => Promise<void>): void {
  const full = `on NEON, emulated: ${name}${reason === null ? "" : `: skipped, ${reason}`}`;
  Deno.test({ name: full, ignore: reason !== null, fn: body });
}

testEmulated("the runtime finds NEON and nothing else", () => {
  strictEqual(executor?.features, FEATURES.neon);
  return Promise.resolve();
});

for (const [name, program] of Object.entries(CASES)) {
  testEmulated(name, async () => {
    const emulated = await runCase("emulated", program, "float32");
    assertClose(emulated, await runCase("here", program, "float32"), 2e-5);
  });
}

/** Operations with bitwise equal results: masks, selections, conversions; with NaN and infinities if they apply. */
const EXACT: Record<string, Case> = {
  "dropout masks, forward and backward": {
    inputs: () => ({ x: tensor([37, 3, 21]), seed: tf.scalar(-123456789, "int32") }),
    run: ({ x, seed }) => {
      const drop = (x: tf.Tensor) =>
        dropout(x, { rate: 0.25, site: "somewhere", seed: seed as tf.Scalar });
      return { dropped: drop(x!), gradient: tf.grad((x) => tf.sum(drop(x)))(x!) };
    },
  },
  "nonfinite numbers in comparisons, selections, conversions and reductions": {
    inputs: () => ({
      x: tf.tensor2d([NaN, Infinity, -Infinity, 0, -0, 1e-40, 3e38, -200.5, 100.5, 1, 2, NaN], [
        3,
        4,
      ]),
      y: tf.tensor2d([NaN, 1, NaN, -0, 0, 0, Infinity, -200.5, -Infinity, NaN, 3, 0], [3, 4]),
    }),
    run: ({ x, y }) => ({
      greater: tf.greater(x!, y!),
      less: tf.lessEqual(x!, y!),
      equal: tf.equal(x!, y!),
      unequal: tf.notEqual(x!, y!),
      chosen: tf.where(tf.greaterEqual(x!, y!), x!, y!),
      truth: tf.cast(x!, "bool"),
      whole: tf.cast(tf.clipByValue(tf.mul(y!, 1.5), -1e9, 1e9), "int32"),
      sign: tf.sign(x!),
      round: tf.round(tf.mul(x!, 0.5)),
      floor: tf.floor(y!),
      most: tf.maximum(x!, y!),
      rowMost: tf.max(x!, 1),
      least: tf.min(x!, 0),
      place: tf.argMax(x!, 0),
      sum: tf.sum(y!, 1),
      relu: tf.relu(x!),
      logarithm: tf.isNaN(tf.log(tf.neg(tf.abs(x!)))),
      root: tf.sqrt(x!),
      softmax: tf.isNaN(tf.softmax(x!)),
    }),
  },
};
for (const [name, program] of Object.entries(EXACT)) {
  testEmulated(name, async () => {
    const emulated = await runCase("emulated", program, "float32");
    deepStrictEqual(emulated, await runCase("here", program, "float32"));
  });
}

const PRODUCTS: Case = {
  inputs: () => ({ x: tensor([33, 70]), w: tensor([41, 70], 1), bias: tensor([41], 2) }),
  run: ({ x, w, bias }) => {
    const hidden = tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true), bias!);
    return {
      hidden: tf.mul(hidden, 1),
      scores: tf.softmax(tf.matMul(gelu(hidden), gelu(hidden), false, true)),
    };
  },
};
for (const precision of PRECISIONS) {
  testEmulated(`products in ${precision}`, async () => {
    const emulated = await runCase("emulated", PRODUCTS, precision);
    // Another order of summation may round to the adjacent bfloat16: 2⁻⁸ of the value.
    assertClose(emulated, await runCase("here", PRODUCTS, precision), 2 ** -8);
  });
}

/** Losses, gradient norms and parameters of two training steps of a tiny BERT with dropout. */
async function train(place: Place, precision: Precision): Promise<Values> {
  await openPlace(place, precision);
  const model = createTinyModel(1);
  const { trainStep, dispose, ...training } = createFixtureTraining(model, {
    dropout: { hidden: 0.1, attention: 0.1, head: 0.1 },
  });
  let { state } = training;
  const losses: number[] = [], norms: number[] = [], parameters: number[] = [];
  for (const turn of [0, 1]) {
    const [next, metrics] = await trainStep(state, batchesOf(turn));
    state = next;
    losses.push(...TASKS.map((task) => meanLoss(metrics, task)));
    norms.push(metrics.gradientNorm);
  }
  for (const { variable } of namedParameters(model)) parameters.push(...await variable.data());
  dispose();
  disposeModel(model);
  return { losses, norms, parameters };
}

for (const precision of PRECISIONS) {
  testEmulated(`training steps of a tiny BERT in ${precision}`, async () => {
    const emulated = await train("emulated", precision);
    // Parameters of about 1 have changed by some thousandths; for half types, see above.
    const tolerance = precision === "float32" ? 1e-5 : 2 ** -8;
    assertClose(emulated, await train("here", precision), tolerance);
  });
}

testEmulated("a index out of range is told", async () => {
  await openPlace("emulated", "float32");
  const inputs = { table: tensor([10, 4]), rows: tf.tensor1d([1, 10, 2], "int32") };
  const look = jit("look up", ({ table, rows }: { table: tf.Tensor; rows: tf.Tensor1D }) => ({
    found: tf.mul(tf.gather(table, rows), 2),
  }));
  await rejects(look(inputs), { message: /^instruction \d+ found an index out of range$/ });
  tf.dispose(inputs);
});
