/**
 * Functions recorded once for all values of their free sizes, against the same functions recorded at each.
 * @module
 */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import type { RecordingBackend } from "@/engine/backend.ts";
import type { FreeSizes } from "@/engine/free_sizes.ts";
import { jit, onCompile } from "@/engine/jit.ts";
import { findCompiler } from "@/engine/native/find_compiler.ts";
import { type Pass, startProfile, stopProfile, takeProfile } from "@/engine/profile.ts";
import { openBackend } from "../../backend.ts";
import { followGenericPlan, type GenericPlan, genericPlans } from "../generic_plans.ts";
import { areClose, leafValues } from "../random_graphs.ts";

const FREE: FreeSizes = {
  axes: { ids: ["B", "T"], x: ["B", "T", "3"], y: ["B", "T"], z: ["B"], u: ["T"] },
  limits: { T: 64 },
};

/** The sizes at which functions are compared, one after another. */
const SIZES = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20 })), {
  minLength: 1,
  maxLength: 3,
});

type Inputs = { readonly [name: string]: tf.Tensor };

function makeInputs(rows: number, length: number): Inputs {
  const real = (shape: number[], k: number) => tf.tensor(leafValues(shape, k), shape);
  const size = rows * length;
  return {
    ids: tf.tensor2d(
      Int32Array.from({ length: size }, (_, i) => (3 * i) % 7),
      [rows, length],
      "int32",
    ),
    x: real([rows, length, 3], 1),
    y: real([rows, length], 2),
    z: real([rows], 3),
    u: real([length], 4),
    seed: tf.scalar(5, "int32"),
  };
}

/** What a plan gives, the gradient of what it gives by its inputs and a table, and an updated variable. */
function runPlan(plan: GenericPlan, table: tf.Variable, inputs: Inputs) {
  const { ids, x, y, z, u, seed } = inputs as Required<Record<string, tf.Tensor>> & Inputs;
  const follow = (x: tf.Tensor, y: tf.Tensor, rows: tf.Tensor) =>
    followGenericPlan(
      plan,
      [
        { x, axes: ["B", "T", "3"] },
        { x: y, axes: ["B", "T"] },
        { x: z as tf.Tensor, axes: ["B"] },
        { x: u as tf.Tensor, axes: ["T"] },
      ],
      {
        ids: { x: ids as tf.Tensor, axes: ["B", "T"] },
        seed: seed as tf.Scalar,
        table: rows as tf.Tensor2D,
      },
    ).map(({ x }) => x);
  const results = follow(x as tf.Tensor, y as tf.Tensor, table);
  const gradients = tf.grads((...given) => {
    const [x, y, rows] = given as [tf.Tensor, tf.Tensor, tf.Tensor];
    return tf.addN([
      ...[x, y, rows].map((each) => tf.mul(tf.sum(each), 0.1)),
      ...follow(x, y, rows).map((each) => tf.sum(tf.tanh(each))),
    ]);
  })([x as tf.Tensor, y as tf.Tensor, table]);
  table.assign(tf.sub(table, tf.mul(gradients[2] as tf.Tensor, 0.01)));
  return Object.fromEntries([...results, ...gradients].map((each, i) => [`t${i}`, each]));
}

/** Values of a plan at some sizes one after another, compiled in either way; how often it was compiled. */
async function follow(
  plan: GenericPlan,
  sizes: readonly (readonly [number, number])[],
  free: FreeSizes | null,
): Promise<{ readonly values: Float32Array[][]; readonly compiled: number }> {
  let compiled = 0;
  onCompile(() => void compiled++);
  const table = tf.tidy(() => tf.variable(tf.tensor(leafValues([7, 3], 9), [7, 3])));
  const program = jit(
    "plan",
    (inputs: Inputs) => runPlan(plan, table, inputs),
    free === null ? {} : { free },
  );
  const values: Float32Array[][] = [];
  for (const [rows, length] of sizes) {
    const inputs = makeInputs(rows, length);
    const outputs = await program(inputs);
    const all = await Promise.all([...Object.values(outputs), table].map((each) => each.data()));
    values.push(all as Float32Array[]);
    tf.dispose([inputs, outputs]);
  }
  program.release();
  table.dispose();
  onCompile(() => {});
  return { values, compiled };
}

const heldPrograms = () => (tf.backend() as RecordingBackend).traced.size;

const testNative = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore: findCompiler() === null, fn });

testNative(
  "functions of free sizes give at all sizes what they give recorded at each",
  async () => {
    await openBackend("native");
    let functions = 0, generic = 0;
    await fc.assert(
      fc.asyncProperty(genericPlans, SIZES, async (plan, sizes) => {
        const before = tf.memory().numTensors;
        const all = [[1, 1], ...sizes] as const satisfies readonly (readonly [number, number])[];
        const expected = await follow(plan, all as never, null);
        const actual = await follow(plan, all as never, FREE);
        strictEqual(tf.memory().numTensors, before, "tensors left behind");
        functions++;
        if (actual.compiled === 1) generic++;
        for (const [at, values] of expected.values.entries()) {
          for (const [i, wanted] of values.entries()) {
            const got = actual.values[at]?.[i] ?? [];
            ok(areClose(got, wanted, 1e-5), `sizes ${all[at]}, result ${i}: ${got} ${wanted}`);
          }
        }
      }),
      { numRuns: Number(Deno.env.get("GENERIC_RUNS") ?? 25) },
    );
    // about three quarters do; fewer by chance as few are drawn
    ok(generic >= 0.4 * functions, `${generic} of ${functions} functions serve all sizes`);
    if (Deno.env.get("GENERIC_RUNS")) console.log(`${generic} of ${functions}`);
  },
);

testNative(
  "a function of free sizes is recorded once, and lets go of all that it held",
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
    }, { free: { axes: { x: ["N", "3"] } } });
    const rate = tf.scalar(0.5);
    for (const [call, rows] of [2, 1, 131, 2].entries()) {
      const x = tf.ones([rows, 3]) as tf.Tensor2D;
      const { y } = await project({ x, rate });
      deepStrictEqual(y.shape, [rows, 2]);
      // (1 + 2 + 3) · (the calls so far + 1) · 0.5
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

testNative("a function that cannot be compiled lets go of what it read", async () => {
  await openBackend("native");
  const { traced, executor } = tf.backend() as RecordingBackend;
  const fail = () => Promise.reject(new Error("no space is left"));
  traced.compileWith({ ...executor, compile: fail, compileGeneric: fail }, "float32");
  const before = tf.memory().numDataBuffers;
  const outside = tf.tensor1d([1, 2]), x = tf.tensor2d([1, 2], [1, 2]);
  const program = jit("lost", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, outside) }), {
    free: { axes: { x: ["N", "2"] } },
  });
  await rejects(() => program({ x }), { message: "no space is left" });
  program.release();
  tf.dispose([outside, x]);
  strictEqual(tf.memory().numDataBuffers, before);
  await openBackend("native");
});

testNative("two functions of free sizes that do the same share their programs", async () => {
  await openBackend("native");
  const before = heldPrograms();
  const make = () =>
    jit("double", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 2) }), {
      free: { axes: { x: ["N"] } },
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

testNative("functions that name their sizes in another order share no program", async () => {
  await openBackend("native");
  const tile = ({ a, b }: { a: tf.Tensor; b: tf.Tensor }) => ({
    y: tf.mul(tf.reshape(a, [-1, 1]), tf.reshape(b, [1, -1])),
  });
  const one = jit("one", tile, { free: { axes: { a: ["A"], b: ["B"] } } });
  // the limit gives A the same samples, though B is named first
  const other = jit("other", tile, { free: { axes: { b: ["B"], a: ["A"] }, limits: { A: 60 } } });
  const few = tf.tensor1d([2, 3]), more = tf.tensor1d([5, 7, 11]);
  const { y: first } = await one({ a: few, b: more });
  deepStrictEqual([...await first.data()], [10, 14, 22, 15, 21, 33]);
  const { y: second } = await other({ a: more, b: few });
  deepStrictEqual([...await second.data()], [10, 15, 14, 21, 22, 33]);
  one.release();
  other.release();
  tf.dispose([few, more, first, second]);
});

testNative("a function that no form serves is recorded at each of its sizes", async () => {
  await openBackend("native");
  const compiled: string[] = [];
  onCompile((name) => void compiled.push(name));
  const FUNCTIONS: Record<string, (x: tf.Tensor1D) => tf.Tensor> = {
    mean: (x) => tf.mean(x), // divides by N
    turned: (x) => tf.reverse(x), // begins at N − 1
    even: (x) => tf.sum(tf.reshape(x, [-1, 2]), 1), // fails at odd sizes, as samples are
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
      free: { axes: { x: ["N"] } },
    });
    for (const input of [shorter, x]) {
      const { y } = await program({ x: input });
      if (input === x) deepStrictEqual([...await y.data()], expected[name]);
      y.dispose();
    }
    program.release();
    ok(compiled.filter((each) => each === name).length >= 2, name);
  }
  strictEqual(tf.memory().numDataBuffers, before);
  tf.dispose([x, shorter]);
  onCompile(() => {});
});

testNative("a function of free sizes serves arrays without elements", async () => {
  await openBackend("native");
  const program = jit("empty", ({ x }: { x: tf.Tensor2D }) => ({
    outer: tf.tanh(tf.matMul(x, x, false, true)),
    inner: tf.add(tf.matMul(x, x, true, false), 1),
  }), { free: { axes: { x: ["N", "2"] } } });
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
  "a function of free sizes is recorded anew where it reaches past what its samples did",
  async () => {
    await openBackend("native");
    const table = tf.tidy(() => tf.variable(tf.tensor2d(leafValues([64, 1], 1), [64, 1])));
    const whole = (x: tf.Tensor) => tf.cast(tf.add(x, 0.5), "int32") as tf.Tensor1D;
    type Function = (x: tf.Tensor1D, z: tf.Tensor1D) => tf.Tensor;
    const FUNCTIONS: Record<string, Function> = {
      begin: (x) => tf.slice(x, 0, 5),
      positions: (x) => tf.add(tf.slice(table, [0, 0], [x.shape[0], 1]), tf.reshape(x, [-1, 1])),
      greatest: (x) => tf.topk(x, 5).values,
      // the first five of [x₀ … x₀, x₁ … x₁, …], each as often as z is long
      repeated: (x, z) =>
        tf.slice(
          tf.reshape(tf.transpose(tf.tile(tf.reshape(x, [1, -1]), [z.size, 1])), [-1]),
          0,
          5,
        ),
      // numbers of rows that x has, of which 60 are counted
      counted: (x) =>
        tf.add(
          tf.sum(tf.gather(x, whole(x))),
          tf.unsortedSegmentSum(tf.mul(x, 2), whole(x), 60),
        ),
    };
    const shapes = [[7, 6], [3, 6], [7, 2], [70, 6]] as const;
    for (const [name, run] of Object.entries(FUNCTIONS)) {
      const results = [{}, { free: { axes: { x: ["N"], z: ["M"] } } }].map(async (options) => {
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
  },
);

testNative("sizes beyond the limits are recorded as they are", async () => {
  await openBackend("native");
  const recorded: number[] = [];
  const program = jit("limited", ({ x }: { x: tf.Tensor1D }) => {
    recorded.push(x.size);
    return { y: tf.mul(x, 2) };
  }, { free: { axes: { x: ["N"] }, limits: { N: 60 } } });
  for (const size of [60, 61]) {
    const x = tf.range(0, size);
    tf.dispose([x, await program({ x })]);
  }
  deepStrictEqual(recorded.slice(2), [61]); // after two samples
  program.release();
});

testNative("inputs that contradict their axes are an error", async () => {
  await openBackend("native");
  const add = jit("add", ({ a, b }: { a: tf.Tensor; b: tf.Tensor }) => ({ y: tf.add(a, b) }), {
    free: { axes: { a: ["N"], b: ["N"] } },
  });
  const a = tf.tensor1d([1, 2]), b = tf.tensor1d([1]);
  await rejects(() => add({ a, b }), {
    name: "RangeError",
    message: "Cannot run as b must be [N] = [2]: current shape is [1]",
  });
  tf.dispose([a, b]);
});

testNative("programs of free sizes count the work of theirs", async () => {
  await openBackend("native");
  const table = tf.tidy(() => tf.variable(tf.tensor(leafValues([7, 3], 9), [7, 3])));
  const plan: GenericPlan = ["lookUp", "layerNorm", "attend", "project", "gram"]
    .map((name, i) => ({ name, first: i === 4 ? 1 : 4 + i, second: 0 }));
  const passes: (readonly Pass[])[] = [];
  for (const options of [{}, { free: FREE }]) {
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
});

testNative(
  "work that is no product of free sizes is not known, and breaks no profile",
  async () => {
    await openBackend("native");
    // between the rows that the two samples look up, 53 · 43 and 47 · 41
    const table = tf.tidy(() => tf.variable(tf.ones([2000, 2])));
    startProfile();
    const program = jit("looked", ({ ids }: { ids: tf.Tensor2D }) => {
      const energy = (rows: tf.Tensor) => tf.sum(tf.square(tf.gather(rows, ids)));
      table.assign(tf.add(table, tf.grad(energy)(table)));
      return { y: tf.mul(ids, 2) };
    }, { free: { axes: { ids: ["B", "T"] } } });
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
);
