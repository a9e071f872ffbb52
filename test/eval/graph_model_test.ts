import { deepStrictEqual, throws } from "node:assert/strict";
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import { checkGraphChoice, graphPoolings, readEmbedding } from "@/eval/graph_model.ts";

Deno.test("readEmbedding() pools the hidden states of a text", () => {
  // two tokens, three columns
  const outputs = new Map([
    ["last_hidden_state", Float32Array.of(1, -2, 3, 3, 2, -3)],
    ["sentence_embedding", Float32Array.of(2, 0, 0)],
  ]);
  const settings = {
    ...{ pooling: "mean", normalize: "none", embeddingSize: null } as const,
    poolingStart: 0,
  };
  const read = (pooling: PoolingMode, normalize: NormalizeMode = "none", poolingStart = 0) => [
    ...readEmbedding(outputs, { tokens: 2, settings, pooling, normalize, poolingStart }),
  ];
  deepStrictEqual(read("mean"), [2, 0, 0]);
  deepStrictEqual(read("mean", "l1"), [1, 0, 0]);
  deepStrictEqual(read("max"), [3, 2, 3]);
  deepStrictEqual(read("cls-token"), [1, -2, 3]);
  for (const pooling of ["mean", "max", "cls-token"] as const) {
    deepStrictEqual(read(pooling, "none", 1), [3, 2, -3]); // only the second token
    deepStrictEqual(read(pooling, "none", 2), pooling === "cls-token" ? [1, -2, 3] : [0, 0, 0]);
  }
  const scaled = { ...settings, normalize: "l2" } as const;
  deepStrictEqual(
    [...readEmbedding(outputs, {
      tokens: 2,
      settings: scaled,
      pooling: "mean",
      normalize: "none",
      poolingStart: 0,
    })],
    [2, 0, 0], // (1 + 3) / 2, (−2 + 2) / 2, (3 − 3) / 2: from the hidden states
  );
});

Deno.test("checkGraphChoice() refuses embeddings that the graph cannot provide", () => {
  const projected = {
    ...{ pooling: "mean", normalize: "l2", embeddingSize: 32 } as const,
    poolingStart: 4,
  };
  const choose = (pooling: PoolingMode, normalize: NormalizeMode, poolingStart = 4) =>
    checkGraphChoice(projected, { pooling, normalize, poolingStart });
  deepStrictEqual(graphPoolings(projected), ["mean"]);
  deepStrictEqual(graphPoolings({ ...projected, embeddingSize: null, pooling: "cls" }), [
    "mean",
    "cls",
    "cls-token",
    "max",
  ]);
  choose("mean", "l1");
  throws(() => choose("mean", "l2", 3), {
    name: "RangeError",
    message: "Cannot encode with a prompt other than the model's own: pooling skips the prompt " +
      '("include_prompt" is false), and the number of tokens to skip is fixed in the exported graph; ' +
      "use the model's weights instead",
  });
  throws(() => choose("max", "l2"), {
    name: "RangeError",
    message:
      'Cannot encode with pooling "max": the exported graph has no output for it; choose mean',
  });
  throws(() => choose("mean", "none"), {
    name: "RangeError",
    message:
      'Cannot encode with normalization "none": the exported graph outputs this model\'s embeddings ' +
      "only after L2 normalization; choose l1 or l2",
  });
});
