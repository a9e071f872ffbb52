import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { layerwiseGroups, planParameters } from "@/train/layerwise.ts";
import { testOnBackends } from "../backend.ts";
import { createTinyModel } from "./tiny_model.ts";

Deno.test("layerwiseGroups() multiplies the learning rate by the decay for each layer below the top", () => {
  deepStrictEqual(layerwiseGroups(2, { top: 4, decay: 0.5, heads: 10 }), [
    { name: "embeddings", learningRate: 1 },
    { name: "layer 0", learningRate: 2 },
    { name: "layer 1", learningRate: 4 },
    { name: "heads", learningRate: 10 },
  ]);
});

Deno.test("layerwiseGroups() never gives a layer a higher learning rate than the layer above", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 24 }),
    fc.double({ min: 0.5, max: 1, noNaN: true }),
    (layers, decay) => {
      const groups = layerwiseGroups(layers, { top: 2e-5, decay, heads: 5e-5 });
      strictEqual(groups.length, layers + 2);
      for (const [i, { learningRate }] of groups.entries()) {
        if (i > 0) ok(learningRate >= (groups[i - 1]?.learningRate ?? NaN));
      }
      strictEqual(groups.at(-2)?.learningRate, 2e-5);
    },
  ));
});

/** The groups of parameters with these names in an encoder of `layers` layers. */
function groupsOf(names: readonly string[], layers: number): readonly string[] {
  const { plans } = planParameters(names.map((name) => ({ name, shape: [1] })), {
    layers,
    learningRates: { top: 1, decay: 1, heads: 1 },
    weightDecay: 0,
  });
  return plans.map(({ group }) => group);
}

Deno.test("planParameters() puts pooler and projection into the group of the top layer", () => {
  const names = [
    "embeddings.LayerNorm.weight",
    "encoder.layer.0.output.dense.bias",
    "encoder.layer.11.attention.self.query.weight",
    "pooler.dense.weight",
    "projection.dense.bias",
    "heads.ag_news.out.weight",
    "uncertainty.ag_news",
  ];
  deepStrictEqual(groupsOf(names, 12), [
    ...["embeddings", "layer 0", "layer 11", "layer 11", "layer 11", "heads", "heads"],
  ]);
});

Deno.test("planParameters() rejects an unknown name and a layer that the encoder does not have", () => {
  throws(() => groupsOf(["decoder.weight"], 2), {
    name: "RangeError",
    message:
      "Cannot find the parameter group of decoder.weight: names must begin with embeddings, " +
      "encoder.layer.N, pooler, projection, heads or uncertainty",
  });
  throws(() => groupsOf(["encoder.layer.2.output.dense.bias"], 2), {
    name: "RangeError",
    message:
      "Cannot find the parameter group of encoder.layer.2.output.dense.bias: the encoder has only " +
      "2 layers",
  });
});

testOnBackends(
  "planParameters() gives only matrices weight decay and counts every parameter once",
  () => {
    const model = createTinyModel();
    const parameters = namedParameters(model).map(({ name, variable }) => ({
      name,
      shape: variable.shape,
    }));
    const { plans, groups } = planParameters(parameters, {
      layers: 2,
      learningRates: { top: 1e-3, decay: 0.5, heads: 1e-2 },
      weightDecay: 0.1,
    });
    for (const [i, { name, weightDecay }] of plans.entries()) {
      strictEqual(weightDecay, parameters[i]?.shape.length === 1 ? 0 : 0.1, name);
    }
    deepStrictEqual(groups, [
      // (40 + 12 + 2) · 16 table rows, 2 · 16 norm
      {
        name: "embeddings",
        learningRate: 2.5e-4,
        weightDecay: 0.1,
        parameters: 896,
        undecayed: 32,
      },
      // 4 · 16² + 2 · 16 · 32 = 2048 weights; 4 · 16 + 32 + 16 biases, 4 · 16 norms = 176
      { name: "layer 0", learningRate: 5e-4, weightDecay: 0.1, parameters: 2224, undecayed: 176 },
      // and the pooler: 256 + 16
      { name: "layer 1", learningRate: 1e-3, weightDecay: 0.1, parameters: 2496, undecayed: 192 },
      // 2 · 16² + (4 + 5) · 16 = 656; 2 · 3 · 16 + 4 + 5 = 105
      { name: "heads", learningRate: 1e-2, weightDecay: 0.1, parameters: 761, undecayed: 105 },
    ]);
    disposeModel(model);
  },
);
