import { rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { loadModel } from "@/model/load_model.ts";
import { openBackend, testOnBackends } from "../backend.ts";
import { readJsonFile, withSaved } from "./saved_folder.ts";

/** Changes keys in a JSON file of a saved model. */
async function edit(path: string, change: object): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify({ ...await readJsonFile(path), ...change }));
}

const REFUSED: readonly (readonly [string, (folder: string) => Promise<void>, string])[] = [
  [
    "two pooling modes",
    async (folder) => {
      await edit(join(folder, "1_Pooling/config.json"), { pooling_mode_max_tokens: true });
    },
    "Cannot load model: DIR/1_Pooling/config.json must set one pooling mode of mean, max, cls, but sets pooling_mode_mean_tokens and pooling_mode_max_tokens",
  ],
  [
    "two pooling modes, one of them set to 1 instead of true",
    async (folder) => {
      await edit(join(folder, "1_Pooling/config.json"), { pooling_mode_max_tokens: 1 });
    },
    "Cannot load model: DIR/1_Pooling/config.json must set one pooling mode of mean, max, cls, but sets pooling_mode_mean_tokens and pooling_mode_max_tokens",
  ],
  [
    "an unknown module",
    async (folder) => {
      const path = join(folder, "modules.json");
      const list = await readJsonFile(path);
      list.push({ idx: 3, name: "3", path: "3_CNN", type: "sentence_transformers.models.CNN" });
      await Deno.writeTextFile(path, JSON.stringify(list));
    },
    "Cannot load model: DIR/modules.json lists the unsupported module CNN. Supported modules are Transformer, Pooling, Dense, Normalize",
  ],
  [
    "modules in another order",
    async (folder) => {
      const path = join(folder, "modules.json");
      const [encoder, pooling, dense] = await readJsonFile(path);
      await Deno.writeTextFile(path, JSON.stringify([encoder, dense, pooling]));
    },
    "Cannot load model: DIR/modules.json must list Transformer, Pooling, up to two Dense, Normalize, but lists Transformer, Dense, Pooling",
  ],
  [
    "a Git LFS pointer as configuration",
    async (folder) => {
      await Deno.writeTextFile(
        join(folder, "1_Pooling/config.json"),
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 190\n",
      );
    },
    "Cannot read pooling configuration: DIR/1_Pooling/config.json is a Git LFS pointer to 190 bytes instead of the file itself; run `git lfs pull` in its repository, or download the file",
  ],
  [
    "a module outside the folder",
    async (folder) => {
      await Deno.writeTextFile(
        join(folder, "modules.json"),
        '[{"type":"a.Transformer","path":"../x"}]',
      );
    },
    'Cannot read modules: DIR/modules.json must give each module a type and a folder inside the model folder, but has {"type":"a.Transformer","path":"../x"}',
  ],
  [
    "an activation after the mean",
    async (folder) => {
      await edit(join(folder, "2_Dense/config.json"), { activation_function: "torch.nn.Tanh" });
    },
    "Cannot load model: DIR/modules.json must list at most one Dense without activation, and one with Tanh after CLS pooling, but lists Transformer, Pooling, Dense",
  ],
  [
    "another activation",
    async (folder) => {
      await edit(join(folder, "2_Dense/config.json"), { activation_function: "torch.nn.ReLU" });
    },
    'Cannot load model: "activation_function" in DIR/2_Dense/config.json must be Tanh or Identity from torch.nn, but is "torch.nn.ReLU"',
  ],
  [
    "a projection of another size",
    async (folder) => await edit(join(folder, "2_Dense/config.json"), { out_features: 6 }),
    "Cannot load model: DIR/2_Dense must map 8 to 5 columns, but maps 8 to 6",
  ],
  [
    "an unknown pooling in heads.json",
    async (folder) => await edit(join(folder, "heads.json"), { pooling: "median" }),
    'Cannot load model: "pooling" in DIR/heads.json must be one of mean, cls, cls-token, max, but is "median"',
  ],
  [
    "a length beyond the positions",
    async (folder) => await edit(join(folder, "heads.json"), { maxLength: 11 }),
    'Cannot load model: "maxLength" in DIR/heads.json must be at most the encoder\'s 10 positions, but is 11',
  ],
  [
    "heads that heads.json does not list",
    async (folder) => {
      const { tasks } = await readJsonFile(folder, "heads.json");
      await edit(join(folder, "heads.json"), { tasks: [{ ...tasks[0], name: "mood" }] });
    },
    "Cannot load heads: DIR/heads.safetensors does not match heads.json: " +
    "missing heads.mood.dense.weight, heads.mood.dense.bias, heads.mood.norm.weight, heads.mood.norm.bias, heads.mood.out.weight, heads.mood.out.bias; " +
    "unknown heads.topic.dense.weight, heads.topic.dense.bias, heads.topic.norm.weight, heads.topic.norm.bias, heads.topic.out.weight, heads.topic.out.bias, " +
    "heads.entities.dense.weight, heads.entities.dense.bias, heads.entities.norm.weight, heads.entities.norm.bias, heads.entities.out.weight, heads.entities.out.bias",
  ],
];

for (const [what, damage, message] of REFUSED) {
  testOnBackends(`loadModel() rejects ${what} without leaking memory`, async () => {
    await withSaved({ embeddingSize: 5 }, async (folder) => {
      await damage(folder);
      const before = tf.memory().numTensors;
      await rejects(loadModel(folder), {
        name: "RangeError",
        message: message.replaceAll("DIR", folder),
      });
      strictEqual(tf.memory().numTensors, before);
    });
  });
}

Deno.test("loadModel() reports a pickled Dense module and how to convert it", async () => {
  await openBackend("cpu");
  await withSaved({ embeddingSize: 5 }, async (folder) => {
    const dense = join(folder, "2_Dense");
    await Deno.rename(join(dense, "model.safetensors"), join(dense, "pytorch_model.bin"));
    await rejects(loadModel(folder), {
      name: "NotFound",
      message:
        `Cannot read tensors: ${dense} contains no model.safetensors or model.safetensors.index.json, but ` +
        "only pytorch_model.bin, a pickled object that can execute code when it is read. In Python, save it again with " +
        "SentenceTransformer(…).save(…) of the whole folder",
    });
  });
});
