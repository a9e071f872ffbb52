import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES } from "@/config.ts";
import { poolSentences } from "@/model/pooling.ts";
import { normalizeRows } from "@/model/normalize.ts";
import { testOnBackends } from "../backend.ts";

/** Two rows of three tokens, two columns; the padded 99 and −99 must have no part. */
const HIDDEN = [[1, -4], [3, -2], [99, -99], [5, 6], [99, 99], [99, 99]];
const MASK = [[1, 1, 0], [1, 0, 0]];

/** What `poolSentences` gives for the rows above, and its gradient by HIDDEN for a sum of all. */
function pool(mode: "mean" | "max" | "cls-token") {
  return tf.tidy(() => {
    const hidden = tf.tensor2d(HIDDEN);
    const mask = tf.tensor2d(MASK, undefined, "int32");
    const run = (hidden: tf.Tensor2D) => poolSentences(hidden, { mode, mask, pooler: null });
    const slope = tf.grad((x) => tf.sum(run(x as tf.Tensor2D)))(hidden);
    return { value: run(hidden).arraySync(), slope: slope.arraySync() };
  });
}

testOnBackends("poolSentences() takes the mean over real tokens", () => {
  const { value, slope } = pool("mean");
  deepStrictEqual(value, [[2, -3], [5, 6]]); // (1 + 3) / 2, (−4 − 2) / 2
  deepStrictEqual(slope, [[0.5, 0.5], [0.5, 0.5], [0, 0], [1, 1], [0, 0], [0, 0]]);
});

testOnBackends("poolSentences() takes the largest of real tokens in each column", () => {
  const { value, slope } = pool("max");
  deepStrictEqual(value, [[3, -2], [5, 6]]);
  deepStrictEqual(slope, [[0, 0], [1, 1], [0, 0], [1, 1], [0, 0], [0, 0]]);
});

testOnBackends("poolSentences() takes the first token for cls-token", () => {
  const { value, slope } = pool("cls-token");
  deepStrictEqual(value, [[1, -4], [5, 6]]);
  deepStrictEqual(slope, [[1, 1], [0, 0], [0, 0], [1, 1], [0, 0], [0, 0]]);
});

testOnBackends(
  "poolSentences() gives zeros, and zero gradients, for a row without real tokens",
  () => {
    tf.tidy(() => {
      const mask = tf.tensor2d([[0, 0, 0], [1, 1, 0]], undefined, "int32");
      const wanted = {
        mean: [[0, 0], [5, 6]], // sentence-transformers 6.2: sums of nothing over a count of at least 1e-9
        max: [[0, 0], [5, 6]], // there −∞, of which the next layer makes NaN
        "cls-token": [[1, -4], [5, 6]], // the first token, masked or not, as there
      };
      const hidden = tf.tensor2d([[1, -4], [3, -2], [99, -99], [5, 6], [5, 6], [99, 99]]);
      for (const mode of ["mean", "max", "cls-token"] as const) {
        const run = (x: tf.Tensor2D) => poolSentences(x, { mode, mask, pooler: null });
        const absolute = (values: number[][]) => values.map((row) => row.map((x) => x + 0)); // −0 is 0
        deepStrictEqual(absolute(run(hidden).arraySync()), wanted[mode], mode);
        for (const normalize of NORMALIZE_MODES) {
          const slope = tf.grad((x) => tf.sum(normalizeRows(run(x as tf.Tensor2D), normalize)))(
            hidden,
          );
          const values = [...slope.dataSync()];
          strictEqual(values.every(Number.isFinite), true, `${mode}, ${normalize}: ${values}`);
          if (mode !== "cls-token") {
            deepStrictEqual(values.slice(0, 6).map((x) => x + 0), Array(6).fill(0));
          }
        }
      }
    });
  },
);

testOnBackends(
  "poolSentences() leaves out tokens before start, but not the first of a shorter row",
  () => {
    const hidden = [[1, -4], [3, -2], [99, -99], [5, 6], [7, 2], [1, 8]];
    const pool = (mode: "mean" | "max" | "cls-token", mask: number[][]) =>
      tf.tidy(() =>
        poolSentences(tf.tensor2d(hidden), {
          mode,
          mask: tf.tensor2d(mask, undefined, "int32"),
          pooler: null,
          start: 1,
          maxLength: 5,
        }).arraySync()
      );
    const mask = [[1, 1, 0], [1, 1, 1]];
    deepStrictEqual(pool("mean", mask), [[3, -2], [4, 5]]); // (7 + 1) / 2, (2 + 8) / 2
    deepStrictEqual(pool("max", mask), [[3, -2], [7, 8]]);
    deepStrictEqual(pool("cls-token", mask), [[3, -2], [7, 2]]);
    deepStrictEqual(pool("cls-token", [[1, 0, 0], [1, 1, 1]]), [[1, -4], [7, 2]]);
  },
);

testOnBackends("poolSentences() runs the pooler over the first token for cls", () => {
  const [weight, bias] = [
    tf.tidy(() => tf.variable(tf.tensor2d([[0, 1], [0.5, 0]]))), // [out, in]: swaps, halves
    tf.tidy(() => tf.variable(tf.tensor1d([4, 0]))),
  ];
  tf.tidy(() => {
    const mask = tf.tensor2d(MASK, undefined, "int32");
    const pooled = poolSentences(tf.tensor2d(HIDDEN), {
      mode: "cls",
      mask,
      pooler: { weight, bias },
    });
    // tanh(−4 + 4), tanh(1 / 2); tanh(6 + 4), tanh(5 / 2)
    const wanted = [0, Math.tanh(0.5), Math.tanh(10), Math.tanh(2.5)];
    const values = pooled.dataSync();
    for (const [i, value] of wanted.entries()) ok(Math.abs((values[i] ?? NaN) - value) < 1e-6);
    throws(() => poolSentences(tf.tensor2d(HIDDEN), { mode: "cls", mask, pooler: null }), {
      name: "TypeError",
      message: 'Cannot pool with mode "cls" as the encoder must have a pooler',
    });
  });
  tf.dispose([weight, bias]);
});

testOnBackends("normalizeRows() divides by the norm, or by 1e-12 where it is shorter", () => {
  tf.tidy(() => {
    const x = tf.tensor2d([[3, -4], [0.03, 0.04], [3e-13, 0], [0, 0]]);
    deepStrictEqual([...normalizeRows(x, "none").dataSync()], [...x.dataSync()]);
    for (const [mode, norm] of [["l1", 7], ["l2", 5]] as const) {
      const values = normalizeRows(x, mode).dataSync();
      for (const [i, wanted] of [3, -4, 3, 4, 0.3 * norm, 0, 0, 0].entries()) {
        const off = Math.abs((values[i] ?? NaN) - wanted / norm);
        ok(off < 1e-6, `${mode} ${i}: off by ${off}`);
      }
    }
  });
});

testOnBackends("normalizeRows() has a gradient where a row is zero", () => {
  tf.tidy(() => {
    for (const mode of ["l1", "l2"] as const) {
      const slope = tf.grad((x) => tf.sum(normalizeRows(x as tf.Tensor2D, mode)));
      // the norm is held at 1e-12 there, so each element counts 1e12-fold
      for (const value of slope(tf.tensor2d([[0, 0]])).dataSync()) ok(Math.abs(value - 1e12) < 1e6);
    }
  });
});
