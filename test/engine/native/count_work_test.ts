import { deepStrictEqual, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { jit, type TensorMap } from "@/engine/jit.ts";
import { addTerms, countScatter } from "@/engine/native/count_work.ts";
import { findCompiler } from "@/engine/native/find_compiler.ts";
import { startProfile, stopProfile, takeProfile } from "@/engine/profile.ts";
import { tensor } from "./executor_cases.ts";

const ignore = findCompiler() === null;
await openEngine(); // for the tensors that tests begin with

/** Kind, operations and bytes of each pass of a function, after `calls` calls. */
async function passesOf(
  inputs: TensorMap,
  run: (inputs: Record<string, tf.Tensor>) => TensorMap,
  { precision = "float32", calls = 1 }: {
    precision?: "float32" | "mixed-bfloat16";
    calls?: number;
  } = {},
) {
  await openEngine({ executor: "native", precision, threads: 2 });
  startProfile();
  const program = jit("counted", run);
  for (let i = 0; i < calls; i++) tf.dispose(await program(inputs as Record<string, tf.Tensor>));
  const [profile] = takeProfile();
  program.release();
  deepStrictEqual(takeProfile(), [], "a released program is watched no more");
  stopProfile();
  tf.dispose(inputs);
  const passes = profile?.passes ?? [];
  strictEqual(passes.every(({ seconds }) => seconds >= 0), true);
  return passes.map(({ kind, flops, bytes }) => [kind, flops, bytes]);
}

Deno.test({
  name: "a product counts 2·m·n·k operations, and its operands and result once",
  ignore,
  async fn() {
    const plain = await passesOf(
      { x: tensor([2, 3]), w: tensor([3, 4]), bias: tensor([4]) },
      ({ x, w, bias }) => ({ y: tf.add(tf.matMul(x!, w!), bias!) }),
    );
    deepStrictEqual(plain, [["products", 2 * 2 * 4 * 3, 4 * (6 + 12 + 4 + 8)]]);
    const batched = await passesOf(
      { x: tensor([2, 3, 4, 5]), y: tensor([2, 3, 6, 5]) },
      ({ x, y }) => ({ z: tf.matMul(x!, y!, false, true) }),
      { calls: 3 },
    );
    const items = 2 * 3;
    deepStrictEqual(batched, [
      ["attention", 3 * items * 2 * 4 * 6 * 5, 3 * 4 * items * (4 * 5 + 6 * 5 + 4 * 6)],
    ]);
  },
});

Deno.test({
  name: "loop nests are counted under what they do, each value that they touch once",
  ignore,
  async fn() {
    const rows = await passesOf({ x: tensor([3, 8]) }, ({ x }) => ({ y: tf.softmax(x!) }));
    deepStrictEqual(rows, [["rows", 0, 4 * (24 + 24)]]);

    // x and g are read, four sums written; what threads add up for themselves does not count
    const columns = await passesOf(
      { x: tensor([6, 4]), g: tensor([4], 1) },
      ({ x, g }) => ({ y: tf.sum(tf.mul(x!, g!), 0) }),
    );
    deepStrictEqual(columns, [["columns", 0, 4 * (24 + 4 + 4)], ["columns", 0, 0]]);

    const elements = await passesOf(
      { x: tensor([5, 7]), y: tensor([]) },
      ({ x, y }) => ({ z: tf.add(tf.mul(x!, 2), y!) }),
    );
    deepStrictEqual(elements, [["elements", 0, 4 * (35 + 1 + 35)]]);

    // 3 of 10 rows are looked up
    const lookups = await passesOf(
      { table: tensor([10, 4]), ids: tf.tensor1d([1, 9, 1], "int32") },
      ({ table, ids }) => ({ y: tf.gather(table!, ids as tf.Tensor1D) }),
    );
    deepStrictEqual(lookups, [["lookups", 0, 4 * (12 + 3 + 12)]]);
  },
});

Deno.test({
  name: "a value read through two views counts no more than all of it",
  ignore,
  async fn() {
    const passes = await passesOf({ x: tensor([3, 2]) }, ({ x }) => ({
      y: tf.add(tf.slice(x!, [0, 0], [2, 2]), tf.slice(x!, [1, 0], [2, 2])),
    }));
    deepStrictEqual(passes, [["elements", 0, 4 * (6 + 4)]]); // 4 + 4 elements are named, 6 are there
  },
});

Deno.test({
  name: "what is kept in bfloat16 counts two bytes",
  ignore,
  async fn() {
    const passes = await passesOf(
      { x: tensor([4, 8]), w: tensor([8, 16], 1), v: tensor([16, 2], 2) },
      ({ x, w, v }) => ({ y: tf.matMul(tf.matMul(x!, w!), v!) }),
      { precision: "mixed-bfloat16" },
    );
    // factors are float32 as they are given; the first product stays in bfloat16, and so does the second
    // until it leaves the program as float32
    deepStrictEqual(passes, [
      ["products", 2 * 4 * 16 * 8, 4 * (4 * 8 + 8 * 16) + 2 * 4 * 16],
      ["products", 2 * 4 * 2 * 16, 2 * 4 * 16 + 4 * 16 * 2 + 2 * 4 * 2],
      ["elements", 0, 2 * 4 * 2 + 4 * 4 * 2],
    ]);
  },
});

Deno.test("a scatter touches the table's rows that it adds to, or writes all of them", () => {
  const work = (count: number, onto: boolean) =>
    addTerms(countScatter({ count, width: 4, tableRows: 10, onto }));
  deepStrictEqual(work(3, false), { flops: 0, bytes: 4 * (3 + 3 * 4 + 10 * 4) });
  deepStrictEqual(work(3, true), { flops: 0, bytes: 4 * (3 + 3 * 4 + 2 * 3 * 4) }); // read and written
  strictEqual(work(50, true).bytes, 4 * (50 + 200 + 2 * 40));
});

Deno.test({
  name: "no program is watched unless a profile was started",
  ignore,
  async fn() {
    await openEngine({ executor: "native" });
    const program = jit("unwatched", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 3) }));
    const x = tensor([2]);
    tf.dispose([await program({ x }), x]);
    deepStrictEqual(takeProfile(), []);
    program.release();
  },
});
