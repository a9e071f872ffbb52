/**
 * Functions with dynamic dimensions, traced once, compared with the same functions traced at each shape.
 * @module
 */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { describeFallback, listFallbacks } from "@/engine/fallbacks.ts";
import type { RecordingBackend } from "@/engine/backend.ts";
import { jit, onCompile } from "@/engine/jit.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { openBackend } from "../../backend.ts";
import { compareGeneric } from "../compare_generic.ts";
import { leafValues } from "../random_graphs.ts";

const heldPrograms = () => (tf.backend() as RecordingBackend).traced.size;

const testNative = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore: findCompiler() === null, fn });

testNative(
  "functions with dynamic dimensions agree with the same functions traced at each shape",
  async () => {
    await openBackend("native");
    const { functions, generic } = await compareGeneric({
      count: Number(Deno.env.get("GENERIC_RUNS") ?? 25),
    });
    // about three quarters do; possibly fewer, since the sample is small
    ok(generic >= 0.4 * functions, `${generic} of ${functions} functions serve all sizes`);
  },
);

testNative(
  "a function that rejects the sample shapes is traced at each call's shape, and one with a bug fails",
  async () => {
    await openBackend("native");
    const options = { dynamic: { axes: { x: ["N", "3"] } } };
    const x = tf.ones([7, 3]) as tf.Tensor2D;
    type Inputs = { x: tf.Tensor2D };
    const refusals: Record<string, (x: tf.Tensor2D) => tf.Tensor> = {
      "an assertion of TensorFlow.js": (x) => tf.sum(tf.reshape(x, [7, 3])),
      "a kernel's refusal": (x) => tf.sum(tf.add(x, tf.ones([7, 3]))),
    };
    for (const [what, act] of Object.entries(refusals)) {
      const run = jit(what, ({ x }: Inputs) => ({ y: act(x) }), options);
      const { y } = await run({ x });
      ok([21, 42].includes((await y.data())[0] ?? NaN), what);
      y.dispose();
      run.release();
    }
    const defects = [
      new TypeError("x is not a function"),
      new Error("internal: no such node"),
      new RangeError("Invalid array length"),
    ];
    for (const defect of defects) {
      const run = jit("broken at samples", ({ x }: Inputs) => {
        if (x.shape[0] !== 7) throw defect;
        return { y: tf.sum(x) };
      }, options);
      await rejects(run({ x }), (error) => error === defect);
      run.release();
    }
    x.dispose();
  },
);

testNative(
  "a function with dynamic dimensions is traced once and releases everything",
  async () => {
    await openBackend("native");
    const compiled: string[] = [];
    onCompile((name) => void compiled.push(name));
    const before = tf.memory(), held = heldPrograms();
    const outside = tf.tensor1d([1, 2, 3]);
    const weight = tf.tidy(() => tf.variable(tf.ones([3, 2])));
    const project = jit("project", ({ x, rate }: { x: tf.Tensor2D; rate: tf.Scalar }) => {
      weight.assign(tf.add(weight, 1));
      return { y: tf.mul(tf.matMul(tf.mul(x, outside), weight), rate) };
    }, { dynamic: { axes: { x: ["N", "3"] } } });
    const rate = tf.scalar(0.5);
    for (const [call, rows] of [2, 1, 131, 2].entries()) {
      const x = tf.ones([rows, 3]) as tf.Tensor2D;
      const { y } = await project({ x, rate });
      deepStrictEqual(y.shape, [rows, 2]);
      // (1 + 2 + 3) · (number of calls so far + 1) · 0.5
      ok((await y.data()).every((value) => value === 3 * (call + 2)));
      tf.dispose([x, y]);
    }
    deepStrictEqual(compiled, ["project"]);
    strictEqual(heldPrograms(), held + 3);
    project.release();
    strictEqual(heldPrograms(), held);
    tf.dispose([outside, weight, rate]);
    deepStrictEqual(
      [tf.memory().numTensors, tf.memory().numDataBuffers],
      [before.numTensors, before.numDataBuffers],
    );
    onCompile(() => {});
  },
);

testNative("a function that cannot be compiled releases its captured tensors", async () => {
  await openBackend("native");
  const { traced, executor } = tf.backend() as RecordingBackend;
  const fail = () => Promise.reject(new Error("no space is left"));
  traced.compileWith({ ...executor, compile: fail, compileGeneric: fail }, "float32");
  const before = tf.memory().numDataBuffers;
  const outside = tf.tensor1d([1, 2]), x = tf.tensor2d([1, 2], [1, 2]);
  const program = jit("lost", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, outside) }), {
    dynamic: { axes: { x: ["N", "2"] } },
  });
  await rejects(() => program({ x }), { message: "no space is left" });
  program.release();
  tf.dispose([outside, x]);
  strictEqual(tf.memory().numDataBuffers, before);
  await openBackend("native");
});

testNative("two equal functions with dynamic dimensions share their programs", async () => {
  await openBackend("native");
  const before = heldPrograms();
  const make = () =>
    jit("double", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 2) }), {
      dynamic: { axes: { x: ["N"] } },
    });
  const functions = [make(), make()];
  const x = tf.tensor1d([1, 2]);
  for (const double of functions) {
    const { y } = await double({ x });
    deepStrictEqual([...await y.data()], [2, 4]);
    y.dispose();
  }
  strictEqual(heldPrograms(), before + 1);
  functions.forEach((double) => double.release());
  x.dispose();
});

testNative("functions with their dimensions in another order share no program", async () => {
  await openBackend("native");
  const tile = ({ a, b }: { a: tf.Tensor; b: tf.Tensor }) => ({
    y: tf.mul(tf.reshape(a, [-1, 1]), tf.reshape(b, [1, -1])),
  });
  const one = jit("one", tile, { dynamic: { axes: { a: ["A"], b: ["B"] } } });
  // because of the limit, A has the same samples although B is named first
  const other = jit("other", tile, {
    dynamic: { axes: { b: ["B"], a: ["A"] }, limits: { A: 60 } },
  });
  const few = tf.tensor1d([2, 3]), more = tf.tensor1d([5, 7, 11]);
  const { y: first } = await one({ a: few, b: more });
  deepStrictEqual([...await first.data()], [10, 14, 22, 15, 21, 33]);
  const { y: second } = await other({ a: more, b: few });
  deepStrictEqual([...await second.data()], [10, 15, 14, 21, 22, 33]);
  one.release();
  other.release();
  tf.dispose([few, more, first, second]);
});

testNative("a function without a generic form is traced at each shape", async () => {
  await openBackend("native");
  const compiled: string[] = [];
  onCompile((name) => void compiled.push(name));
  const FUNCTIONS: Record<string, (x: tf.Tensor1D) => tf.Tensor> = {
    mean: (x) => tf.mean(x), // divides by N
    turned: (x) => tf.reverse(x), // starts at N − 1
    even: (x) => tf.sum(tf.reshape(x, [-1, 2]), 1), // fails at odd sizes such as the samples
    numbered: (x) => tf.add(x, tf.range(0, x.shape[0])), // constants differ
  };
  const expected: Record<string, number[]> = {
    mean: [2.5],
    turned: [4, 3, 2, 1],
    even: [3, 7],
    numbered: [1, 3, 5, 7],
  };
  const x = tf.tensor1d([1, 2, 3, 4]), shorter = tf.tensor1d([5, 7]);
  const before = tf.memory().numDataBuffers;
  for (const [name, run] of Object.entries(FUNCTIONS)) {
    const program = jit(name, ({ x }: { x: tf.Tensor1D }) => ({ y: run(x) }), {
      dynamic: { axes: { x: ["N"] } },
    });
    for (const input of [shorter, x]) {
      const { y } = await program({ x: input });
      if (input === x) deepStrictEqual([...await y.data()], expected[name]);
      y.dispose();
    }
    program.release();
    ok(compiled.filter((each) => each === name).length >= 2, name);
  }
  const listed = Object.keys(FUNCTIONS).map((name) => [
    ...new Set(listFallbacks().filter(({ subject }) => subject === name).map(describeFallback)),
  ]);
  const falls = "falls back to a program for each shape because";
  deepStrictEqual(listed, [
    [`mean ${falls} it computes with a number that is not a product of sizes`],
    [`turned ${falls} its constants differ from size to size`],
    [
      `even ${falls} it rejects other sizes: ` +
      "The implicit shape can't be a fractional number. Got 43 / 2",
    ],
    [`numbered ${falls} its constants differ from size to size`],
  ]);
  strictEqual(tf.memory().numDataBuffers, before);
  tf.dispose([x, shorter]);
  onCompile(() => {});
});

testNative("a function with dynamic dimensions accepts arrays without elements", async () => {
  await openBackend("native");
  const program = jit("empty", ({ x }: { x: tf.Tensor2D }) => ({
    outer: tf.tanh(tf.matMul(x, x, false, true)),
    inner: tf.add(tf.matMul(x, x, true, false), 1),
  }), { dynamic: { axes: { x: ["N", "2"] } } });
  for (const [rows, inner] of [[1, [2, 3, 3, 5]], [0, [1, 1, 1, 1]]] as const) {
    const x = tf.tensor2d([1, 2].slice(0, 2 * rows), [rows, 2]);
    const outputs = await program({ x });
    deepStrictEqual(outputs.outer.shape, [rows, rows]);
    deepStrictEqual([...await outputs.inner.data()], inner);
    tf.dispose([x, outputs]);
  }
  program.release();
});

testNative(
  "a function with dynamic dimensions is traced again if a call exceeds what its samples allow",
  async () => {
    await openBackend("native");
    const table = tf.tidy(() => tf.variable(tf.tensor2d(leafValues([64, 1], 1), [64, 1])));
    const integers = (x: tf.Tensor) => tf.cast(tf.add(x, 0.5), "int32") as tf.Tensor1D;
    type Function = (x: tf.Tensor1D, z: tf.Tensor1D) => tf.Tensor;
    const FUNCTIONS: Record<string, Function> = {
      begin: (x) => tf.slice(x, 0, 5),
      positions: (x) => tf.add(tf.slice(table, [0, 0], [x.shape[0], 1]), tf.reshape(x, [-1, 1])),
      greatest: (x) => tf.topk(x, 5).values,
      // the first five of [x₀ … x₀, x₁ … x₁, …], each repeated as often as z has elements
      repeated: (x, z) =>
        tf.slice(
          tf.reshape(tf.transpose(tf.tile(tf.reshape(x, [1, -1]), [z.size, 1])), [-1]),
          0,
          5,
        ),
      // indices of rows of x, of which the first 60 are used
      counted: (x) =>
        tf.add(
          tf.sum(tf.gather(x, integers(x))),
          tf.unsortedSegmentSum(tf.mul(x, 2), integers(x), 60),
        ),
    };
    const shapes = [[7, 6], [3, 6], [7, 2], [70, 6]] as const;
    for (const [name, run] of Object.entries(FUNCTIONS)) {
      const results = [{}, { dynamic: { axes: { x: ["N"], z: ["M"] } } }].map(async (options) => {
        const program = jit(name, ({ x, z }: { x: tf.Tensor1D; z: tf.Tensor1D }) => ({
          y: run(x, z),
        }), options);
        const found: (number[] | string)[] = [];
        for (const [n, m] of shapes) {
          const x = tf.range(0, n), z = tf.range(0, m);
          try {
            const { y } = await program({ x, z });
            found.push([...await y.data()]);
            y.dispose();
          } catch (error) {
            found.push(String(error));
          }
          tf.dispose([x, z]);
        }
        program.release();
        return found;
      });
      const [expected, actual] = await Promise.all(results);
      deepStrictEqual(actual, expected, name);
    }
    table.dispose();
    for (const name of Object.keys(FUNCTIONS)) {
      const [fallback, ...more] = listFallbacks().filter(({ subject }) => subject === name);
      deepStrictEqual([fallback?.to, more], ["a program for the shapes of that call", []], name);
    }
  },
);

testNative("shapes beyond the limits are traced separately", async () => {
  await openBackend("native");
  const recorded: number[] = [];
  const program = jit("limited", ({ x }: { x: tf.Tensor1D }) => {
    recorded.push(x.size);
    return { y: tf.mul(x, 2) };
  }, { dynamic: { axes: { x: ["N"] }, limits: { N: 60 } } });
  for (const size of [60, 61]) {
    const x = tf.range(0, size);
    tf.dispose([x, await program({ x })]);
  }
  deepStrictEqual(recorded.slice(2), [61]); // after two samples
  program.release();
});

testNative("inputs that contradict their axes are rejected", async () => {
  await openBackend("native");
  const add = jit("add", ({ a, b }: { a: tf.Tensor; b: tf.Tensor }) => ({ y: tf.add(a, b) }), {
    dynamic: { axes: { a: ["N"], b: ["N"] } },
  });
  const a = tf.tensor1d([1, 2]), b = tf.tensor1d([1]);
  await rejects(() => add({ a, b }), {
    name: "RangeError",
    message: "Cannot run as b must be [N] = [2]: current shape is [1]",
  });
  tf.dispose([a, b]);
});
