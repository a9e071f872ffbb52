import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { embed, runTask } from "@/model/multi_task.ts";
import { disposeModel } from "@/model/parameters.ts";
import { testOnBackends } from "../backend.ts";
import { createTinyModel } from "./tiny_model.ts";

/** Ids padded with zeros to `length`, and their mask. */
function toInputs(rows: readonly (readonly number[])[], length: number) {
  const fill = (row: readonly number[], value: (id: number) => number) =>
    Array.from({ length }, (_, i) => (i < row.length ? value(row[i] ?? 0) : 0));
  return {
    ids: tf.tensor2d(rows.map((row) => fill(row, (id) => id)), undefined, "int32"),
    mask: tf.tensor2d(rows.map((row) => fill(row, () => 1)), undefined, "int32"),
  };
}

/** The largest difference between two lists of equal length. */
function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  strictEqual(a.length, b.length);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? NaN))), 0);
}

const rows = fc.array(fc.array(fc.integer({ min: 1, max: 19 }), { minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 4,
});

for (const pooling of POOLING_MODES) {
  for (const normalize of NORMALIZE_MODES) {
    testOnBackends(
      `padding and other rows of a batch do not change an embedding: ${pooling}, ${normalize}`,
      () => {
        const model = createTinyModel({ pooling, normalize, embeddingSize: 5 });
        fc.assert(
          fc.property(rows, fc.integer({ min: 6, max: 10 }), (rows, length) => {
            tf.tidy(() => {
              const together = embed(model, toInputs(rows, length)).arraySync();
              for (const [i, row] of rows.entries()) {
                const alone = embed(model, toInputs([row], row.length)).dataSync();
                ok(difference(alone, together[i] ?? []) < 1e-5);
              }
            });
          }),
          { numRuns: 8 },
        );
        disposeModel(model);
      },
    );
  }
}

testOnBackends("runTask() returns class scores per row, and tag scores per token", () => {
  const model = createTinyModel();
  tf.tidy(() => {
    const inputs = toInputs([[3, 4, 5], [6, 7]], 4);
    strictEqual(`${runTask(model, "topic", inputs).shape}`, "2,3");
    const tags = runTask(model, "entities", inputs);
    strictEqual(`${tags.shape}`, "8,3");
    // token 1 of row 0 has the same scores with and without row 1
    const alone = runTask(model, "entities", toInputs([[3, 4, 5]], 3)).dataSync();
    ok(difference(tags.dataSync().slice(3, 6), alone.slice(3, 6)) < 1e-5);
  });
  disposeModel(model);
});

testOnBackends("runTask() lists the available tasks", () => {
  const model = createTinyModel();
  tf.tidy(() => {
    throws(() => runTask(model, "topics", toInputs([[3]], 1)), {
      name: "RangeError",
      message:
        'Cannot run task "topics": the tasks of the model are topic, entities (did you mean topic?)',
    });
  });
  disposeModel(model);
});

testOnBackends("embed() rejects input longer than the position table", () => {
  const model = createTinyModel();
  tf.tidy(() => {
    throws(() => embed(model, toInputs([[3]], 11)), {
      name: "RangeError",
      message: "Cannot encode: the input has 11 tokens, but the encoder has only 10 positions",
    });
  });
  disposeModel(model);
});

testOnBackends(
  "dropout depends on its seed only, and each rate applies to its own sites",
  () => {
    const model = createTinyModel();
    const off = { hidden: 0, attention: 0, head: 0 };
    const run = (seed: number, rates: Partial<typeof off>, task = "topic") =>
      tf.tidy(() =>
        runTask(model, task, {
          ...toInputs([[3, 4, 5], [6, 7]], 4),
          dropout: { seed: tf.scalar(seed, "int32"), ...off, ...rates },
        }).dataSync()
      );
    const plain = tf.tidy(() =>
      runTask(model, "topic", toInputs([[3, 4, 5], [6, 7]], 4)).dataSync()
    );
    deepStrictEqual(run(1, {}), plain);
    const kinds = ["hidden", "attention", "head"] as const;
    for (const kind of kinds) {
      const dropped = run(1, { [kind]: 0.5 });
      deepStrictEqual(run(1, { [kind]: 0.5 }), dropped);
      notDeepStrictEqual(dropped, plain, kind);
      notDeepStrictEqual(run(2, { [kind]: 0.5 }), dropped, kind);
      for (const other of kinds.filter((other) => other !== kind)) {
        notDeepStrictEqual(run(1, { [other]: 0.5 }), dropped, `${kind} and ${other}`);
      }
    }
    disposeModel(model);
  },
);

testOnBackends(
  "a training pass applies dropout at every site of BERT and head, each with its own name",
  () => {
    const model = createTinyModel();
    const sites: string[] = [];
    const engine = tf.engine();
    const { runKernel } = engine;
    engine.runKernel = <T extends tf.Tensor | tf.Tensor[]>(
      ...[name, inputs, attributes]: Parameters<typeof runKernel>
    ) => {
      if (name === "DropoutMask") sites.push(String(attributes?.site));
      return runKernel.call(engine, name, inputs, attributes) as T;
    };
    try {
      tf.tidy(() => {
        const dropout = { seed: tf.scalar(1, "int32"), hidden: 0.1, attention: 0.1, head: 0.1 };
        runTask(model, "topic", { ...toInputs([[3, 4]], 2), dropout });
      });
    } finally {
      engine.runKernel = runKernel;
    }
    deepStrictEqual(sites, [
      "embeddings",
      "layer.0.attention.probabilities",
      "layer.0.attention.output",
      "layer.0.output",
      "layer.1.attention.probabilities",
      "layer.1.attention.output",
      "layer.1.output",
      "heads.topic.input",
      "heads.topic.output",
    ]);
    disposeModel(model);
  },
);
