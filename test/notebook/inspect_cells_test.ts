import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { currentEngine, openEngine } from "@/engine/engine.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import {
  compareBackends,
  inspectJit,
  memoryPlan,
  passRows,
  showStage,
  trafficRows,
} from "@/notebook/inspect_cells.ts";
import { DISPLAY } from "@/notebook/displayable.ts";
import { inspectBuiltIn } from "@/inspect/functions.ts";

const ignore = findCompiler() === null;

/** Softmax of scaled and masked scores [4, 8]. */
const run = ({ x, mask }: { readonly x: tf.Tensor; readonly mask: tf.Tensor }) => ({
  y: tf.softmax(tf.add(tf.mul(x, 0.125), mask)),
});

async function makeInputs() {
  await openEngine({ executor: "native", threads: 1 });
  return { x: tf.randomNormal([4, 8], 0, 1, "float32", 7), mask: tf.zeros([8]) };
}

Deno.test({
  name: "trafficRows() counts each operand and result of each operation, or those of groups",
  ignore,
  async fn() {
    const inputs = await makeInputs();
    const softmax = await inspectJit("masked", run, inputs);
    tf.dispose(inputs);
    // float32 numbers of x and y: 32, of the mask: 8, of a value for each row: 4
    const [mul, add, max, sub] = [32 + 32, 32 + 8 + 32, 32 + 4, 32 + 4 + 32];
    const [exp, sum, div] = [32 + 32, 32 + 4, 32 + 4 + 32];
    deepStrictEqual(trafficRows(softmax), [
      {
        how: "each operation alone",
        passes: 7,
        KiB: 4 * (mul + add + max + sub + exp + sum + div) / 1024,
      },
      { how: "by groups", passes: 1, KiB: 4 * (32 + 8 + 32) / 1024 },
    ]);
    deepStrictEqual(passRows(softmax).map(({ graph, nodes }) => [graph, nodes]), [
      ["traced", "2 inputs, 1 constant, 12 operations"],
      ["dead-code", "2 inputs, 1 constant, 10 operations"],
      ["autocast", "2 inputs, 1 constant, 10 operations"],
      ["prepare", "2 inputs, 1 constant, 10 operations"],
      ["lower", "7 operations"],
    ]);
  },
});

Deno.test({
  name: "showStage() shows a stage as text, and names a stage that does not exist",
  ignore,
  async fn() {
    const inputs = await makeInputs();
    const softmax = await inspectJit("masked", run, inputs);
    tf.dispose(inputs);
    const { "text/plain": text, "text/html": html } = showStage(softmax, "autocast")[DISPLAY]();
    strictEqual(text, "unchanged: 2 inputs, 1 constant, 10 operations");
    strictEqual(html, `<pre>${text}</pre>`);
    throws(() => showStage(softmax, "poem"), { message: "Cannot show stage poem: there is none" });
  },
});

Deno.test({
  name: "memoryPlan() draws a labeled box for each large block of the arena",
  ignore,
  async fn() {
    await openEngine({ executor: "native", threads: 1 });
    const [encode] = await inspectBuiltIn("encode");
    ok(encode?.memory);
    const { svg, alt } = memoryPlan(encode);
    const boxes = svg.match(/<rect (?!class)[^>]*>/g) ?? [];
    strictEqual(boxes.length, encode.memory.blocks.length);
    ok(alt.startsWith(`${boxes.length} blocks of `), alt);
    const [largest] = encode.memory.blocks.toSorted((a, b) => b.bytes - a.bytes);
    ok(svg.includes(`>%${largest?.nodes[0]}, %${largest?.nodes[1]}</text>`));
  },
});

Deno.test({
  name: "compareBackends() gives equal results on both backends, and the engine as it was",
  ignore,
  async fn() {
    const inputs = await makeInputs();
    const before = tf.memory().numTensors;
    const { rows, difference } = await compareBackends(run, inputs);
    deepStrictEqual(rows.map(({ backend }) => backend), ["TensorFlow.js cpu", "compiled"]);
    ok(difference > 0 && difference < 1e-6, `${difference}: computed by different code`);
    deepStrictEqual([currentEngine()?.name, currentEngine()?.threads], ["native", 1]);
    strictEqual(tf.memory().numTensors, before);
    tf.dispose(inputs);
  },
});
