/** Native programs that overwrite their operands, and memory that cannot be allocated. @module */
import { deepStrictEqual, ok, rejects } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { jit } from "@/engine/jit.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { tensor } from "./executor_cases.ts";

const ignore = findCompiler() === null;

/** True if the system is known to refuse allocations far larger than its memory. */
async function refusesMemory(): Promise<boolean> {
  try {
    const text = await Deno.readTextFile("/proc/sys/vm/overcommit_memory");
    return text.trim() !== "1";
  } catch {
    return false;
  }
}

Deno.test({
  name: "native updates and clears variables in place, with bitwise reproducible results",
  ignore,
  async fn() {
    await openEngine({ executor: "native" });
    const results: number[][] = [];
    for (let round = 0; round < 3; round++) {
      const w = tf.tidy(() => tf.variable(tensor([130, 70])));
      const gradient = tf.tidy(() => tf.variable(tf.zeros([130, 70]), false));
      const accumulate = jit("accumulate", ({ x }: { x: tf.Tensor2D }) => {
        const { value, grads } = tf.variableGrads(
          () => tf.sum(tf.square(tf.matMul(x, w as tf.Tensor2D))) as tf.Scalar,
          [w],
        );
        gradient.assign(tf.add(gradient, grads[w.name] as tf.Tensor));
        return { value };
      });
      const update = jit("descend", () => {
        const norm = tf.sqrt(tf.sum(tf.square(gradient)));
        w.assign(tf.sub(w, tf.mul(tf.div(gradient, norm), 0.01)));
        gradient.assign(tf.zerosLike(gradient));
        return { norm };
      });
      const x = tensor([64, 130], 3) as tf.Tensor2D;
      for (let step = 0; step < 2; step++) {
        const outputs = [await accumulate({ x }), await accumulate({ x }), await update({})];
        tf.dispose(outputs);
      }
      ok((await gradient.data()).every((g) => g === 0), "the gradient was not cleared");
      results.push([...await w.data()]);
      tf.dispose([w, gradient, x]);
    }
    deepStrictEqual(results[1], results[0]);
    deepStrictEqual(results[2], results[0]);
  },
});

Deno.test({
  name: "native copies variables that are read after they would be overwritten",
  ignore,
  async fn() {
    const notes: string[] = [];
    await openEngine({ executor: "native", onNote: (note) => notes.push(note) });
    const w = tf.tidy(() => tf.variable(tf.tensor2d([[1, 2], [3, 4]])));
    const a = tf.tidy(() => tf.variable(tf.tensor1d([1, 1])));
    const b = tf.tidy(() => tf.variable(tf.tensor1d([5, 6])));
    const replace = jit("replace", () => {
      w.assign(tf.matMul(w as tf.Tensor2D, w as tf.Tensor2D));
      const old = tf.mul(a, 1.5);
      a.assign(tf.mul(b, 2) as tf.Tensor1D);
      b.assign(old as tf.Tensor1D);
      return {};
    });
    await replace({});
    deepStrictEqual([...await w.data()], [7, 10, 15, 22]); // [1 2; 3 4]² by hand
    deepStrictEqual([...await a.data()], [10, 12]);
    deepStrictEqual([...await b.data()], [1.5, 1.5]);
    deepStrictEqual(notes, []);
    tf.dispose([w, a, b]);
  },
});

/** Epilogues that replace a variable of 256 numbers that other rows still read. */
const REPLACEMENTS: Record<
  string,
  (s: tf.Variable, x: tf.Tensor2D, w: tf.Tensor2D) => { kept: tf.Tensor; replacement: tf.Tensor }
> = {
  "the bias of the matrix product": (s, x, w) => {
    const matmul = tf.add(tf.matMul(x, w), s);
    return { kept: tf.relu(matmul), replacement: tf.sub(s, tf.mul(tf.sum(matmul, 1), 0.1)) };
  },
  "a vector read in another order": (s, x, w) => {
    const matmul = tf.matMul(x, w);
    const turned = tf.reshape(tf.transpose(tf.reshape(s, [16, 16])), [256]);
    return { kept: tf.relu(matmul), replacement: tf.add(turned, tf.mul(tf.sum(matmul, 1), 0.1)) };
  },
  "one value for all rows": (s, x, w) => {
    const kept = tf.mul(tf.matMul(x, w), tf.slice(s, [0], [1]));
    return { kept, replacement: tf.add(s, tf.sum(kept, 1)) };
  },
  "one value per column": (s, x, w) => {
    const kept = tf.mul(tf.matMul(x, w), s);
    return { kept, replacement: tf.add(s, tf.sum(kept, 1)) };
  },
};

for (const [what, run] of Object.entries(REPLACEMENTS)) {
  Deno.test({
    name: `native epilogues overwrite only values that no other row reads: ${what}`,
    ignore,
    async fn() {
      const values: (readonly number[])[] = [];
      for (const executor of ["onnx", "native"] as const) {
        await openEngine({ executor, threads: 2 });
        const s = tf.tidy(() => tf.variable(tensor([256])));
        const inputs = {
          x: tensor([256, 64], 1) as tf.Tensor2D,
          w: tensor([64, 256], 2) as tf.Tensor2D,
        };
        const program = jit("replace", ({ x, w }: typeof inputs) => {
          const { kept, replacement } = run(s, x, w);
          s.assign(replacement);
          return { kept };
        });
        const outputs = await program(inputs);
        values.push([...await outputs.kept.data(), ...await s.data()]);
        tf.dispose([s, inputs, outputs]);
      }
      const [expected = [], actual = []] = values;
      const worst = expected.map((x, i) => Math.abs(x - (actual[i] ?? NaN)) / (1 + Math.abs(x)));
      ok(Math.max(...worst) < 1e-4, `by ${Math.max(...worst)}`);
    },
  });
}

Deno.test({
  name: "native scatters rows of a table onto the same table, compared with results by hand",
  ignore,
  async fn() {
    await openEngine({ executor: "native" });
    const w = tf.tidy(() => tf.variable(tf.tensor1d([1, 10])));
    const swapOnto = jit("swap onto", () => {
      const swapped = tf.unsortedSegmentSum(w, tf.tensor1d([1, 0], "int32"), 2);
      w.assign(tf.add(w, swapped) as tf.Tensor1D);
      return {};
    });
    await swapOnto({});
    deepStrictEqual([...await w.data()], [11, 11]);
    w.dispose();
  },
});

Deno.test({
  name: "native continues after a program that does not fit in memory",
  // the program would start on systems that grant any allocation
  ignore: ignore || !await refusesMemory(),
  async fn() {
    await openEngine({ executor: "native" });
    const small = jit("small", ({ x }: { x: tf.Tensor }) => ({
      y: tf.softmax(tf.matMul(tf.reshape(x, [4, 1]), tf.reshape(x, [1, 4])) as tf.Tensor2D),
    }));
    const huge = jit("huge", ({ x }: { x: tf.Tensor }) => {
      const all = tf.matMul(tf.reshape(x, [-1, 1]), tf.reshape(x, [1, -1])); // 16 TiB
      return { y: tf.sum(tf.matMul(all, tf.reshape(x, [-1, 1]))) };
    });
    const x = tf.tensor1d([1, 2, 3, 4]), many = tf.ones([2 ** 21]);
    const before = await small({ x });
    await rejects(huge({ x: many }), /Cannot allocate \d+ bytes: out of memory/);
    const after = await small({ x });
    deepStrictEqual([...await after.y.data()], [...await before.y.data()]);
    tf.dispose([x, many, before, after]);
  },
});
