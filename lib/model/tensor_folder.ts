/**
 * The tensors of a checkpoint folder: one `model.safetensors`, or shards listed in
 * `model.safetensors.index.json` (the layout of Hugging Face transformers).
 * @module
 */
import { join } from "node:path";
import { isFile, isFolder, readJson } from "@/files.ts";
import { openSafetensors, type SafetensorsFile } from "@/model/safetensors.ts";
import { findLoneGraph } from "@/model/save_onnx.ts";

/** Tensors by name, wherever they lie; declare it with `using`. */
export type TensorFolder = Disposable & {
  /** The file or index that says which tensors there are. */
  readonly path: string;
  /** The file that holds each tensor. */
  readonly files: ReadonlyMap<string, SafetensorsFile>;
};

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Shard names by tensor name. */
async function readIndex(path: string): Promise<ReadonlyMap<string, string>> {
  const json = await readJson(path, "index of tensors");
  const map = typeof json === "object" && json !== null && "weight_map" in json
    ? json.weight_map
    : null;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new RangeError(`Cannot read tensors as ${path} must have an object "weight_map"`);
  }
  const shards = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== "string" || !/^[^/\\]+\.safetensors$/.test(file)) {
      throw new RangeError(
        `Cannot read tensor "${name}" as ${path} must place it in a .safetensors file beside it: current value is ${
          JSON.stringify(file)
        }`,
      );
    }
    shards.set(name, file);
  }
  return shards;
}

/** Opens all shards of an index and checks that each tensor is where the index says. */
async function openShards(folder: string): Promise<TensorFolder> {
  const path = join(folder, INDEX);
  const shards = await readIndex(path);
  const opened = new Map<string, SafetensorsFile>();
  const close = () => {
    for (const file of opened.values()) file[Symbol.dispose]();
  };
  try {
    for (const name of new Set(shards.values())) {
      opened.set(name, await openSafetensors(join(folder, name)));
    }
    const files = new Map<string, SafetensorsFile>();
    for (const [name, shard] of shards) {
      const file = opened.get(shard);
      if (!file?.entries.has(name)) {
        throw new RangeError(
          `Cannot read tensor "${name}" as ${path} places it in ${shard}, which does not have it`,
        );
      }
      files.set(name, file);
    }
    return { path, files, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

const PICKLED = "a pickled object that can run code when read";

/** Weights of other formats: a pattern of the file's name, what the file is, and how to save its weights anew. */
const OTHER_WEIGHTS: readonly (readonly [pattern: RegExp, kind: string, from: string])[] = [
  [/^pytorch_model(-\d+-of-\d+)?\.bin$/, PICKLED, ""],
  [/^(?:tf_model.*\.h5|model\.ckpt\..*)$/, "weights of TensorFlow", ", from_tf=True"],
  [/^flax_model.*\.msgpack$/, "weights of Flax", ", from_flax=True"],
  [/\.(?:bin|pt|pth|ckpt|pkl)$/, PICKLED, ""],
];

/** Weights that no Python call turns into the encoder's: what the file is. */
const OTHER_KINDS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [
    /^adapter_model\.(?:safetensors|bin)$/,
    "an adapter without its encoder: merge_and_unload() and save it",
  ],
  [/\.gguf$/, "quantized weights of llama.cpp: take the checkpoint that they were made of"],
  [
    /^openvino_model\.|^rust_model\.ot$/,
    "a converted model: take the checkpoint that it was made of",
  ],
];

/** What `folder` has in place of safetensors, and what to do; empty where it has no weights at all. */
async function describeOtherWeights(folder: string): Promise<string> {
  if (!await isFolder(folder)) return "";
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  for (const [pattern, kind, from] of OTHER_WEIGHTS) {
    const name = names.find((name) => pattern.test(name));
    if (name === undefined || OTHER_KINDS.some(([other]) => other.test(name))) continue;
    const save = await isFile(join(folder, "..", "modules.json"))
      ? "SentenceTransformer(…).save(…) of the whole folder"
      : `AutoModel.from_pretrained(…${from}).save_pretrained(…, safe_serialization=True)`;
    return `: there is only ${name}, ${kind}; in Python, save it anew with ${save}`;
  }
  for (const [pattern, kind] of OTHER_KINDS) {
    const name = names.find((name) => pattern.test(name));
    if (name !== undefined) return `: there is only ${name}, ${kind}`;
  }
  const graph = await findLoneGraph(folder);
  if (graph === null) return "";
  return `: there is only ${graph}, an exported graph: take the checkpoint that it was made of`;
}

/**
 * Opens the tensors of `folder`.
 *
 * @throws {Deno.errors.NotFound} when it has none, or has them in another format alone
 */
export async function openTensorFolder(folder: string): Promise<TensorFolder> {
  const path = join(folder, SINGLE);
  if (await isFile(path)) {
    const file = await openSafetensors(path);
    const files = new Map([...file.entries.keys()].map((name) => [name, file]));
    return { path, files, [Symbol.dispose]: () => file[Symbol.dispose]() };
  }
  if (await isFile(join(folder, INDEX))) return await openShards(folder);
  throw new Deno.errors.NotFound(
    `Cannot read tensors as ${folder} must have ${SINGLE} or ${INDEX}${await describeOtherWeights(
      folder,
    )}`,
  );
}
