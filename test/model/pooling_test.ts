import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES } from "@/config/config.ts";
import { normalizeRows, poolSentences } from "@/model/pooling.ts";
import { testOnBackends } from "../backend.ts";

/** Two rows of three tokens with two columns. The padded 99 and −99 must not affect the results. */
const HIDDEN = [[1, -4], [3, -2], [99, -99], [5, 6], [99, 99], [99, 99]];
const MASK = [[1, 1, 0], [1, 0, 0]];

/** Result of `poolSentences` for HIDDEN, and the gradient of its sum with respect to HIDDEN. */
function pool(mode: "mean" | "max" | "cls-token") {
  return tf.tidy(() => {
    const hidden = tf.tensor2d(HIDDEN);
    const mask = tf.tensor2d(MASK, undefined, "int32");
    const run = (hidden: tf.Tensor2D) => poolSentences(hidden, { mode, mask, pooler: null });
    const gradient = tf.grad((x) => tf.sum(run(x as tf.Tensor2D)))(hidden);
    return { value: run(hidden).arraySync(), gradient: gradient.arraySync() };
  });
}

testOnBackends("poolSentences() with mean averages the real tokens", () => {
  const { value, gradient } = pool("mean");
  deepStrictEqual(value, [[2, -3], [5, 6]]); // (1 + 3) / 2, (−4 − 2) / 2
  deepStrictEqual(gradient, [[0.5, 0.5], [0.5, 0.5], [0, 0], [1, 1], [0, 0], [0, 0]]);
});

testOnBackends("poolSentences() with max takes the maximum over real tokens in each column", () => {
  const { value, gradient } = pool("max");
  deepStrictEqual(value, [[3, -2], [5, 6]]);
  deepStrictEqual(gradient, [[0, 0], [1, 1], [0, 0], [1, 1], [0, 0], [0, 0]]);
});

testOnBackends("poolSentences() with cls-token takes the first token", () => {
  const { value, gradient } = pool("cls-token");
  deepStrictEqual(value, [[1, -4], [5, 6]]);
  deepStrictEqual(gradient, [[1, 1], [0, 0], [0, 0], [1, 1], [0, 0], [0, 0]]);
});

testOnBackends(
  "poolSentences() returns zeros with zero gradients for a row without real tokens",
  () => {
    tf.tidy(() => {
      const mask = tf.tensor2d([[0, 0, 0], [1, 1, 0]], undefined, "int32");
      const wanted = {
        // sentence-transformers 6.2 divides the empty sum by a count of at least 1e-9
        mean: [[0, 0], [5, 6]],
        max: [[0, 0], [5, 6]], // there −∞, which the next layer turns into NaN
        "cls-token": [[1, -4], [5, 6]], // the first token, masked or not, as in sentence-transformers
      };
      const hidden = tf.tensor2d([[1, -4], [3, -2], [99, -99], [5, 6], [5, 6], [99, 99]]);
      for (const mode of ["mean", "max", "cls-token"] as const) {
        const run = (x: tf.Tensor2D) => poolSentences(x, { mode, mask, pooler: null });
        const absolute = (values: number[][]) => values.map((row) => row.map((x) => x + 0)); // −0 is 0
        deepStrictEqual(absolute(run(hidden).arraySync()), wanted[mode], mode);
        for (const normalize of NORMALIZE_MODES) {
          const gradient = tf.grad((x) => tf.sum(normalizeRows(run(x as tf.Tensor2D), normalize)))(
            hidden,
          );
          const values = [...gradient.dataSync()];
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
  "poolSentences() excludes tokens before start, but uses the first token of a shorter row",
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

testOnBackends("poolSentences() with cls applies the pooler to the first token", () => {
  const [weight, bias] = [
    // [out, in]: swaps the columns and halves one
    tf.tidy(() => tf.variable(tf.tensor2d([[0, 1], [0.5, 0]]))),
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
      message: 'Cannot pool: mode "cls" requires a pooler, but the encoder has none',
    });
  });
  tf.dispose([weight, bias]);
});

testOnBackends("normalizeRows() divides by the norm, but at least by 1e-12", () => {
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

testOnBackends("normalizeRows() has a finite gradient at a zero row", () => {
  tf.tidy(() => {
    for (const mode of ["l1", "l2"] as const) {
      const gradient = tf.grad((x) => tf.sum(normalizeRows(x as tf.Tensor2D, mode)));
      // the divisor is 1e-12 there, so the derivative is 1e12
      for (const value of gradient(tf.tensor2d([[0, 0]])).dataSync()) {
        ok(Math.abs(value - 1e12) < 1e6);
      }
    }
  });
});
