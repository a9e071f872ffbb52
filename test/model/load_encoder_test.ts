import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { loadEncoder } from "@/model/load_encoder.ts";
import { disposeEncoder, namedEncoderParameters } from "@/model/parameters.ts";
import { type TensorToWrite, writeSafetensors } from "@/model/safetensors.ts";
import { testOnBackends } from "../backend.ts";
import { FOLDER, readAll } from "./bert_fixture.ts";

/** The fixture's tensors under new names. Those for which `rename` returns null are omitted. */
async function listTensors(rename: (name: string) => string | null): Promise<TensorToWrite[]> {
  const shapes = new Map<string, readonly number[]>();
  const { encoder } = await loadEncoder(FOLDER);
  for (const { name, variable } of namedEncoderParameters(encoder)) {
    shapes.set(name, variable.shape);
  }
  disposeEncoder(encoder);
  const values = await readAll(join(FOLDER, "model.safetensors"));
  return [...values].flatMap(([name, data]) => {
    const renamed = rename(name);
    if (renamed === null) return [];
    return [{ name: renamed, shape: shapes.get(name) ?? [], read: () => data }];
  });
}

/** Runs `test` with a folder that contains the fixture's config.json. */
async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(join(FOLDER, "config.json"), join(folder, "config.json"));
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Fails unless the encoder in `folder` equals the fixture's. Returns the ignored tensors. */
async function requireFixture(folder: string): Promise<readonly string[]> {
  const wanted = await readAll(join(FOLDER, "model.safetensors"));
  const { encoder, ignored } = await loadEncoder(folder);
  for (const { name, variable } of namedEncoderParameters(encoder)) {
    deepStrictEqual([...variable.dataSync()], [...wanted.get(name) ?? []], name);
  }
  disposeEncoder(encoder);
  return ignored;
}

const EXTRA = (name: string): TensorToWrite => ({
  name,
  shape: [2],
  read: () => Float32Array.of(1, 2),
});

testOnBackends(
  "loadEncoder() reads every parameter written by save_pretrained",
  async () => {
    deepStrictEqual(await requireFixture(FOLDER), []);
    const wanted = await readAll(join(FOLDER, "model.safetensors"));
    const { encoder } = await loadEncoder(FOLDER);
    const names = namedEncoderParameters(encoder).map(({ name }) => name);
    deepStrictEqual(names.toSorted(), [...wanted.keys()].toSorted());
    disposeEncoder(encoder);
  },
);

testOnBackends(
  "loadEncoder() accepts the names of bert-base-uncased and lists ignored tensors",
  async () => {
    await withFolder(async (folder) => {
      const tensors = await listTensors((name) =>
        `bert.${name}`.replace("LayerNorm.weight", "LayerNorm.gamma")
          .replace("LayerNorm.bias", "LayerNorm.beta")
      );
      const heads = ["cls.predictions.bias", "cls.seq_relationship.weight"];
      const others = [...heads, "bert.embeddings.position_ids"].map(EXTRA);
      await writeSafetensors(join(folder, "model.safetensors"), [...tensors, ...others]);
      deepStrictEqual(await requireFixture(folder), [...heads, "bert.embeddings.position_ids"]);
    });
  },
);

testOnBackends("loadEncoder() returns no pooler if the checkpoint has none", async () => {
  await withFolder(async (folder) => {
    const tensors = await listTensors((name) => name.startsWith("pooler") ? null : name);
    await writeSafetensors(join(folder, "model.safetensors"), tensors);
    const { encoder } = await loadEncoder(folder);
    strictEqual(encoder.pooler, null);
    disposeEncoder(encoder);
  });
});

testOnBackends("loadEncoder() reads the shards listed in an index", async () => {
  await withFolder(async (folder) => {
    const tensors = await listTensors((name) => name);
    const shards = [
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ] as const;
    const of = (i: number) => shards[i % 2] ?? shards[0];
    for (const shard of shards) {
      await writeSafetensors(join(folder, shard), tensors.filter((_, i) => of(i) === shard));
    }
    const weight_map = Object.fromEntries(tensors.map(({ name }, i) => [name, of(i)]));
    const index = join(folder, "model.safetensors.index.json");
    await Deno.writeTextFile(index, JSON.stringify({ weight_map }));
    await requireFixture(folder);

    await Deno.writeTextFile(index, JSON.stringify({ weight_map: { ...weight_map, lost: of(0) } }));
    await rejects(loadEncoder(folder), {
      name: "RangeError",
      message: `Cannot read tensor "lost": ${index} says that it is in ${
        of(0)
      }, which does not contain it`,
    });
    await Deno.writeTextFile(index, JSON.stringify({ weight_map: { a: "../x.safetensors" } }));
    await rejects(loadEncoder(folder), {
      message:
        `Cannot read tensor "a": ${index} must name a .safetensors file in the same folder, not "../x.safetensors"`,
    });
    await Deno.writeTextFile(index, "{}");
    await rejects(loadEncoder(folder), {
      message: `Cannot read tensors: ${index} must have an object under "weight_map"`,
    });
  });
});

testOnBackends(
  "loadEncoder() reports all missing, unknown and misshapen tensors at once",
  async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "model.safetensors");
      const tensors = await listTensors((name) =>
        name.includes("layer.1.output.dense") ? null : name
      );
      const first = tensors.findIndex(({ name }) => name === "embeddings.LayerNorm.weight");
      tensors[first] = EXTRA("embeddings.LayerNorm.weight");
      await writeSafetensors(path, [
        ...tensors,
        EXTRA("encoder.layer.2.weight"),
        EXTRA("bert.odd"),
      ]);
      const before = tf.memory().numTensors;
      await rejects(loadEncoder(folder), {
        name: "RangeError",
        message: `Cannot load encoder: ${path} does not match config.json: ` +
          "missing encoder.layer.1.output.dense.weight, encoder.layer.1.output.dense.bias; " +
          "unknown encoder.layer.2.weight, bert.odd; " +
          "wrong shape embeddings.LayerNorm.weight [2], expected [32]",
      });
      strictEqual(tf.memory().numTensors, before);
    });
  },
);

testOnBackends("loadEncoder() rejects two names of the same tensor", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "model.safetensors");
    const tensors = await listTensors((name) => name);
    await writeSafetensors(path, [...tensors, EXTRA("bert.pooler.dense.bias")]);
    await rejects(loadEncoder(folder), {
      message:
        `Cannot load encoder: ${path} contains pooler.dense.bias and bert.pooler.dense.bias, which are the same tensor`,
    });
  });
});

Deno.test("loadEncoder() reports weights in other formats and a folder without tensors", async () => {
  await withFolder(async (folder) => {
    await rejects(loadEncoder(folder), {
      name: "NotFound",
      message:
        `Cannot read tensors: ${folder} contains no model.safetensors or model.safetensors.index.json`,
    });
    const save = (from: string) =>
      `In Python, save it again with AutoModel.from_pretrained(…${from}).save_pretrained(…, safe_serialization=True)`;
    const pickled = `a pickled object that can execute code when it is read. ${save("")}`;
    const others: Record<string, string> = {
      "pytorch_model.bin": pickled,
      "pytorch_model-00001-of-00002.bin": pickled,
      "weights.pt": pickled,
      "tf_model.h5": `weights of TensorFlow. ${save(", from_tf=True")}`,
      "flax_model.msgpack": `weights of Flax. ${save(", from_flax=True")}`,
      "adapter_model.safetensors":
        "an adapter without its encoder: call merge_and_unload() and save the result",
      "adapter_model.bin":
        "an adapter without its encoder: call merge_and_unload() and save the result",
      "model-q4.gguf":
        "quantized weights of llama.cpp: use the checkpoint that they were converted from",
      "openvino_model.bin": "a converted model: use the checkpoint that it was converted from",
    };
    for (const [name, kind] of Object.entries(others)) {
      await Deno.writeTextFile(join(folder, name), "");
      await rejects(loadEncoder(folder), {
        name: "NotFound",
        message: `Cannot read tensors: ${folder} contains no model.safetensors or ` +
          `model.safetensors.index.json, but only ${name}, ${kind}`,
      });
      await Deno.remove(join(folder, name));
    }
  });
});

testOnBackends("loadEncoder() leaks no memory if a tensor cannot be used", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "model.safetensors");
    await Deno.copyFile(join(FOLDER, "model.safetensors"), path);
    const bytes = await Deno.readFile(path);
    const text = new TextDecoder("latin1").decode(bytes);
    const at = text.indexOf('"dtype":"F32"', text.indexOf('"pooler.dense.weight"'));
    bytes.set(new TextEncoder().encode('"dtype":"I32"'), at);
    await Deno.writeFile(path, bytes);
    const before = tf.memory().numTensors;
    await rejects(loadEncoder(folder), {
      message:
        `Cannot read tensor "pooler.dense.weight" of ${path}: its dtype must be one of F32, F16, BF16, F64, but is I32`,
    });
    strictEqual(tf.memory().numTensors, before);
  });
});
