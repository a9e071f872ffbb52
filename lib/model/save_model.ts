/**
 * Writes the model folder of a run, which sentence-transformers and transformers can also load. `load_model.ts` reads
 * it.
 * @module
 */
import { join } from "node:path";
import { writeFileAtomic } from "@/system/files.ts";
import { formatBertConfig } from "@/model/bert_config.ts";
import { formatHeadsFile } from "@/model/heads_file.ts";
import {
  embeddingSize,
  type Linear,
  type MultiTask,
  namedEncoderParameters,
  namedHeadParameters,
  type NamedParameter,
} from "@/model/parameters.ts";
import { type TensorToWrite, writeSafetensors } from "@/model/safetensors.ts";
import { saveOnnx } from "@/model/save_onnx.ts";
import { SENTENCE_CONFIG } from "@/model/sentence_settings.ts";
import type { PromptSettings } from "@/text/prompts.ts";

/** Tokenizer and settings, which are saved together with the parameters. */
type SaveOptions = {
  /** Contents of tokenizer.json and tokenizer_config.json (null if there is none). A `Tokenizer` has both. */
  readonly tokenizer: { readonly json: unknown; readonly config: unknown };
  /** Longest input in tokens, [CLS] and [SEP] included. */
  readonly maxLength: number;
  readonly prompts: PromptSettings;
};

/** Converts parameters to tensors. Their values are downloaded only when they are written. */
function toTensors(parameters: readonly NamedParameter[]): readonly TensorToWrite[] {
  return parameters.map(({ name, variable }) => ({
    name,
    shape: variable.shape,
    read: async () => {
      const values = await variable.data();
      if (values instanceof Float32Array) return values;
      throw new TypeError(`internal: parameter ${name} is ${variable.dtype}, not float32`);
    },
  }));
}

/** Keys of tokenizer_config.json with paths on the machine that saved it. */
const LOCAL_PATH_KEYS = ["name_or_path", "special_tokens_map_file", "tokenizer_file", "vocab_file"];

/** A string that is a path with a folder: absolute, or relative to the home or working folder. */
const PATH = /^(?:\/|~|\.{1,2}\/|file:|[A-Za-z]:[\\/]|\\\\)[^\s]*[\\/]/;

/** The content of tokenizer_config.json without paths on the machine that saved it. */
function removeLocalPaths(config: unknown): { readonly [key: string]: unknown } {
  const entries = Object.entries(typeof config === "object" && config !== null ? config : {});
  const isPath = (value: unknown) => typeof value === "string" && PATH.test(value);
  return Object.fromEntries(
    entries.filter(([key, value]) => !LOCAL_PATH_KEYS.includes(key) && !isPath(value)),
  );
}

/** Writes `value` as JSON. */
async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** One module of sentence-transformers. */
type ModuleToWrite = { readonly kind: string; readonly write: (folder: string) => Promise<void> };

/** A Dense module with the parameters of a linear layer. */
function denseModule({ weight, bias }: Linear, activation: string): ModuleToWrite {
  const [output, input] = weight.shape;
  return {
    kind: "Dense",
    write: async (folder) => {
      await writeJson(join(folder, "config.json"), {
        in_features: input,
        out_features: output,
        bias: true,
        activation_function: activation,
      });
      const parameters = [
        { name: "linear.weight", variable: weight },
        { name: "linear.bias", variable: bias },
      ];
      await writeSafetensors(join(folder, "model.safetensors"), toTensors(parameters));
    },
  };
}

/** The sentence-transformers modules that compute a model's embedding from its encoder's hidden states. */
function listModules(
  { encoder, pooling, projection, normalize }: MultiTask,
  { includePrompt }: PromptSettings,
): ModuleToWrite[] {
  const modules: ModuleToWrite[] = [{
    kind: "Pooling",
    write: (folder) =>
      writeJson(join(folder, "config.json"), {
        word_embedding_dimension: encoder.config.hiddenSize,
        pooling_mode_cls_token: pooling === "cls" || pooling === "cls-token",
        pooling_mode_mean_tokens: pooling === "mean",
        pooling_mode_max_tokens: pooling === "max",
        pooling_mode_mean_sqrt_len_tokens: false,
        include_prompt: includePrompt,
      }),
  }];
  if (pooling === "cls" && encoder.pooler !== null) {
    modules.push(denseModule(encoder.pooler, "torch.nn.modules.activation.Tanh"));
  }
  if (projection !== null) {
    modules.push(denseModule(projection, "torch.nn.modules.linear.Identity"));
  }
  if (normalize === "l2") modules.push({ kind: "Normalize", write: () => Promise.resolve() });
  return modules;
}

/** Writes the files that a graph of `model` requires: configuration, tokenizer, prompts and labels. */
export async function writeSettings(
  dir: string,
  model: MultiTask,
  { tokenizer, maxLength, prompts }: SaveOptions,
): Promise<void> {
  const { encoder, pooling, projection, normalize, tasks } = model;
  const { includePrompt } = prompts;
  await writeJson(join(dir, "config.json"), formatBertConfig(encoder.config));
  await writeJson(join(dir, "tokenizer.json"), tokenizer.json);
  await writeJson(join(dir, "tokenizer_config.json"), {
    tokenizer_class: "BertTokenizer",
    ...removeLocalPaths(tokenizer.config),
    model_max_length: maxLength, // other libraries truncate to it
  });
  const size = projection === null ? null : embeddingSize(model);
  await writeFileAtomic(
    join(dir, "heads.json"),
    formatHeadsFile({ pooling, includePrompt, embeddingSize: size, normalize, maxLength, tasks }),
  );
  await writeJson(join(dir, SENTENCE_CONFIG), {
    prompts: prompts.prompts,
    default_prompt_name: prompts.defaultPromptName,
  });
}

/**
 * Writes `model` into the folder `dir`. Each file is written atomically, `modules.json` last. Only `heads.json`
 * contains an L1 norm, since sentence-transformers has none.
 */
export async function saveModel(
  dir: string,
  model: MultiTask,
  options: SaveOptions,
): Promise<void> {
  const { encoder, heads } = model;
  const { maxLength, prompts } = options;
  await writeSettings(dir, model, options);
  await writeSafetensors(
    join(dir, "model.safetensors"),
    toTensors(namedEncoderParameters(encoder)),
  );
  await writeSafetensors(
    join(dir, "heads.safetensors"),
    toTensors([...heads].flatMap(([task, head]) => namedHeadParameters(task, head))),
  );
  await writeJson(join(dir, "sentence_bert_config.json"), {
    max_seq_length: maxLength,
    do_lower_case: false, // the tokenizer lowercases
  });
  await saveOnnx(dir, model, "fp32");
  const list = [{ kind: "Transformer", path: "" }];
  for (const [i, { kind, write }] of listModules(model, prompts).entries()) {
    const path = `${i + 1}_${kind}`;
    await write(join(dir, path));
    list.push({ kind, path });
  }
  await writeJson(
    join(dir, "modules.json"),
    list.map(({ kind, path }, idx) => ({
      idx,
      name: `${idx}`,
      path,
      type: `sentence_transformers.models.${kind}`,
    })),
  );
}
