/**
 * Downloads the files of a model folder from a Hub repository.
 * @module
 */
import { dirname, join } from "node:path";
import { readJson } from "@/system/files.ts";
import { ONNX_DTYPES } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import { ENCODER_CONFIGS, SENTENCE_CONFIG } from "@/model/sentence_settings.ts";

/**
 * Fetches one file of a repository and returns its local path; null if the repository has no such file. All files
 * must end up in one folder (a snapshot of the Hub's cache).
 */
type FetchFile = (name: string) => Promise<string | null>;

type JsonObject = { readonly [key: string]: unknown };

/** The object in a JSON file; empty if the file holds no object, which the code that loads it reports. */
async function readLoosely(path: string | null): Promise<JsonObject> {
  const json = path === null ? null : await readJson(path, "Hub file");
  return typeof json === "object" && json !== null ? json as JsonObject : {};
}

/** A module of sentence-transformers; `kind` is the last part of its class name. */
type HubModule = { readonly folder: string; readonly kind: string };

/** The modules of a repository, except those with unsafe folder names. "" is the repository's root. */
async function listModules(path: string): Promise<readonly HubModule[]> {
  return Object.values(await readLoosely(path)).flatMap((module) => {
    const { path: folder, type } = (module ?? {}) as JsonObject;
    if (typeof folder !== "string" || !/^(\w[\w.-]*)?$/.test(folder)) return [];
    const kind = (typeof type === "string" ? type : folder || "Transformer").split(/[._]/).at(-1);
    return [{ folder, kind: kind ?? "" }];
  });
}

/** Fetches the most precise ONNX graph of a repository without weights. Returns false if there is none. */
async function fetchGraph(fetch: FetchFile): Promise<boolean> {
  for (const dtype of ONNX_DTYPES) {
    if (await fetch(ONNX_FILES[dtype]) !== null) return true;
  }
  return false;
}

/** Fetches the weights in `folder` of the repository: one file, or an index and its shards. */
async function fetchWeights(name: string, fetch: FetchFile, folder: string): Promise<void> {
  const single = join(folder, "model.safetensors");
  if (await fetch(single) !== null) return;
  const index = await fetch(`${single}.index.json`);
  if (index === null) {
    if (folder === "" && await fetch("heads.json") !== null && await fetchGraph(fetch)) return;
    throw new Deno.errors.NotFound(
      `Cannot load model: Hub repository ${name} does not contain ${single}. Old repositories have ` +
        "only pytorch_model.bin, a pickled object that can execute code when it is read. Save it again with " +
        "save_pretrained(…, safe_serialization=True) and pass the folder",
    );
  }
  const { weight_map: shardNames } = await readLoosely(index);
  const shards = new Set(Object.values((shardNames ?? {}) as JsonObject));
  for (const shard of shards) {
    if (typeof shard === "string" && /^\w[\w.-]*\.safetensors$/.test(shard)) {
      await fetch(join(folder, shard));
    }
  }
}

/** Fetches the tokenizer of the encoder in `folder`. */
async function fetchTokenizer(fetch: FetchFile, folder: string): Promise<void> {
  if (await fetch(join(folder, "tokenizer.json")) === null) {
    await fetch(join(folder, "vocab.txt"));
    await fetch(join(folder, "added_tokens.json"));
  }
  await fetch(join(folder, "tokenizer_config.json"));
  await fetch(join(folder, "special_tokens_map.json"));
}

/** Fetches the sentence-transformers settings of the encoder in `folder`. */
async function fetchEncoderConfig(fetch: FetchFile, folder: string): Promise<void> {
  for (const name of ENCODER_CONFIGS) {
    const path = await fetch(join(folder, name));
    if (Object.keys(await readLoosely(path)).length > 0) return; // only the first non-empty file is read
  }
}

/**
 * Fetches the files that `loadModel` and `loadTexts` read and returns their folder. Those functions check that the
 * files are complete and valid.
 *
 * @throws {Deno.errors.NotFound} if the repository has neither `config.json` nor `modules.json`
 */
export async function downloadModel(name: string, fetch: FetchFile): Promise<string> {
  const modules = await fetch("modules.json");
  const config = await fetch("config.json");
  const anchor = config ?? modules;
  if (anchor === null) {
    throw new Deno.errors.NotFound(
      `Cannot load model: Hub repository ${name} does not contain config.json`,
    );
  }
  const list = modules === null ? [] : await listModules(modules);
  const encoder = list.find(({ kind }) => kind === "Transformer");
  if (config !== null && (encoder?.folder ?? "") === "") { // else the encoder is in a subfolder
    await fetchTokenizer(fetch, "");
    await fetchWeights(name, fetch, "");
  }
  const heads = await fetch("heads.json");
  if (heads !== null) await fetch("heads.safetensors");
  if (heads !== null || modules !== null) await fetch(SENTENCE_CONFIG);
  for (const { folder, kind } of list) {
    if (kind === "Transformer") await fetchEncoderConfig(fetch, folder);
    if (folder === "") continue; // fetched above
    await fetch(join(folder, "config.json"));
    if (kind === "Transformer") await fetchTokenizer(fetch, folder);
    if (kind === "Transformer" || kind === "Dense") await fetchWeights(name, fetch, folder);
  }
  return dirname(anchor);
}
