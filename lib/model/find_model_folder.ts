/**
 * Finds the folder of a model given by name: a run, a folder, or a repository on the Hub, whose files are downloaded.
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openHubRepo } from "@/data/hub_files.ts";
import type { HubSettings } from "@/data/hub_settings.ts";
import { isFile, isFolder, readJson } from "@/system/files.ts";
import type { ProgressView } from "@/progress.ts";
import { ONNX_DTYPES } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import { ENCODER_CONFIGS, SENTENCE_CONFIG } from "@/model/sentence_settings.ts";

/**
 * Absolute path of the run whose 8-bit graph is part of the repository. It is the default model if no run has been
 * trained yet.
 */
export const SHIPPED_RUN = fileURLToPath(new URL("../../outputs/minilm-bfloat16", import.meta.url));

/** Name of a Hub repository: `owner/name`, or a bare name as early repositories have. */
const HUB_NAME = /^\w[\w.-]*(\/\w[\w.-]*)?$/;

/**
 * Returns the folder of a model: `model/` of a run, or the folder itself, or the folder in the Hub's shared cache to
 * which the repository of this name is downloaded. Local folders take precedence over the Hub.
 */
export async function findModelFolder(
  source: string,
  options: { readonly settings?: HubSettings; readonly view?: ProgressView } = {},
): Promise<string> {
  const ofRun = join(source, "model");
  if (await isModelFolder(ofRun)) return ofRun;
  if (await isFile(join(source, "environment.json"))) {
    const reason = await isFile(join(source, "summary.json"))
      ? "It was saved without its weights"
      : `It has not finished: continue it with deno task train --resume ${source}`;
    throw new Deno.errors.NotFound(
      `Cannot open model: run ${source} does not contain model/config.json. ${reason}`,
    );
  }
  if (await isModelFolder(source)) return source;
  if (await isHubName(source)) return await fetchModel(source, options);
  throw new Deno.errors.NotFound(
    `Cannot open model: ${source} ` +
      (await isFolder(source)
        ? "is not the folder of a run and does not contain config.json"
        : "does not exist and is not the name of a repository on the Hub"),
  );
}

/** True if `source` is a repository on the Hub: it has the form of a name, and no local folder takes precedence. */
export async function isHubName(source: string): Promise<boolean> {
  const parent = dirname(source);
  return HUB_NAME.test(source) && !await isFolder(source) &&
    (parent === "." || !await isFolder(parent));
}

async function fetchModel(
  name: string,
  options: { readonly settings?: HubSettings; readonly view?: ProgressView },
): Promise<string> {
  const repo = openHubRepo({ repo: name, kind: "model", ...options });
  try {
    return await downloadModel(name, repo.fetch);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`There is no folder ${name}, and it cannot be loaded from the Hub: ${reason}`, {
      cause: error,
    });
  }
}

async function isModelFolder(folder: string): Promise<boolean> {
  return await isFile(join(folder, "config.json")) || await isFile(join(folder, "modules.json"));
}

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
