import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config.ts";
import { loadModel } from "@/model/load_model.ts";
import { embed, runTask } from "@/model/multi_task.ts";
import { disposeModel, type MultiTask, namedParameters } from "@/model/parameters.ts";
import { openSafetensors } from "@/model/safetensors.ts";
import { saveModel } from "@/model/save_model.ts";
import { NO_PROMPTS } from "@/text/prompts.ts";
import { testOnBackends } from "../backend.ts";
import { FOLDER } from "./bert_fixture.ts";
import { createTinyModel } from "./tiny_model.ts";

const TOKENIZER = { json: { model: "of words" }, config: { do_lower_case: true } };

/** Runs `test` with a folder that is removed afterwards. */
async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Saves a fresh model with `options` into a folder and hands both to `test`. */
async function withSaved(
  options: Parameters<typeof createTinyModel>[0],
  test: (folder: string, model: MultiTask) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const model = createTinyModel(options);
    try {
      await saveModel(folder, model, { tokenizer: TOKENIZER, maxLength: 9, prompts: NO_PROMPTS });
      await test(folder, model);
    } finally {
      disposeModel(model);
    }
  });
}

/** The embedding of two rows, one padded. */
function embedTwo(model: MultiTask): readonly number[] {
  return tf.tidy(() => {
    const ids = tf.tensor2d([[3, 4, 5], [6, 7, 0]], undefined, "int32");
    const mask = tf.tensor2d([[1, 1, 1], [1, 1, 0]], undefined, "int32");
    return [...embed(model, { ids, mask }).dataSync()];
  });
}

const readJsonFile = async (...path: string[]) =>
  JSON.parse(await Deno.readTextFile(join(...path)));

for (const pooling of POOLING_MODES) {
  for (const normalize of NORMALIZE_MODES) {
    for (const embeddingSize of [null, 5]) {
      const what = `${pooling}, ${normalize}, ${embeddingSize ?? "no"} projection`;
      testOnBackends(`loadModel() gives back what saveModel() wrote: ${what}`, async () => {
        await withSaved({ pooling, normalize, embeddingSize }, async (folder, model) => {
          const { model: loaded, maxLength, ignored } = await loadModel(folder);
          strictEqual(maxLength, 9);
          deepStrictEqual(ignored, []);
          deepStrictEqual(loaded.tasks, model.tasks);
          deepStrictEqual(loaded.encoder.config, model.encoder.config);
          const [before, after] = [namedParameters(model), namedParameters(loaded)];
          deepStrictEqual(after.map(({ name }) => name), before.map(({ name }) => name));
          for (const [i, { name, variable }] of before.entries()) {
            deepStrictEqual(
              [...(after[i]?.variable.dataSync() ?? [])],
              [...variable.dataSync()],
              name,
            );
          }
          deepStrictEqual(embedTwo(loaded), embedTwo(model));
          disposeModel(loaded);
        });
      });

      testOnBackends(
        `sentence-transformers' files alone say as much, but for L1: ${what}`,
        async () => {
          await withSaved({ pooling, normalize, embeddingSize }, async (folder, model) => {
            await Deno.remove(join(folder, "heads.json"));
            const { model: loaded, maxLength } = await loadModel(folder);
            strictEqual(maxLength, 9);
            strictEqual(loaded.pooling, pooling);
            strictEqual(loaded.normalize, normalize === "l1" ? "none" : normalize);
            deepStrictEqual(loaded.tasks, []);
            deepStrictEqual(embedTwo({ ...loaded, normalize }), embedTwo(model));
            disposeModel(loaded);
          });
        },
      );
    }
  }
}

testOnBackends(
  "saveModel() writes the files of sentence-transformers, the pooler as a Dense",
  async () => {
    const options = { pooling: "cls", normalize: "l2", embeddingSize: 5 } as const;
    await withSaved(options, async (folder, model) => {
      const type = (kind: string) => `sentence_transformers.models.${kind}`;
      deepStrictEqual(await readJsonFile(folder, "modules.json"), [
        { idx: 0, name: "0", path: "", type: type("Transformer") },
        { idx: 1, name: "1", path: "1_Pooling", type: type("Pooling") },
        { idx: 2, name: "2", path: "2_Dense", type: type("Dense") },
        { idx: 3, name: "3", path: "3_Dense", type: type("Dense") },
        { idx: 4, name: "4", path: "4_Normalize", type: type("Normalize") },
      ]);
      deepStrictEqual(await readJsonFile(folder, "1_Pooling", "config.json"), {
        word_embedding_dimension: 8,
        pooling_mode_cls_token: true,
        pooling_mode_mean_tokens: false,
        pooling_mode_max_tokens: false,
        pooling_mode_mean_sqrt_len_tokens: false,
        include_prompt: true,
      });
      deepStrictEqual(await readJsonFile(folder, "2_Dense", "config.json"), {
        in_features: 8,
        out_features: 8,
        bias: true,
        activation_function: "torch.nn.modules.activation.Tanh",
      });
      deepStrictEqual(await readJsonFile(folder, "3_Dense", "config.json"), {
        in_features: 8,
        out_features: 5,
        bias: true,
        activation_function: "torch.nn.modules.linear.Identity",
      });
      deepStrictEqual(await readJsonFile(folder, "tokenizer.json"), TOKENIZER.json);
      deepStrictEqual(await readJsonFile(folder, "tokenizer_config.json"), {
        tokenizer_class: "BertTokenizer",
        ...TOKENIZER.config,
        model_max_length: 9,
      });
      strictEqual((await readJsonFile(folder, "config.json")).architectures[0], "BertModel");
      using dense = await openSafetensors(join(folder, "2_Dense", "model.safetensors"));
      const pooler = model.encoder.pooler?.weight.dataSync() ?? [];
      deepStrictEqual([...await dense.read("linear.weight")], [...pooler]);
      using encoder = await openSafetensors(join(folder, "model.safetensors"));
      strictEqual(encoder.metadata.format, "pt"); // transformers refuses a file without
    });
  },
);

testOnBackends(
  "loadModel() takes a plain BERT checkpoint for mean pooling without heads",
  async () => {
    const { model, maxLength } = await loadModel(FOLDER);
    strictEqual(model.pooling, "mean");
    strictEqual(model.normalize, "none");
    strictEqual(maxLength, 16);
    deepStrictEqual(model.tasks, []);
    disposeModel(model);
  },
);

testOnBackends("a loaded head scores as the saved one", async () => {
  await withSaved({}, async (folder, model) => {
    const { model: loaded } = await loadModel(folder);
    tf.tidy(() => {
      const ids = tf.tensor2d([[3, 4, 5]], undefined, "int32");
      const inputs = { ids, mask: tf.onesLike(ids) };
      for (const task of ["topic", "names"]) {
        const [before, after] = [model, loaded].map((m) => runTask(m, task, inputs).dataSync());
        deepStrictEqual(after, before);
      }
    });
    disposeModel(loaded);
  });
});

/** Changes one JSON file of a saved model. */
async function edit(path: string, change: object): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify({ ...await readJsonFile(path), ...change }));
}

const REFUSED: readonly (readonly [string, (folder: string) => Promise<void>, string])[] = [
  [
    "a pooling of two modes",
    async (folder) => {
      await edit(join(folder, "1_Pooling/config.json"), { pooling_mode_max_tokens: true });
    },
    "Cannot load model as DIR/1_Pooling/config.json must pool by one of mean, max, cls: current value is pooling_mode_mean_tokens and pooling_mode_max_tokens",
  ],
  [
    "a module that it does not know",
    async (folder) => {
      const path = join(folder, "modules.json");
      const list = await readJsonFile(path);
      list.push({ idx: 3, name: "3", path: "3_CNN", type: "sentence_transformers.models.CNN" });
      await Deno.writeTextFile(path, JSON.stringify(list));
    },
    "Cannot load model as DIR/modules.json must list Transformer, Pooling, up to two Dense, Normalize: current list is Transformer, Pooling, Dense, CNN",
  ],
  [
    "a module outside the folder",
    async (folder) => {
      await Deno.writeTextFile(
        join(folder, "modules.json"),
        '[{"type":"a.Transformer","path":"../x"}]',
      );
    },
    'Cannot read modules as DIR/modules.json must give each a type and a folder in it: current value is {"type":"a.Transformer","path":"../x"}',
  ],
  [
    "an activation after the mean",
    async (folder) => {
      await edit(join(folder, "2_Dense/config.json"), { activation_function: "torch.nn.Tanh" });
    },
    "Cannot load model as DIR/modules.json must list one Dense without activation at most, and one with Tanh after CLS pooling: current list is Transformer, Pooling, Dense",
  ],
  [
    "another activation",
    async (folder) => {
      await edit(join(folder, "2_Dense/config.json"), { activation_function: "torch.nn.ReLU" });
    },
    'Cannot load model as "activation_function" in DIR/2_Dense/config.json must be Tanh or Identity of torch.nn: current value is "torch.nn.ReLU"',
  ],
  [
    "a projection of another size",
    async (folder) => await edit(join(folder, "2_Dense/config.json"), { out_features: 6 }),
    "Cannot load model as DIR/2_Dense must make 5 columns of 8: current sizes are 6 and 8",
  ],
  [
    "an unknown pooling in heads.json",
    async (folder) => await edit(join(folder, "heads.json"), { pooling: "median" }),
    'Cannot load model as "pooling" in DIR/heads.json must be one of mean, cls, cls-token, max: current value is "median"',
  ],
  [
    "a length beyond the positions",
    async (folder) => await edit(join(folder, "heads.json"), { maxLength: 11 }),
    'Cannot load model as "maxLength" in DIR/heads.json must be at most the encoder\'s 10 positions: current value is 11',
  ],
  [
    "heads that heads.json does not list",
    async (folder) => {
      const { tasks } = await readJsonFile(folder, "heads.json");
      await edit(join(folder, "heads.json"), { tasks: [{ ...tasks[0], name: "mood" }] });
    },
    "Cannot load heads as DIR/heads.safetensors must hold the tensors that heads.json describes: " +
    "missing heads.mood.dense.weight, heads.mood.dense.bias, heads.mood.norm.weight, heads.mood.norm.bias, heads.mood.out.weight, heads.mood.out.bias; " +
    "not known heads.topic.dense.weight, heads.topic.dense.bias, heads.topic.norm.weight, heads.topic.norm.bias, heads.topic.out.weight, heads.topic.out.bias, " +
    "heads.names.dense.weight, heads.names.dense.bias, heads.names.norm.weight, heads.names.norm.bias, heads.names.out.weight, heads.names.out.bias",
  ],
];

for (const [what, damage, message] of REFUSED) {
  testOnBackends(`loadModel() refuses ${what} and keeps nothing`, async () => {
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

testOnBackends("saveModel() twice into one folder leaves the newer model", async () => {
  await withSaved({ pooling: "cls", normalize: "l2" }, async (folder) => {
    const newer = createTinyModel({ pooling: "max", seed: 8 });
    await saveModel(folder, newer, { tokenizer: TOKENIZER, maxLength: 10, prompts: NO_PROMPTS });
    const { model: loaded, maxLength } = await loadModel(folder);
    strictEqual(maxLength, 10);
    deepStrictEqual(embedTwo(loaded), embedTwo(newer));
    const partial = [...Deno.readDirSync(folder)].filter(({ name }) => name.includes("partial"));
    deepStrictEqual(partial, []);
    disposeModel(loaded);
    disposeModel(newer);
  });
});
