import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { createSentenceEncoder } from "@/eval/encode_texts.ts";
import { openSavedModel } from "@/eval/open_saved_model.ts";
import { disposeModel } from "@/model/parameters.ts";
import { readTextSettings } from "@/model/sentence_settings.ts";
import { readSentenceModules } from "@/model/sentence_modules.ts";
import { testOnBackends } from "../backend.ts";

const FIXTURES = join(import.meta.dirname ?? "", "../fixtures/sentence_transformers");

/** Embeddings computed by sentence-transformers 6.2.0 (test/parity/sentence_settings_parity.py). */
type Fixture = {
  readonly texts: readonly string[];
  readonly cases: readonly {
    readonly name: string;
    readonly base: string;
    readonly files: Readonly<Record<string, unknown>>;
    readonly answers: readonly {
      readonly choice: { readonly prompt?: string; readonly prompt_name?: string };
      readonly embeddings: readonly (readonly number[])[];
    }[];
  }[];
};
const FIXTURE: Fixture = JSON.parse(await Deno.readTextFile(join(FIXTURES, "settings.json")));

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** Runs `test` with a copy of a fixture in which `files` are replaced. */
async function withFolder(
  { base = "max-l2", files }: {
    readonly base?: string;
    readonly files: Fixture["cases"][0]["files"];
  },
  test: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await copyFolder(join(FIXTURES, base), folder);
    for (const [path, content] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, path), JSON.stringify(content));
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const { name, base, files, answers } of FIXTURE.cases) {
  testOnBackends(
    `encode() follows the settings of sentence-transformers to 1e-5: ${name}`,
    async () => {
      await withFolder({ base, files }, async (folder) => {
        const saved = await openSavedModel(folder);
        for (const { choice: { prompt, prompt_name: promptName }, embeddings } of answers) {
          const encoder = createSentenceEncoder(saved, { rows: 4, prompt, promptName });
          const vectors = await encoder.encode(FIXTURE.texts);
          vectors.forEach((vector, text) =>
            vector.forEach((value, i) =>
              ok(
                Math.abs(value - (embeddings[text]?.[i] ?? NaN)) < 1e-5,
                `prompt ${prompt ?? promptName}, text ${text}, column ${i}: ${value}`,
              )
            )
          );
        }
        disposeModel(saved.model);
      });
    },
    { backends: ["cpu", "onnx"] },
  );
}

Deno.test("openSavedModel() reads all prompts of the folder and adds the two that every model has", async () => {
  const settings = { prompts: { lookup: "find: ", document: null }, default_prompt_name: "lookup" };
  const files = { "config_sentence_transformers.json": settings };
  await withFolder({ files }, async (folder) => {
    const { prompts } = await readTextSettings(folder, await readSentenceModules(folder));
    deepStrictEqual(prompts, {
      prompts: { query: "", document: "", lookup: "find: " },
      defaultPromptName: "lookup",
      includePrompt: true,
    });
  });
});

Deno.test("a folder without modules.json has no text settings, as in sentence-transformers", async () => {
  const files = {
    "config_sentence_transformers.json": { prompts: { a: "b" }, default_prompt_name: "a" },
    "sentence_bert_config.json": { max_seq_length: 5, do_lower_case: true },
  };
  await withFolder({ files }, async (folder) => {
    await Deno.remove(join(folder, "modules.json"));
    const { prompts, lowercase, maxSeqLength } = await readTextSettings(folder, null);
    deepStrictEqual([prompts.defaultPromptName, lowercase, maxSeqLength], [null, false, null]);
    const saved = await openSavedModel(folder);
    strictEqual(saved.maxLength, 12); // from tokenizer_config.json
    disposeModel(saved.model);
  });
});

const MODEL = "config_sentence_transformers.json", ENCODER = "sentence_bert_config.json";
const CLASSES = "sentence_transformers.models";

/** File, its content, and the error after "Cannot load model: ". DIR stands for the file's path. */
const REFUSED: readonly (readonly [string, unknown, string])[] = [
  [MODEL, [], "DIR must contain a JSON object"],
  [
    MODEL,
    { prompts: { a: "b" }, default_prompt_name: "c" },
    '"default_prompt_name" in DIR must be the name of a prompt (query, document, a), but is "c"',
  ],
  [
    MODEL,
    { default_prompt_name: 5 },
    '"default_prompt_name" in DIR must be the name of a prompt (query, document), but is 5',
  ],
  [
    MODEL,
    { default_prompt_name: "toString" },
    '"default_prompt_name" in DIR must be the name of a prompt (query, document), but is "toString"',
  ],
  [MODEL, { prompts: { a: 5 } }, '"prompts.a" in DIR must be a string, but is 5'],
  [
    MODEL,
    { prompts: ["a"] },
    '"prompts" in DIR must be an object of strings, but is ["a"]',
  ],
  [
    MODEL,
    { truncate_dim: 8 },
    '"truncate_dim" in DIR must be null, since embeddings are not truncated here, but is 8',
  ],
  [
    MODEL,
    { model_type: "SparseEncoder" },
    '"model_type" in DIR must be "SentenceTransformer", but is "SparseEncoder"',
  ],
  [
    ENCODER,
    { do_lower_case: "yes" },
    '"do_lower_case" in DIR must be true or false, but is "yes"',
  ],
  [
    ENCODER,
    { max_seq_length: 1.5 },
    '"max_seq_length" in DIR must be a positive integer, but is 1.5',
  ],
  [
    ENCODER,
    { transformer_task: "fill-mask" },
    '"transformer_task" in DIR must be "feature-extraction", but is "fill-mask"',
  ],
  [
    ENCODER,
    { modality_config: { text: { method: "forward", method_output_name: "pooler_output" } } },
    '"modality_config" in DIR must be text only, with the method forward and the output last_hidden_state, but is {"text":{"method":"forward","method_output_name":"pooler_output"}}',
  ],
  [
    ENCODER,
    { processing_kwargs: { text: { padding: "max_length" } } },
    '"processing_kwargs.text.padding" in DIR must be omitted, since it is not supported, but is "max_length"',
  ],
  [
    ENCODER,
    { tokenizer_args: { model_max_length: 5 } },
    '"tokenizer_args.model_max_length" in DIR must be omitted, since it is not supported, but is 5',
  ],
  [
    ENCODER,
    { tokenizer_name_or_path: "a/b" },
    '"tokenizer_name_or_path" in DIR must be null, since the tokenizer must be in the folder, but is "a/b"',
  ],
  [
    ENCODER,
    { new_key: 1 },
    '"new_key" in DIR must be omitted, since it is unknown, but is 1',
  ],
  [
    "1_Pooling/config.json",
    { pooling_mode: "mean", include_prompt: 0 },
    '"include_prompt" in DIR must be true or false, but is 0',
  ],
  [
    "2_Normalize/config.json",
    { module_input_name: "token_embeddings" },
    '"module_input_name" in DIR must be "sentence_embedding", but is "token_embeddings"',
  ],
];
for (const [path, content, message] of REFUSED) {
  Deno.test(`openSavedModel() rejects unsupported settings in ${path}: ${JSON.stringify(content)}`, async () => {
    await withFolder({ files: { [path]: content } }, async (folder) => {
      await rejects(openSavedModel(folder), {
        name: "RangeError",
        message: `Cannot load model: ${message.replace("DIR", join(folder, path))}`,
      });
    });
  });
}

for (
  const [type, message] of [
    [
      "custom_st.Transformer",
      "Cannot load model: DIR lists custom_st.Transformer, custom code that is not executed here. Only modules of sentence_transformers are supported",
    ],
    [
      `${CLASSES}.Router`,
      "Cannot load model: DIR lists the unsupported module Router. Supported modules are Transformer, Pooling, Dense, Normalize",
    ],
  ] as const
) {
  Deno.test(`openSavedModel() rejects an unsupported module class: ${type}`, async () => {
    const modules = [{ path: "", type }, { path: "1_Pooling", type: `${CLASSES}.Pooling` }];
    await withFolder({ files: { "modules.json": modules } }, async (folder) => {
      await rejects(openSavedModel(folder), {
        name: "RangeError",
        message: message.replace("DIR", join(folder, "modules.json")),
      });
    });
  });
}

Deno.test("openSavedModel() accepts settings that do not affect embeddings", async () => {
  const content = {
    max_seq_length: 12,
    unpad_inputs: false,
    query_length: 4,
    model_args: { add_pooling_layer: false, trust_remote_code: true },
    tokenizer_args: {},
    processing_kwargs: { text: {} },
  };
  await withFolder({ files: { [ENCODER]: content } }, async (folder) => {
    const saved = await openSavedModel(folder);
    strictEqual(saved.maxLength, 12);
    disposeModel(saved.model);
  });
});
