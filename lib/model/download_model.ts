/**
 * Which files of a Hub repository make a model folder, and in which order they are asked for.
 * @module
 */
import { dirname, join } from "node:path";
import { readJson } from "@/files.ts";
import { ONNX_DTYPES } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import { ENCODER_CONFIGS, SENTENCE_CONFIG } from "@/model/sentence_settings.ts";

/**
 * Fetches one file of a repository and gives its local path; null when the repository has none of
 * that name. All files must land in one folder (a snapshot of the Hub's cache).
 */
export type FetchFile = (name: string) => Promise<string | null>;

type JsonObject = { readonly [key: string]: unknown };

/** The parsed JSON of a file as an object; empty where it is none, which its own reader refuses. */
async function readLoosely(path: string | null): Promise<JsonObject> {
  const json = path === null ? null : await readJson(path, "Hub file");
  return typeof json === "object" && json !== null ? json as JsonObject : {};
}

/** A module of sentence-transformers; its kind is the last part of its class. */
type HubModule = { readonly folder: string; readonly kind: string };

/** The modules that the repository lists in safe folders; "" is the repository's own. */
async function listModules(path: string): Promise<readonly HubModule[]> {
  return Object.values(await readLoosely(path)).flatMap((module) => {
    const { path: folder, type } = (module ?? {}) as JsonObject;
    if (typeof folder !== "string" || !/^(\w[\w.-]*)?$/.test(folder)) return [];
    const kind = (typeof type === "string" ? type : folder || "Transformer").split(/[._]/).at(-1);
    return [{ folder, kind: kind ?? "" }];
  });
}

/** Fetches the most exact graph of a repository without weights, with its labels; false: it has none. */
async function fetchGraph(fetch: FetchFile): Promise<boolean> {
  for (const dtype of ONNX_DTYPES) {
    if (await fetch(ONNX_FILES[dtype]) !== null) return true;
  }
  return false;
}

/** Fetches the weights of `folder` in the repository: one file, or an index and its shards. */
async function fetchWeights(name: string, fetch: FetchFile, folder: string): Promise<void> {
  const single = join(folder, "model.safetensors");
  if (await fetch(single) !== null) return;
  const index = await fetch(`${single}.index.json`);
  if (index === null) {
    if (folder === "" && await fetch("heads.json") !== null && await fetchGraph(fetch)) return;
    throw new Deno.errors.NotFound(
      `Cannot load model as Hub repository ${name} must hold ${single}: old repositories have ` +
        "pytorch_model.bin alone, a pickled object that can run code when read; save it anew with " +
        "save_pretrained(…, safe_serialization=True) and give the folder",
    );
  }
  const { weight_map: places } = await readLoosely(index);
  const shards = new Set(Object.values((places ?? {}) as JsonObject));
  for (const shard of shards) {
    if (typeof shard === "string" && /^\w[\w.-]*\.safetensors$/.test(shard)) {
      await fetch(join(folder, shard));
    }
  }
}

/** Fetches what goes with an encoder in `folder`: its tokenizer. */
async function fetchTokenizer(fetch: FetchFile, folder: string): Promise<void> {
  if (await fetch(join(folder, "tokenizer.json")) === null) {
    await fetch(join(folder, "vocab.txt"));
    await fetch(join(folder, "added_tokens.json"));
  }
  await fetch(join(folder, "tokenizer_config.json"));
  await fetch(join(folder, "special_tokens_map.json"));
}

/** Fetches what sentence-transformers says about the texts of the encoder in `folder`. */
async function fetchEncoderConfig(fetch: FetchFile, folder: string): Promise<void> {
  for (const name of ENCODER_CONFIGS) {
    const path = await fetch(join(folder, name));
    if (Object.keys(await readLoosely(path)).length > 0) return; // the first that is not empty counts
  }
}

/**
 * Fetches what `loadModel` and `loadTexts` read of a repository and gives the folder it is in. They find
 * out whether all of it is there and right.
 *
 * @throws {Deno.errors.NotFound} when the repository has no `config.json`
 */
export async function downloadModel(name: string, fetch: FetchFile): Promise<string> {
  const modules = await fetch("modules.json");
  const config = await fetch("config.json");
  const anchor = config ?? modules;
  if (anchor === null) {
    throw new Deno.errors.NotFound(
      `Cannot load model as Hub repository ${name} must hold config.json`,
    );
  }
  const list = modules === null ? [] : await listModules(modules);
  const encoder = list.find(({ kind }) => kind === "Transformer");
  if (config !== null && (encoder?.folder ?? "") === "") { // else the encoder is in a folder of its own
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
