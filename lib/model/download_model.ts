/**
 * Which files of a Hub repository make a model folder, and in which order they are asked for.
 * @module
 */
import { dirname, join } from "node:path";
import { readJson } from "@/files.ts";
import { ONNX_DTYPES } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";

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

/** Folders of the modules that sentence-transformers lists beside the encoder. */
async function listModuleFolders(path: string | null): Promise<readonly string[]> {
  const modules = Object.values(await readLoosely(path));
  return modules.flatMap((module) => {
    const folder = (module as JsonObject | null)?.path;
    return typeof folder === "string" && /^\w[\w.-]*$/.test(folder) ? [folder] : [];
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

/** Fetches what goes with an encoder in `folder`: its tokenizer and how long texts may be. */
async function fetchTokenizer(fetch: FetchFile, folder: string): Promise<void> {
  if (await fetch(join(folder, "tokenizer.json")) === null) await fetch(join(folder, "vocab.txt"));
  await fetch(join(folder, "tokenizer_config.json"));
  await fetch(join(folder, "sentence_bert_config.json"));
}

/**
 * Fetches what `loadModel` and `loadTokenizer` read of a repository and gives the folder it is in.
 * Whether it is all there, and right, they find out.
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
  if (config !== null) { // else the encoder is in a folder of its own
    await fetchTokenizer(fetch, "");
    await fetchWeights(name, fetch, "");
  }
  if (await fetch("heads.json") !== null) await fetch("heads.safetensors");
  for (const folder of await listModuleFolders(modules)) {
    await fetch(join(folder, "config.json"));
    if (/Transformer$/.test(folder)) await fetchTokenizer(fetch, folder);
    if (!/Pooling$|Normalize$/.test(folder)) await fetchWeights(name, fetch, folder);
  }
  return dirname(anchor);
}
