/**
 * Opens the tensors of a checkpoint folder: one `model.safetensors`, or shards listed in
 * `model.safetensors.index.json` (the layout of Hugging Face transformers).
 * @module
 */
import { join } from "node:path";
import { isFile, isFolder, readJson } from "@/system/files.ts";
import { openSafetensors, type SafetensorsFile } from "@/model/safetensors.ts";
import { findGraphWithoutWeights } from "@/model/save_onnx.ts";

/** Tensors by name, in one file or several. Declare it with `using`. */
export type TensorFolder = Disposable & {
  /** Path of the file or index that lists the tensors. */
  readonly path: string;
  /** The open file that contains each tensor. */
  readonly files: ReadonlyMap<string, SafetensorsFile>;
};

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Reads the shard of each tensor from an index. */
async function readIndex(path: string): Promise<ReadonlyMap<string, string>> {
  const json = await readJson(path, "index of tensors");
  const map = typeof json === "object" && json !== null && "weight_map" in json
    ? json.weight_map
    : null;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new RangeError(`Cannot read tensors: ${path} must have an object under "weight_map"`);
  }
  const shards = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== "string" || !/^[^/\\]+\.safetensors$/.test(file)) {
      throw new RangeError(
        `Cannot read tensor "${name}": ${path} must name a .safetensors file in the same folder, not ${
          JSON.stringify(file)
        }`,
      );
    }
    shards.set(name, file);
  }
  return shards;
}

/** Opens all shards of an index and checks that they contain the listed tensors. */
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
          `Cannot read tensor "${name}": ${path} says that it is in ${shard}, which does not contain it`,
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

const PICKLED = "a pickled object that can execute code when it is read";

/** Weights in other formats: file name, description, and the argument of `from_pretrained` that converts them. */
const OTHER_WEIGHTS: readonly (readonly [pattern: RegExp, kind: string, from: string])[] = [
  [/^pytorch_model(-\d+-of-\d+)?\.bin$/, PICKLED, ""],
  [/^(?:tf_model.*\.h5|model\.ckpt\..*)$/, "weights of TensorFlow", ", from_tf=True"],
  [/^flax_model.*\.msgpack$/, "weights of Flax", ", from_flax=True"],
  [/\.(?:bin|pt|pth|ckpt|pkl)$/, PICKLED, ""],
];

/** Weights that Python cannot convert to the encoder's: file name and description. */
const OTHER_KINDS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [
    /^adapter_model\.(?:safetensors|bin)$/,
    "an adapter without its encoder: call merge_and_unload() and save the result",
  ],
  [/\.gguf$/, "quantized weights of llama.cpp: use the checkpoint that they were converted from"],
  [
    /^openvino_model\.|^rust_model\.ot$/,
    "a converted model: use the checkpoint that it was converted from",
  ],
];

/** Describes the weights in another format in `folder`, and how to convert them; empty if there are no weights. */
async function describeOtherWeights(folder: string): Promise<string> {
  if (!await isFolder(folder)) return "";
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  for (const [pattern, kind, from] of OTHER_WEIGHTS) {
    const name = names.find((name) => pattern.test(name));
    if (name === undefined || OTHER_KINDS.some(([other]) => other.test(name))) continue;
    const save = await isFile(join(folder, "..", "modules.json"))
      ? "SentenceTransformer(…).save(…) of the whole folder"
      : `AutoModel.from_pretrained(…${from}).save_pretrained(…, safe_serialization=True)`;
    return `, but only ${name}, ${kind}. In Python, save it again with ${save}`;
  }
  for (const [pattern, kind] of OTHER_KINDS) {
    const name = names.find((name) => pattern.test(name));
    if (name !== undefined) return `, but only ${name}, ${kind}`;
  }
  const graph = await findGraphWithoutWeights(folder);
  if (graph === null) return "";
  return `, but only ${graph}, an exported graph: use the checkpoint that it was exported from`;
}

/**
 * Opens the tensors of `folder`.
 *
 * @throws {Deno.errors.NotFound} if it contains none, or only weights in another format
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
    `Cannot read tensors: ${folder} contains no ${SINGLE} or ${INDEX}${await describeOtherWeights(
      folder,
    )}`,
  );
}
