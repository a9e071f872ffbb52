/** The device itself, tested if TensorFlow's library is installed. */
import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { computeDropoutMask } from "@/engine/dropout_mask.ts";
import { currentEngine, openEngine } from "@/engine/engine.ts";
import type { EngineOptions } from "@/engine/options.ts";
import { jit } from "@/engine/jit.ts";
import { dropoutMask } from "@/engine/neural.ts";
import { readEngineTimes } from "@/engine/timing.ts";
import { isAvailable } from "../../backend.ts";

/** Runs `test` on the device and fails if it leaves tensors behind. */
function testDevice(
  name: string,
  options: Omit<EngineOptions, "device">,
  test: () => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !isAvailable("tensorflow"),
    async fn() {
      await openEngine({ ...options, device: "tensorflow" });
      const { numTensors, numDataBuffers } = tf.memory();
      await test();
      strictEqual(tf.memory().numTensors - numTensors, 0, "tensors left behind");
      strictEqual(tf.memory().numDataBuffers - numDataBuffers, 0, "values left behind");
    },
  });
}

testDevice("openEngine() returns the version of TensorFlow", {}, async () => {
  const opened = await openEngine({ device: "tensorflow" });
  const { version, threads, ...rest } = opened;
  deepStrictEqual(rest, { device: "tensorflow", name: "eager", precision: "float32" });
  match(version, /^TensorFlow \d+\.\d+\.\d+\S* on [CG]PU$/);
  ok(threads >= 1);
  deepStrictEqual(currentEngine(), opened);
  await tf.setBackend("cpu");
  strictEqual(currentEngine(), null);
  strictEqual((await openEngine()).device, "cpu");
  strictEqual(currentEngine()?.device, "cpu");
});

testDevice("dropoutMask() is equal on every executor", {}, async () => {
  for (
    const [shape, rate] of [[[64, 33], 0.1], [[2, 3, 5, 7], 0.5], [[11], 0.9], [[], 0.3]] as const
  ) {
    for (const seed of [0, 1, -7, 2 ** 31 - 1]) {
      const attributes = { shape: [...shape], rate, site: "layer.0.output" };
      const mask = tf.tidy(() =>
        dropoutMask(attributes.shape, { ...attributes, seed: tf.scalar(seed, "int32") })
      );
      deepStrictEqual(mask.shape, attributes.shape);
      deepStrictEqual(Float32Array.from(await mask.data()), computeDropoutMask(seed, attributes));
      mask.dispose();
    }
  }
});

testDevice("only matrix products round their operands to bfloat16", {
  precision: "mixed-bfloat16",
}, async () => {
  // 1.01 is 1.0078125 in bfloat16, and the next bfloat16 above 3 is 3.015625. 3 · 1.0078125 = 3.0234375
  // is halfway between 3.015625 and 3.03125 and rounds to the even one
  const sums = tf.tidy(() => [
    tf.matMul(tf.fill([1, 3], 1.01), tf.fill([3, 1], 1)),
    tf.sum(tf.fill([3], 1.01)),
  ]);
  const [product = NaN, sum = NaN] = await Promise.all(
    sums.map(async (each) => (await each.data())[0] ?? NaN),
  );
  strictEqual(product, 3.03125);
  ok(Math.abs(sum - 3.03) < 1e-6);
  tf.dispose(sums);
});

testDevice(
  "jit() updates variables, frees its tensors and does not block the event loop",
  {},
  async () => {
    const total = tf.tidy(() => tf.variable(tf.scalar(0)));
    const grow = jit("grow", ({ by }: { by: tf.Scalar }) => {
      total.assign(tf.add(total, tf.mul(by, 2)) as tf.Scalar);
      return { half: tf.div(total, 2) };
    });
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const { runs } = readEngineTimes();
    const held = tf.memory().numTensors;
    for (let i = 1; i <= 20; i++) {
      const by = tf.scalar(1);
      const { half } = await grow({ by });
      strictEqual((await half.data())[0], i);
      tf.dispose([by, half]);
      strictEqual(tf.memory().numTensors, held);
      while (i === 20 && turns === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    clearInterval(timer);
    ok(readEngineTimes().runs >= runs + 60, "each operation is timed");
    total.dispose();
  },
);

testDevice("openEngine() rejects a second library in one process", {}, async () => {
  const library = await Deno.makeTempDir();
  try {
    await rejects(openEngine({ device: "tensorflow", library }), (error) => {
      ok(error instanceof TypeError);
      match(
        error.message,
        /^Cannot open the TensorFlow library of \S+: this process has already loaded \S+\/libtensorflow\S+$/,
      );
      return true;
    });
  } finally {
    await Deno.remove(library);
  }
});
