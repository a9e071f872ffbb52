import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { loadModel } from "@/model/load_model.ts";
import { embed, runTask } from "@/model/multi_task.ts";
import { disposeModel, type MultiTask, namedParameters } from "@/model/parameters.ts";
import { openSafetensors } from "@/model/safetensors.ts";
import { saveModel } from "@/model/save_model.ts";
import { NO_PROMPTS } from "@/text/prompts.ts";
import { testOnBackends } from "../backend.ts";
import { FOLDER } from "./bert_fixture.ts";
import { readJsonFile, TOKENIZER, withSaved } from "./saved_folder.ts";
import { createTinyModel } from "./tiny_model.ts";

/** The embeddings of two rows, one of them padded. */
function embedTwo(model: MultiTask): readonly number[] {
  return tf.tidy(() => {
    const ids = tf.tensor2d([[3, 4, 5], [6, 7, 0]], undefined, "int32");
    const mask = tf.tensor2d([[1, 1, 1], [1, 1, 0]], undefined, "int32");
    return [...embed(model, { ids, mask }).dataSync()];
  });
}

for (const pooling of POOLING_MODES) {
  for (const normalize of NORMALIZE_MODES) {
    for (const embeddingSize of [null, 5]) {
      const what = `${pooling}, ${normalize}, ${embeddingSize ?? "no"} projection`;
      testOnBackends(`loadModel() restores the model that saveModel() wrote: ${what}`, async () => {
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
        `the files of sentence-transformers define the same embedding, except for L1: ${what}`,
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
  "saveModel() writes the files of sentence-transformers, with the pooler as a Dense module",
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
      strictEqual(encoder.metadata.format, "pt"); // transformers rejects a file without it
    });
  },
);

Deno.test("saveModel() leaves places of the machine out of tokenizer_config.json", async () => {
  const kept = { do_lower_case: true, sep_token: "/", unk_token: "[UNK]", mask_token: ".." };
  const config = {
    ...kept,
    name_or_path: "owner/name",
    vocab_file: null,
    special_tokens_map_file: "/srv/me/cache/special_tokens_map.json",
    merges: "/srv/me/merges.txt",
    cache_dir: "C:\\Users\\me\\cache",
    home: "~/models/bert",
  };
  await withSaved({}, async (folder, model) => {
    const tokenizer = { json: TOKENIZER.json, config };
    await saveModel(folder, model, { tokenizer, maxLength: 9, prompts: NO_PROMPTS });
    deepStrictEqual(await readJsonFile(folder, "tokenizer_config.json"), {
      tokenizer_class: "BertTokenizer",
      ...kept,
      model_max_length: 9,
    });
  });
});

testOnBackends(
  "loadModel() loads a plain BERT checkpoint with mean pooling and without heads",
  async () => {
    const { model, maxLength } = await loadModel(FOLDER);
    strictEqual(model.pooling, "mean");
    strictEqual(model.normalize, "none");
    strictEqual(maxLength, 16);
    deepStrictEqual(model.tasks, []);
    disposeModel(model);
  },
);

testOnBackends("a loaded head returns the same scores as the saved one", async () => {
  await withSaved({}, async (folder, model) => {
    const { model: loaded } = await loadModel(folder);
    tf.tidy(() => {
      const ids = tf.tensor2d([[3, 4, 5]], undefined, "int32");
      const inputs = { ids, mask: tf.onesLike(ids) };
      for (const task of ["topic", "entities"]) {
        const [before, after] = [model, loaded].map((m) => runTask(m, task, inputs).dataSync());
        deepStrictEqual(after, before);
      }
    });
    disposeModel(loaded);
  });
});

testOnBackends("saveModel() overwrites an older model in the same folder", async () => {
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
