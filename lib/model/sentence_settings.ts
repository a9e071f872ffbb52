/**
 * Reads the text settings of a sentence-transformers folder as version 6.2 does: prompts, lowercasing and the maximum
 * length. Throws if a key would change the embeddings in a way that is not supported.
 * @module
 */
import { join } from "node:path";
import { isFile, readJson } from "@/system/files.ts";
import { readHeadsFile } from "@/model/heads_file.ts";
import { readSentenceModules, type SentenceModules } from "@/model/sentence_modules.ts";
import { loadTokenizer, withLowercase } from "@/text/load_tokenizer.ts";
import { NO_PROMPTS, type PromptSettings } from "@/text/prompts.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** File with settings of the whole model, beside `modules.json`. */
export const SENTENCE_CONFIG = "config_sentence_transformers.json";

/** Files with settings of the encoder, in order of precedence. */
export const ENCODER_CONFIGS = [
  "sentence_bert_config.json",
  "sentence_roberta_config.json",
  "sentence_distilbert_config.json",
  "sentence_camembert_config.json",
  "sentence_albert_config.json",
  "sentence_xlm-roberta_config.json",
  "sentence_xlnet_config.json",
] as const;

/** Settings that apply to texts before they are encoded. */
type TextSettings = {
  readonly prompts: PromptSettings;
  /** True if texts are lowercased before the tokenizer reads them. */
  readonly lowercase: boolean;
  /** Longest input in tokens; null if the folder does not define it. */
  readonly maxSeqLength: number | null;
};

type JsonObject = { readonly [key: string]: unknown };

/** A key, its value and its file. */
type Setting = { readonly key: string; readonly value: unknown; readonly path: string };

function refuse({ key, value, path }: Setting, wanted: string): never {
  throw new RangeError(
    `Cannot load model: ${JSON.stringify(key)} in ${path} must be ${wanted}, but is ${
      JSON.stringify(value)
    }`,
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readObject(path: string): Promise<JsonObject> {
  const json = await readJson(path, "model configuration");
  if (isObject(json)) return json;
  throw new RangeError(`Cannot load model: ${path} must contain a JSON object`);
}

/** Checks the keys of `config_sentence_transformers.json` of which only one value is supported. */
function checkSentenceConfig(config: JsonObject, path: string): void {
  const { model_type: type = "SentenceTransformer", truncate_dim: size = null } = config;
  if (type !== "SentenceTransformer") {
    refuse({ key: "model_type", value: type, path }, '"SentenceTransformer"');
  }
  if (size !== null) {
    refuse(
      { key: "truncate_dim", value: size, path },
      "null, since embeddings are not truncated here",
    );
  }
}

/** Reads the prompts of `config_sentence_transformers.json`; {@link NO_PROMPTS} if there is no such file. */
async function readPrompts(folder: string, includePrompt: boolean): Promise<PromptSettings> {
  const path = join(folder, SENTENCE_CONFIG);
  if (!await isFile(path)) return { ...NO_PROMPTS, includePrompt };
  const config = await readObject(path);
  checkSentenceConfig(config, path);
  const { prompts: given = {}, default_prompt_name: name = null } = config;
  if (!isObject(given)) {
    return refuse({ key: "prompts", value: given, path }, "an object of strings");
  }
  const prompts = new Map(Object.entries(NO_PROMPTS.prompts));
  for (const [key, prompt] of Object.entries(given)) {
    if (prompt === null) prompts.set(key, "");
    else if (typeof prompt === "string") prompts.set(key, prompt);
    else refuse({ key: `prompts.${key}`, value: prompt, path }, "a string");
  }
  if (name !== null && !(typeof name === "string" && prompts.has(name))) {
    const wanted = `the name of a prompt (${[...prompts.keys()].join(", ")})`;
    return refuse({ key: "default_prompt_name", value: name, path }, wanted);
  }
  return { prompts: Object.fromEntries(prompts), defaultPromptName: name, includePrompt };
}

/** Arguments of the encoder's classes that do not change embeddings, except by rounding. */
const HARMLESS_ARGUMENTS = [
  "add_pooling_layer",
  "attn_implementation",
  "dtype",
  "low_cpu_mem_usage",
  "torch_dtype",
  "trust_remote_code",
  "use_fast",
  "use_safetensors",
];

/** Throws if arguments of the encoder's classes could change embeddings. */
function checkArguments(setting: Setting): void {
  const { key, value, path } = setting;
  if (value === null) return;
  if (!isObject(value)) refuse(setting, "an object");
  for (const [name, given] of Object.entries(value)) {
    if (HARMLESS_ARGUMENTS.includes(name)) continue;
    refuse({ key: `${key}.${name}`, value: given, path }, "omitted, since it is not supported");
  }
}

/** Checks that the only modality is text and that the last hidden states are pooled. */
function checkModalities(setting: Setting): void {
  const { value } = setting;
  const text = isObject(value) && Object.keys(value).join() === "text" ? value.text : null;
  if (
    isObject(text) && text.method === "forward" && text.method_output_name === "last_hidden_state"
  ) return;
  refuse(setting, "text only, with the method forward and the output last_hidden_state");
}

/** Returns a check that accepts one value, or null for the default. */
const only = (wanted: string) => (setting: Setting): void => {
  if (setting.value !== wanted && setting.value !== null) refuse(setting, JSON.stringify(wanted));
};
const nothing = () => {};

/** Known keys of the encoder's settings. Those with the check `nothing` do not affect embeddings or are read elsewhere. */
const ENCODER_KEYS: { readonly [key: string]: (setting: Setting) => void } = {
  max_seq_length: nothing,
  do_lower_case: nothing,
  unpad_inputs: nothing,
  query_length: nothing, // this key and the next two apply only to encode_query and encode_document
  document_length: nothing,
  query_expansion: nothing,
  transformer_task: only("feature-extraction"),
  module_output_name: only("token_embeddings"),
  modality_config: checkModalities,
  processing_kwargs: (setting) => {
    const { value, key, path } = setting;
    if (value === null) return;
    if (!isObject(value)) refuse(setting, "an object");
    for (const [kind, own] of Object.entries(value)) {
      if (kind === "text" || kind === "common") {
        checkArguments({ key: `${key}.${kind}`, value: own, path });
      }
    }
  },
  tokenizer_name_or_path: (setting) => {
    if (setting.value !== null) refuse(setting, "null, since the tokenizer must be in the folder");
  },
  model_args: checkArguments,
  model_kwargs: checkArguments,
  tokenizer_args: checkArguments,
  processor_kwargs: checkArguments,
  config_args: checkArguments,
  config_kwargs: checkArguments,
};

/** Reads the encoder's settings from the first file that exists and is not empty. */
async function readEncoderConfig(folder: string): Promise<Omit<TextSettings, "prompts">> {
  for (const name of ENCODER_CONFIGS) {
    const path = join(folder, name);
    if (!await isFile(path)) continue;
    const config = await readObject(path);
    if (Object.keys(config).length === 0) continue;
    for (const [key, value] of Object.entries(config)) {
      const check = Object.hasOwn(ENCODER_KEYS, key) ? ENCODER_KEYS[key] : undefined;
      if (check === undefined) return refuse({ key, value, path }, "omitted, since it is unknown");
      check({ key, value, path });
    }
    const { max_seq_length: length = null, do_lower_case: lowercase = null } = config;
    if (length !== null && !(Number.isInteger(length) && Number(length) > 0)) {
      refuse({ key: "max_seq_length", value: length, path }, "a positive integer");
    }
    if (lowercase !== null && typeof lowercase !== "boolean") {
      refuse({ key: "do_lower_case", value: lowercase, path }, "true or false");
    }
    return {
      lowercase: lowercase === true,
      maxSeqLength: length === null ? null : Number(length),
    };
  }
  return { lowercase: false, maxSeqLength: null };
}

/**
 * Reads the text settings of a model folder. A folder with neither `modules.json` nor `heads.json` (which
 * `deno task export` writes) has none: sentence-transformers ignores its other files as well.
 *
 * @throws {RangeError} with file, key, expected and actual value
 */
export async function readTextSettings(
  folder: string,
  modules: SentenceModules | null,
): Promise<TextSettings> {
  const headsPath = join(folder, "heads.json");
  const heads = await isFile(headsPath) ? await readHeadsFile(headsPath) : null;
  const none = { lowercase: false, maxSeqLength: null };
  if (modules === null && heads === null) return { prompts: NO_PROMPTS, ...none };
  return {
    prompts: await readPrompts(folder, (heads ?? modules)?.includePrompt ?? true),
    ...(modules === null ? none : await readEncoderConfig(modules.encoderFolder)),
  };
}

/** Tokenizer and prompts of a model. */
type LoadedTexts = {
  readonly tokenizer: Tokenizer;
  readonly prompts: PromptSettings;
  /** The folder with the encoder and the tokenizer. */
  readonly encoderFolder: string;
};

/** Loads tokenizer and prompts of the model in `folder`. */
export async function loadTexts(folder: string): Promise<LoadedTexts> {
  const modules = await readSentenceModules(folder);
  const { prompts, lowercase } = await readTextSettings(folder, modules);
  const { encoderFolder = folder } = modules ?? {};
  const tokenizer = await loadTokenizer(encoderFolder);
  return { tokenizer: lowercase ? withLowercase(tokenizer) : tokenizer, prompts, encoderFolder };
}
