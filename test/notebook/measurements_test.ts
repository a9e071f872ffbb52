import { ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { tryPrecision } from "@/notebook/measurements.ts";

Deno.test("tryPrecision() finds rounding errors in a matmul and none in a softmax", async () => {
  await openEngine();
  const before = tf.memory().numTensors;
  const exact = await tryPrecision("float32");
  const bfloat16 = await tryPrecision("mixed-bfloat16");
  const float16 = await tryPrecision("mixed-float16");
  await openEngine();
  ok(tf.memory().numTensors === before, "tensors left behind");
  // half a unit in the last digit of an operand is 2^-9 and 2^-12 of it; 256 of them add up by chance
  ok(exact.matmul < 2 ** -18, JSON.stringify(exact));
  ok(bfloat16.matmul > 2 ** -10 && bfloat16.matmul < 2 ** -6, JSON.stringify(bfloat16));
  ok(float16.matmul > 2 ** -13 && float16.matmul < 2 ** -9, JSON.stringify(float16));
  for (const { softmax } of [exact, bfloat16, float16]) ok(softmax < 2 ** -20);
});
