import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { RecordingBackend } from "@/engine/backend.ts";
import { openEngine } from "@/engine/engine.ts";
import type { Program } from "@/engine/executor.ts";
import { graphKey, makeGraph } from "@/engine/graph.ts";
import { jit } from "@/engine/jit.ts";
import { HeldPrograms, RecentPrograms } from "@/engine/program_store.ts";
import { Tape } from "@/engine/tape.ts";
import { garbageCollector } from "@/system/process_memory.ts";

/** A program that only records its release; its runs end when `finish` is called. */
function fakeProgram(name: string, released: string[]): Program & { finish(): void } {
  let finish = () => {};
  return {
    run: () => new Promise<void>((resolve) => finish = resolve),
    runSync() {},
    release: () => void released.push(name),
    finish: () => finish(),
  };
}

Deno.test("HeldPrograms creates one program per key and releases it with its last holder", async () => {
  const programs = new HeldPrograms(), released: string[] = [];
  let made = 0;
  const make = () => Promise.resolve(fakeProgram(`program ${++made}`, released));
  const [first, second] = await Promise.all([programs.hold("a", make), programs.hold("a", make)]);
  strictEqual(first.program, second.program);
  first.drop();
  first.drop(); // a second call has no effect
  deepStrictEqual([made, programs.size, released], [1, 1, []]);
  second.drop();
  deepStrictEqual([made, programs.size, released], [1, 0, ["program 1"]]);
  (await programs.hold("a", make)).drop();
  deepStrictEqual(released, ["program 1", "program 2"]);
});

Deno.test("HeldPrograms releases a program after its run has ended", async () => {
  const programs = new HeldPrograms(), released: string[] = [];
  const fake = fakeProgram("running", released);
  const { program, drop } = await programs.hold("a", () => Promise.resolve(fake));
  const run = program.run([], []);
  drop();
  deepStrictEqual(released, []);
  fake.finish();
  await run;
  deepStrictEqual(released, ["running"]);
});

Deno.test("HeldPrograms keeps no entry for a program that could not be created", async () => {
  const programs = new HeldPrograms();
  const fail = () => Promise.reject(new RangeError("on purpose"));
  await rejects(programs.hold("a", fail), { message: "on purpose" });
  strictEqual(programs.size, 0);
  const { program } = await programs.hold("a", () => Promise.resolve(fakeProgram("a", [])));
  ok(program);
});

Deno.test("RecentPrograms releases the least recently used program", () => {
  const programs = new RecentPrograms(2), released: string[] = [];
  for (const key of ["a", "b", "a", "c", "a", "b"]) {
    programs.use(key, () => fakeProgram(key, released));
  }
  // b is evicted for c, then c for b
  deepStrictEqual([released, programs.size], [["b", "c"], 2]);
  programs.clear();
  deepStrictEqual([released.toSorted(), programs.size], [["a", "b", "b", "c"], 0]);
});

Deno.test("graphKey() distinguishes graphs by every element of their constants", () => {
  const key = (data: Float32Array | Int32Array, pad = 0) => {
    const tape = new Tape();
    const x = tape.data(data, [2], data instanceof Int32Array ? "int32" : "float32");
    const padded = tape.make({ kind: "pad", paddings: [[1, 0]], value: pad }, [x], [3], x.dtype);
    return graphKey(makeGraph("any", [], [{ node: padded, target: null }]));
  };
  // Two pairs of integers with the same 32-bit FNV-1a hash, which keys once consisted of.
  const [some, others] = findCollision();
  notStrictEqual(key(some), key(others));
  strictEqual(key(some), key(Int32Array.from(some)));
  notStrictEqual(key(Float32Array.of(0, 1)), key(Float32Array.of(-0, 1)));
  const fills = [0, -0, NaN, Infinity, -Infinity].map((fill) => key(Float32Array.of(1, 2), fill));
  strictEqual(new Set(fills).size, fills.length);
});

/** Two pairs of integers whose bytes have the same FNV-1a hash; some are expected among 2^17 pairs. */
function findCollision(): [Int32Array, Int32Array] {
  const seen = new Map<number, Int32Array>();
  for (let i = 0; i < 2 ** 20; i++) {
    const pair = Int32Array.of(Math.imul(i, 0x9e3779b1), Math.imul(i ^ 0x55555, 0x85ebca6b));
    let digest = 0x811c9dc5;
    for (const byte of new Uint8Array(pair.buffer)) {
      digest = Math.imul(digest ^ byte, 0x01000193);
    }
    const other = seen.get(digest);
    if (other !== undefined) return [other, pair];
    seen.set(digest, pair);
  }
  throw new Error("premise: two pairs have one digest");
}

Deno.test("jit() releases its programs and captured tensors when it is released", async () => {
  await openEngine();
  const backend = tf.backend() as RecordingBackend;
  ok(backend instanceof RecordingBackend);
  const before = backend.traced.size, buffers = tf.memory().numDataBuffers;
  const scale = tf.tensor1d([2, 3]);
  const make = () => jit("scaled", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, scale) }));
  const some = make(), same = make();
  const x = tf.tensor1d([1, 1]);
  const ys = [await some({ x }), await same({ x })];
  strictEqual(backend.traced.size, before + 1); // equal graphs share one program
  some.release();
  strictEqual(backend.traced.size, before + 1);
  same.release();
  strictEqual(backend.traced.size, before);
  const again = await some({ x }); // compiled again
  deepStrictEqual([...await again.y.data()], [2, 3]);
  some.release();
  tf.dispose([scale, x, ys, again]);
  deepStrictEqual([backend.traced.size, tf.memory().numDataBuffers], [before, buffers]);
});

Deno.test("programs of an unreachable jit() are released", async () => {
  await openEngine();
  const backend = tf.backend() as RecordingBackend;
  const collect = garbageCollector();
  const before = backend.traced.size;
  const x = tf.tensor1d([1, 1]);
  await (async () => {
    const { y } = await jit("forgotten", ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 7) }))({ x });
    y.dispose();
  })();
  strictEqual(backend.traced.size, before + 1);
  for (let turn = 0; turn < 50 && backend.traced.size > before; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    collect();
  }
  strictEqual(backend.traced.size, before);
  x.dispose();
});
