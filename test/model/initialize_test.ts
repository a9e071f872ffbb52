import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createEncoder, createModel } from "@/model/initialize.ts";
import {
  countParameters,
  disposeEncoder,
  disposeModel,
  type MultiTask,
  namedParameters,
} from "@/model/parameters.ts";
import { testOnBackends } from "../backend.ts";
import { createTinyModel, TINY_CONFIG, TINY_OPTIONS } from "./tiny_model.ts";

/** Values of all parameters by name. */
function readParameters(model: MultiTask): ReadonlyMap<string, readonly number[]> {
  return new Map(
    namedParameters(model).map(({ name, variable }) => [
      name,
      [...variable.dataSync()],
    ]),
  );
}

testOnBackends(
  "createModel() initializes normal weights, zero biases, unit gains, and zeros for padding",
  () => {
    const model = createTinyModel();
    const values = readParameters(model);
    for (const [name, list] of values) {
      if (name.endsWith("bias")) deepStrictEqual(new Set(list), new Set([0]), name);
      if (/norm.*weight$/i.test(name)) deepStrictEqual(new Set(list), new Set([1]), name);
    }
    const words = values.get("embeddings.word_embeddings.weight") ?? [];
    deepStrictEqual(words.slice(0, 8), Array(8).fill(0)); // id 0 is [PAD]
    // all weights together: mean 0 within 4 standard errors, standard deviation 0.4 within 10 %
    const drawn = [...values].flatMap(([name, list]) =>
      /norm.*weight$/i.test(name) || name.endsWith("bias") ? [] : list
    ).filter((value) => value !== 0);
    const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length;
    const deviation = Math.sqrt(drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length);
    ok(drawn.length > 1000);
    ok(Math.abs(mean) < 4 * 0.4 / Math.sqrt(drawn.length), `mean ${mean}`);
    ok(Math.abs(deviation - 0.4) < 0.04, `deviation ${deviation}`);
    disposeModel(model);
  },
);

testOnBackends(
  "adding a task or a projection, or changing the pooling, does not change other parameters",
  () => {
    const plain = createTinyModel();
    const more = createTinyModel({
      tasks: [
        { name: "mood", kind: "classification", labels: ["good", "bad"] },
        ...TINY_OPTIONS.tasks,
      ],
      pooling: "cls",
      normalize: "l2",
    });
    const [before, after] = [readParameters(plain), readParameters(more)];
    for (const [name, list] of before) deepStrictEqual(after.get(name), list, name);
    strictEqual(after.size, before.size + 6); // dense, norm and out of the new head
    disposeModel(plain);
    disposeModel(more);
  },
);

testOnBackends("initial weights depend on the seed only", () => {
  const models = [7, 7, 8].map((seed) => createTinyModel({ seed }));
  const [first, same, other] = models.map((model) =>
    readParameters(model).get("heads.topic.dense.weight")
  );
  deepStrictEqual(same, first);
  ok(first?.every((value, i) => value !== other?.[i]));
  models.forEach(disposeModel);
});

testOnBackends("countParameters() matches a hand-computed sum", () => {
  const model = createTinyModel({ embeddingSize: 5 });
  // hidden 8, intermediate 12, vocabulary 20, positions 10, types 2
  const embeddings = (20 + 10 + 2) * 8 + 2 * 8;
  const layer = 4 * (8 * 8 + 8) + 2 * 8 + (12 * 8 + 12) + (8 * 12 + 8) + 2 * 8;
  const pooler = 8 * 8 + 8;
  const projection = 5 * 8 + 5;
  const topic = (8 * 5 + 8) + 2 * 8 + (3 * 8 + 3); // its input is the embedding
  const entities = (8 * 8 + 8) + 2 * 8 + (3 * 8 + 3);
  const wanted = embeddings + 2 * layer + pooler + projection + topic + entities;
  strictEqual(countParameters(model), wanted);
  disposeModel(model);
});

testOnBackends("createModel() rejects duplicate task names, and cls without a pooler", () => {
  const encoder = createEncoder(TINY_CONFIG, { seed: 1 });
  const [topic] = TINY_OPTIONS.tasks;
  ok(topic !== undefined);
  throws(() => createModel(encoder, { ...TINY_OPTIONS, tasks: [topic, topic] }), {
    name: "RangeError",
    message: "Cannot create model: task names must differ, but are topic, topic",
  });
  throws(() => createModel({ ...encoder, pooler: null }, { ...TINY_OPTIONS, pooling: "cls" }), {
    name: "RangeError",
    message: 'Cannot create model: pooling "cls" requires a pooler, but the encoder has none',
  });
  disposeEncoder(encoder);
});

testOnBackends("several models can coexist, and disposing one does not affect the other", () => {
  const [a, b] = [createTinyModel(), createTinyModel()];
  disposeModel(a);
  ok(namedParameters(b).every(({ variable }) => !variable.isDisposed));
  strictEqual(tf.memory().numTensors, namedParameters(b).length);
  disposeModel(b);
});
