import { deepStrictEqual, rejects } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { listFallbacks } from "@/engine/fallbacks.ts";
import type { EngineOptions } from "@/engine/options.ts";

Deno.test("openEngine() reports each fallback once", async () => {
  const notes: string[] = [];
  await openEngine({ executor: "onnx", onNote: (note) => notes.push(note) });
  const x = tf.tensor1d([3, 1, 3]);
  for (let i = 0; i < 2; i++) tf.dispose(tf.unique(x));
  tf.dispose([tf.add(x, 1), x]);
  const to = "TensorFlow.js's JavaScript kernel";
  deepStrictEqual(
    listFallbacks().filter(({ subject }) => subject === "Unique"),
    [{ subject: "Unique", to, reason: "it is not compiled" }],
  );
  deepStrictEqual(notes, [
    "Unique falls back to TensorFlow.js's JavaScript kernel because it is not compiled",
  ]);
});

Deno.test("openEngine() rejects an unknown device, executor, precision or instruction set", async () => {
  const untyped = (options: unknown) => openEngine(options as EngineOptions);
  await rejects(untyped({ device: "gpu" }), {
    name: "RangeError",
    message: "Cannot open the engine: device must be one of cpu, tensorflow, but is gpu",
  });
  await rejects(
    untyped({ executor: "c" }),
    /executor must be one of auto, onnx, native, but is c$/,
  );
  await rejects(untyped({ precision: "half" }), /precision must be one of float32, .* half$/);
  await rejects(
    untyped({ isa: "sse9" }),
    /isa must be one of native, avx512, avx2, generic, but is sse9$/,
  );
});
