/** Consequences of operations that fail when computed eagerly, outside `jit`. */
import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { RecordingBackend } from "@/engine/backend.ts";
import { openEngine } from "@/engine/engine.ts";
import { lookUp } from "@/engine/errors.ts";

await openEngine({ threads: 2 });

Deno.test("only operations that depend on a failed one fail too", async () => {
  tf.engine().startScope();
  const x = tf.tensor1d([1, 2]);
  const good = tf.mul(x, 3);
  const index = tf.add(tf.tensor1d([5], "int32"), tf.scalar(1, "int32")); // unknown at recording time
  const bad = tf.gather(x, index), worse = tf.add(bad, 1);
  await rejects(bad.data(), /out of data bounds, idx=6/);
  deepStrictEqual([...await good.data()], [3, 6]);
  throws(() => worse.dataSync(), /out of data bounds, idx=6/);
  throws(() => tf.neg(worse), /out of data bounds, idx=6/);
  deepStrictEqual([...await tf.neg(good).data()], [-3, -6]);
  tf.engine().endScope();
});

Deno.test(
  "a bug in an executor fails all pending operations and is not hidden by retrying them separately",
  async () => {
    const { executor } = tf.backend() as RecordingBackend;
    const { compile } = executor;
    const defect = new TypeError("x is not a function");
    let tries = 0;
    tf.engine().startScope();
    try {
      executor.compile = () => {
        tries++;
        throw defect;
      };
      const x = tf.tensor1d([1, 2, 3, 4, 5]);
      const some = tf.neg(tf.mul(x, 3)), others = tf.abs(tf.add(x, 1));
      for (const value of [some, others]) {
        throws(() => value.dataSync(), (error) => error === defect);
      }
      strictEqual(tries, 1);
    } finally {
      executor.compile = compile;
      tf.engine().endScope();
    }
    const x = tf.tensor1d([1, 2]);
    deepStrictEqual([...await tf.tidy(() => tf.mul(x, 3)).data()], [3, 6]);
    x.dispose();
  },
);

Deno.test("lookUp() throws if the key is missing", () => {
  const names = new Map([[1, ""]]);
  strictEqual(lookUp(names, 1, "the name of node 1"), "");
  throws(() => lookUp(names, 2, "the name of node 2"), {
    name: "Error",
    message: "internal: the name of node 2 is not known",
  });
});
