import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { jit, type TensorMap } from "@/engine/jit.ts";
import { addTerms, countScatter } from "@/engine/native/lowering/count_work.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { type Pass, startProfile, stopProfile, takeProfile } from "@/engine/profile.ts";
import { DYNAMIC, type Inputs, makeInputs, runPlan } from "../compare_generic.ts";
import type { GenericPlan } from "../generic_plans.ts";
import { leafValues } from "../random_graphs.ts";
import { tensor } from "./executor_cases.ts";

const ignore = findCompiler() === null;
await openEngine(); // for the tensors that the tests create

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
  name: "a matrix product counts 2·m·n·k operations, and its operands and result once",
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
  name: "a pass has the name of its generated kernel, and none if it is a matrix product",
  ignore,
  async fn() {
    await openEngine({ executor: "native", threads: 2 });
    startProfile();
    const [x, w] = [tensor([4, 3]), tensor([3, 5], 1)];
    const program = jit("named", ({ x, w }: { x: tf.Tensor; w: tf.Tensor }) => ({
      y: tf.softmax(tf.matMul(x, w)),
    }));
    tf.dispose([await program({ x, w }), x, w]);
    const [profile] = takeProfile();
    program.release();
    stopProfile();
    const [matmul, epilogue, ...others] = profile?.passes ?? [];
    deepStrictEqual([matmul?.kernel, others], [null, []]);
    match(epilogue?.kernel ?? "", /^softmax_[0-9a-f]{10}$/);
  },
});

Deno.test({
  name: "loop nests are counted by kind, and each value once",
  ignore,
  async fn() {
    const rows = await passesOf({ x: tensor([3, 8]) }, ({ x }) => ({ y: tf.softmax(x!) }));
    deepStrictEqual(rows, [["rows", 0, 4 * (24 + 24)]]);

    // x and g are read and four sums written; partial sums of threads do not count
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

    // gathers 3 of 10 rows
    const lookups = await passesOf(
      { table: tensor([10, 4]), ids: tf.tensor1d([1, 9, 1], "int32") },
      ({ table, ids }) => ({ y: tf.gather(table!, ids as tf.Tensor1D) }),
    );
    deepStrictEqual(lookups, [["lookups", 0, 4 * (12 + 3 + 12)]]);
  },
});

Deno.test({
  name: "a value that is read through two views counts at most once",
  ignore,
  async fn() {
    const passes = await passesOf({ x: tensor([3, 2]) }, ({ x }) => ({
      y: tf.add(tf.slice(x!, [0, 0], [2, 2]), tf.slice(x!, [1, 0], [2, 2])),
    }));
    deepStrictEqual(passes, [["elements", 0, 4 * (6 + 4)]]); // the views have 4 + 4 elements of 6
  },
});

Deno.test({
  name: "bfloat16 values count two bytes",
  ignore,
  async fn() {
    const passes = await passesOf(
      { x: tensor([4, 8]), w: tensor([8, 16], 1), v: tensor([16, 2], 2) },
      ({ x, w, v }) => ({ y: tf.matMul(tf.matMul(x!, w!), v!) }),
      { precision: "mixed-bfloat16" },
    );
    // The operands are float32. Both matrix products are bfloat16 until the second leaves the program as float32.
    deepStrictEqual(passes, [
      ["products", 2 * 4 * 16 * 8, 4 * (4 * 8 + 8 * 16) + 2 * 4 * 16],
      ["products", 2 * 4 * 2 * 16, 2 * 4 * 16 + 4 * 16 * 2 + 2 * 4 * 2],
      ["elements", 0, 2 * 4 * 2 + 4 * 4 * 2],
    ]);
  },
});

Deno.test("a scatter counts the rows that it adds to, or the whole table if it clears it", () => {
  const work = (count: number, onto: boolean) =>
    addTerms(countScatter({ count, width: 4, tableRows: 10, onto }));
  deepStrictEqual(work(3, false), { flops: 0, bytes: 4 * (3 + 3 * 4 + 10 * 4) });
  deepStrictEqual(work(3, true), { flops: 0, bytes: 4 * (3 + 3 * 4 + 2 * 3 * 4) }); // read and written
  strictEqual(work(50, true).bytes, 4 * (50 + 200 + 2 * 40));
});

Deno.test({
  name: "programs are only measured during a profile",
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

Deno.test({
  name: "programs with dynamic dimensions count the work at their current sizes",
  ignore,
  async fn() {
    await openEngine({ executor: "native" });
    const table = tf.tidy(() => tf.variable(tf.tensor(leafValues([7, 3], 9), [7, 3])));
    const plan: GenericPlan = ["lookUp", "layerNorm", "attend", "project", "gram"]
      .map((name, i) => ({ name, first: i === 4 ? 1 : 4 + i, second: 0 }));
    const passes: (readonly Pass[])[] = [];
    for (const options of [{}, { dynamic: DYNAMIC }]) {
      startProfile();
      const program = jit("worked", (inputs: Inputs) => runPlan(plan, table, inputs), options);
      for (const [rows, length] of [[2, 7], [9, 40]] as const) {
        const inputs = makeInputs(rows, length);
        tf.dispose([inputs, await program(inputs)]);
      }
      passes.push(takeProfile().flatMap(({ passes }) => passes));
      stopProfile();
      program.release();
    }
    const [expected = [], actual = []] = passes.map((each) =>
      each.map(({ kind, flops, bytes }) => `${kind} ${flops} ${bytes}`).sort()
    );
    ok(expected.some((pass) => pass.startsWith("attention")), "the premise");
    deepStrictEqual(actual, expected);
    table.dispose();
  },
});

Deno.test({
  name: "work that is not a product of dynamic dimensions is unknown and does not break a profile",
  ignore,
  async fn() {
    await openEngine({ executor: "native" });
    // between the numbers of rows that the two samples gather, 53 · 43 and 47 · 41
    const table = tf.tidy(() => tf.variable(tf.ones([2000, 2])));
    startProfile();
    const program = jit("looked", ({ ids }: { ids: tf.Tensor2D }) => {
      const energy = (rows: tf.Tensor) => tf.sum(tf.square(tf.gather(rows, ids)));
      table.assign(tf.add(table, tf.grad(energy)(table)));
      return { y: tf.mul(ids, 2) };
    }, { dynamic: { axes: { ids: ["B", "T"] } } });
    const ids = tf.tensor2d([[0, 1, 0]], [1, 3], "int32");
    tf.dispose([ids, await program({ ids })]);
    const passes = takeProfile().flatMap(({ passes }) => passes);
    stopProfile();
    const lookups = passes.filter(({ kind }) => kind === "lookups");
    ok(lookups.length > 0 && lookups.every(({ bytes }) => Number.isNaN(bytes)), "of the table");
    const others = passes.filter(({ kind }) => kind !== "lookups");
    deepStrictEqual(others.map(({ bytes }) => bytes), [4 * (3 + 3)]);
    program.release();
    table.dispose();
  },
});
