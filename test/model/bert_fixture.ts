/**
 * The recorded values of `test/parity/bert_parity.py` and the model that computed them.
 * @module
 */
import { ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { ModelOptions } from "@/model/initialize.ts";
import { createModel } from "@/model/initialize.ts";
import { loadEncoder } from "@/model/load_encoder.ts";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";
import { openSafetensors } from "@/model/safetensors.ts";

/** The folder of the fixture. */
export const FOLDER = new URL("../fixtures/bert_parity", import.meta.url).pathname;

/** All tensors of a safetensors file by name. */
export async function readAll(path: string): Promise<ReadonlyMap<string, Float32Array>> {
  using file = await openSafetensors(path);
  const tensors = new Map<string, Float32Array>();
  for (const name of file.entries.keys()) tensors.set(name, await file.read(name));
  return tensors;
}

/** PyTorch's values, by name. */
export async function readExpected(): Promise<(name: string) => Float32Array> {
  const tensors = await readAll(`${FOLDER}/expected.safetensors`);
  return (name) => {
    const tensor = tensors.get(name);
    ok(tensor !== undefined, `no expected ${name}`);
    return tensor;
  };
}

type Inputs = { ids: number[][]; mask: number[][]; topics: number[]; tags: number[][] };

/** The recorded batch as tensors, which the caller must dispose. */
export async function readInputs() {
  const { ids, mask, topics, tags }: Inputs = JSON.parse(
    await Deno.readTextFile(`${FOLDER}/inputs.json`),
  );
  return {
    ids: tf.tensor2d(ids, undefined, "int32"),
    mask: tf.tensor2d(mask, undefined, "int32"),
    topics: tf.tensor1d(topics, "int32"),
    tags: tf.tensor1d(tags.flat(), "int32"),
  };
}

const LABELS = ["a", "b", "c", "d", "e"];

/** The recorded model. With a projection, the topic head is `projected`, else `plain`. */
export async function loadFixtureModel(
  options: Pick<ModelOptions, "pooling" | "normalize"> & { readonly projected: boolean },
): Promise<MultiTask> {
  const { pooling, normalize, projected } = options;
  const { encoder } = await loadEncoder(FOLDER);
  const topic = projected ? "projected" : "plain";
  const model = createModel(encoder, {
    tasks: [
      { name: topic, kind: "classification", labels: LABELS.slice(0, 4) },
      { name: "tags", kind: "tagging", labels: LABELS },
    ],
    pooling,
    embeddingSize: projected ? 12 : null,
    normalize,
    seed: 1,
  });
  const recorded = await readAll(`${FOLDER}/heads.safetensors`);
  for (const { name, variable } of namedParameters(model)) {
    const values = recorded.get(name);
    if (values === undefined) continue; // a parameter of the encoder
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return model;
}
