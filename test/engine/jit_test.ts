import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { jit, onCompile } from "@/engine/jit.ts";
import { onFallback } from "@/engine/kernels/host.ts";

await openEngine({ threads: 2 });

/** Runs `test` and fails if it leaves tensors behind. */
function testJit(name: string, test: () => Promise<void>): void {
  Deno.test(name, async () => {
    await openEngine();
    const before = tf.memory().numTensors;
    await test();
    strictEqual(tf.memory().numTensors - before, 0, "tensors left behind");
  });
}

testJit("jit() agrees with the function and compiles once per signature", async () => {
  const compiled: string[] = [];
  onCompile((name) => compiled.push(name));
  const square = jit("square", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, x) }));
  for (const values of [[1, 2], [3, 4], [5, 6, 7]]) {
    const x = tf.tensor1d(values);
    const { y } = await square({ x });
    deepStrictEqual([...y.dataSync()], values.map((v) => v * v));
    tf.dispose([x, y]);
  }
  deepStrictEqual(compiled, ["square", "square"]); // [2] and [3]
  onCompile(() => {});
});

testJit(
  "jit() serializes concurrent calls and compiles their program once",
  async () => {
    const compiled: string[] = [];
    onCompile((name) => compiled.push(name));
    const w = tf.tidy(() => tf.variable(tf.scalar(1)));
    const grow = jit("grow", ({ x }: { x: tf.Tensor }) => {
      w.assign(tf.mul(w, 2) as tf.Scalar);
      return { y: tf.mul(x, w) };
    });
    const inputs = [[1, 2], [3, 4], [5], [6, 7]].map((values) => tf.tensor1d(values));
    const results = await Promise.all(inputs.map((x) => grow({ x })));
    const values = await Promise.all(results.map(({ y }) => y.data()));
    deepStrictEqual(values.map((each) => [...each]), [[2, 4], [12, 16], [40], [96, 112]]);
    deepStrictEqual(compiled, ["grow", "grow"]); // [2] and [1]
    onCompile(() => {});
    tf.dispose([w, inputs, results]);
  },
);

testJit("jit() reads current values of variables and updates them in place", async () => {
  const w = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
  const grow = jit("grow", ({ by }: { by: tf.Scalar }) => {
    w.assign(tf.add(w, by));
    return { sum: tf.sum(w) };
  });
  const by = tf.scalar(10);
  const first = await grow({ by });
  deepStrictEqual([...w.dataSync()], [11, 12]);
  strictEqual(first.sum.dataSync()[0], 23); // reading after the assignment gives the new value
  tf.tidy(() => w.assign(tf.tensor1d([0, 0]))); // an assignment between calls
  const second = await grow({ by });
  deepStrictEqual([...w.dataSync()], [10, 10]);
  tf.dispose([w, by, first, second]);
});

testJit(
  "jit() does not change a tensor that shared its value with an updated variable",
  async () => {
    const start = tf.tensor1d([1, 2]);
    const w = tf.variable(start);
    const double = jit("double", () => {
      w.assign(tf.mul(w, 2));
      return {};
    });
    await double({});
    deepStrictEqual([...start.dataSync()], [1, 2]);
    deepStrictEqual([...w.dataSync()], [2, 4]);
    tf.dispose([start, w]);
  },
);

testJit("jit() swaps two variables, although each is read after the other is written", async () => {
  const a = tf.tidy(() => tf.variable(tf.tensor1d([1, 1])));
  const b = tf.tidy(() => tf.variable(tf.tensor1d([5, 6])));
  const swap = jit("swap", () => {
    const old = tf.mul(a, 1.5);
    a.assign(tf.mul(b, 2) as tf.Tensor1D);
    b.assign(old as tf.Tensor1D);
    return {};
  });
  await swap({});
  deepStrictEqual([...a.dataSync()], [10, 12]);
  deepStrictEqual([...b.dataSync()], [1.5, 1.5]);
  tf.dispose([a, b]);
});

testJit("jit() updates a variable with its matrix product with itself", async () => {
  // the matrix product reads all of w for each element, so it must not overwrite w while reading
  const w = tf.tidy(() => tf.variable(tf.tensor2d([[1, 2], [3, 4]])));
  const square = jit("square matrix", () => {
    w.assign(tf.matMul(w, w) as tf.Tensor2D);
    return {};
  });
  await square({});
  deepStrictEqual([...w.dataSync()], [7, 10, 15, 22]); // [1 2; 3 4]² by hand
  w.dispose();
});

testJit("jit() multiplies by the current value of a variable at each call", async () => {
  const weight = tf.tidy(() => tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2])));
  const multiply = jit("multiply", ({ x }: { x: tf.Tensor }) => ({ y: tf.matMul(x, weight) }));
  const double = jit("double", ({ by }: { by: tf.Tensor }) => {
    weight.assign(weight.mul(by));
    return {};
  });
  const one = tf.tensor2d([1, 10], [1, 2]), two = tf.tensor2d([1, 10, 0, 1], [2, 2]);
  const product = async (x: tf.Tensor) => {
    const { y } = await multiply({ x });
    const values = [...await y.data()];
    y.dispose();
    return values;
  };
  deepStrictEqual(await product(one), [31, 42]);
  deepStrictEqual(await product(one), [31, 42]); // unchanged
  deepStrictEqual(await product(two), [31, 42, 3, 4]);
  const by = tf.scalar(2);
  await double({ by });
  deepStrictEqual(await product(two), [62, 84, 6, 8]); // updated in place
  deepStrictEqual(await product(one), [62, 84]);
  tf.tidy(() => weight.assign(tf.tensor2d([5, 6, 7, 8], [2, 2])));
  deepStrictEqual(await product(one), [75, 86]); // the elements of another tensor
  await double({ by });
  deepStrictEqual(await product(one), [150, 172]);
  tf.dispose([weight, one, two, by]);
});

testJit("jit() computes gradients and accumulates them into a buffer", async () => {
  const w = tf.tidy(() => tf.variable(tf.tensor2d([[1, 2], [3, 4]])));
  const sum = tf.tidy(() => tf.variable(tf.zeros([2, 2]), false));
  const accumulate = jit("accumulate", ({ x }: { x: tf.Tensor2D }) => {
    const { value, grads } = tf.variableGrads(
      () => tf.sum(tf.square(tf.matMul(x, w as tf.Tensor2D))) as tf.Scalar,
      [w],
    );
    sum.assign(tf.add(sum, grads[w.name] as tf.Tensor));
    return { value };
  });
  const x = tf.eye(2);
  for (const times of [1, 2]) {
    const { value } = await accumulate({ x });
    strictEqual(value.dataSync()[0], 30); // 1 + 4 + 9 + 16
    deepStrictEqual([...sum.dataSync()], [2, 4, 6, 8].map((v) => v * times));
    value.dispose();
  }
  tf.tidy(() => sum.assign(tf.zerosLike(sum)));
  deepStrictEqual([...sum.dataSync()], [0, 0, 0, 0]);
  tf.dispose([w, sum, x]);
});

testJit("jit() fills a variable with a constant after all reads of it", async () => {
  const sum = tf.tidy(() => tf.variable(tf.tensor1d([3, 4]), false));
  const total = tf.tidy(() => tf.variable(tf.scalar(1), false));
  const drain = jit("drain", () => {
    total.assign(tf.add(total, tf.sum(sum)) as tf.Scalar);
    sum.assign(tf.zerosLike(sum));
    return { five: tf.fill([2], 5) };
  });
  for (const expected of [8, 8]) { // 1 + 3 + 4, then nothing more is added
    const { five } = await drain({});
    deepStrictEqual([...five.dataSync()], [5, 5]);
    strictEqual(total.dataSync()[0], expected);
    deepStrictEqual([...sum.dataSync()], [0, 0]);
    five.dispose();
  }
  const clear = jit("clear", () => {
    total.assign(tf.scalar(0));
    return {};
  });
  await clear({});
  strictEqual(total.dataSync()[0], 0);
  tf.dispose([sum, total]);
});

testJit("jit() keeps a captured tensor for the lifetime of the program", async () => {
  const scale = tf.tensor1d([2, 3]);
  const run = jit("scaled", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, scale) }));
  const x = tf.tensor1d([1, 1]);
  const first = await run({ x });
  const second = await run({ x });
  deepStrictEqual([...second.y.dataSync()], [2, 3]);
  tf.dispose([scale, x, first, second]);
});

testJit("jit() rejects reading a value while tracing", async () => {
  const read = jit("read", ({ x }: { x: tf.Tensor }) => ({ y: tf.scalar(x.dataSync()[0] ?? 0) }));
  const x = tf.tensor1d([1]);
  await rejects(read({ x }), {
    message: 'Cannot read a tensor inside jit("read"): return it instead',
  });
  x.dispose();
});

testJit("jit() reports an operation that is not compiled", async () => {
  const run = jit("inverse", ({ x }: { x: tf.Tensor1D }) => ({ y: tf.atanh(x) }));
  const x = tf.tensor1d([1, 2]);
  await rejects(run({ x }), {
    message: 'Cannot use Atanh inside jit("inverse") as it is not a compiled operation: ' +
      "compute it outside and pass the result in",
  });
  x.dispose();
});

testJit("a variable is unchanged if tracing fails after an assignment", async () => {
  const w = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
  const run = jit("failing", () => {
    w.assign(tf.mul(w, 2));
    throw new RangeError("on purpose");
  });
  await rejects(run({}), { message: "on purpose" });
  deepStrictEqual([...w.dataSync()], [1, 2]);
  w.dispose();
});

testJit("a compiled call does not block the event loop", async () => {
  const heavy = jit("heavy", ({ x }: { x: tf.Tensor2D }) => {
    let y = x;
    for (let i = 0; i < 20; i++) y = tf.matMul(y, x);
    return { y };
  });
  const x = tf.tidy(() => tf.mul(tf.ones([400, 400]), 1e-3) as tf.Tensor2D);
  (await heavy({ x })).y.dispose(); // compiles the function
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const running = heavy({ x });
  await new Promise((resolve) => setTimeout(resolve, 3));
  throws(() => x.dataSync(), {
    message:
      "Cannot read a tensor synchronously while a compiled call is running: await the call first",
  });
  const { y } = await running;
  clearInterval(timer);
  ok(ticks > 0, "no timer fired during the call");
  tf.dispose([x, y]);
});

testJit(
  "an operation without a compiled kernel falls back to TensorFlow.js's kernel and is reported once",
  async () => {
    const seen: string[] = [];
    onFallback(({ subject }) => seen.push(subject));
    const x = tf.tensor1d([3, 1, 3]);
    for (let i = 0; i < 2; i++) {
      const { values, indices } = tf.unique(x);
      deepStrictEqual([...await values.data()], [3, 1]);
      deepStrictEqual([...await indices.data()], [0, 1, 0]);
      tf.dispose([values, indices]);
    }
    onFallback(() => {});
    deepStrictEqual(seen, ["Unique"]);
    x.dispose();
  },
);

testJit("jit() accepts a variable that was created from a tensor of another shape", async () => {
  const flat = tf.tensor1d([1, 2, 3, 4]);
  const w = tf.tidy(() => tf.variable(tf.reshape(flat, [2, 2])));
  const double = jit("double reshaped", () => {
    w.assign(tf.mul(w, 2));
    return { sum: tf.sum(w, 0) };
  });
  const { sum } = await double({});
  deepStrictEqual([...sum.dataSync()], [8, 12]); // 2 + 6, 4 + 8
  deepStrictEqual([...flat.dataSync()], [1, 2, 3, 4]);
  tf.dispose([flat, w, sum]);
});
