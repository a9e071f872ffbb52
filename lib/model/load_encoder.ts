/**
 * Loads the encoder of any BERT-architecture checkpoint folder: `config.json` and safetensors.
 * @module
 */
import { readBertConfig } from "@/model/bert_config.ts";
import { buildEncoder } from "@/model/build.ts";
import { loadVariables, type TensorPlace } from "@/model/load_variables.ts";
import { encoderSpecs } from "@/model/parameter_specs.ts";
import type { Encoder } from "@/model/parameters.ts";
import { openTensorFolder, type TensorFolder } from "@/model/tensor_folder.ts";

/** An encoder and what its checkpoint held besides. */
export type LoadedEncoder = {
  readonly encoder: Encoder;
  /** Tensors that were left aside: buffers and heads of other tasks. */
  readonly ignored: readonly string[];
};

/** Heads that transformers' BERT classes put beside the encoder, and buffers of old versions. */
const IGNORED = /^(?:(?:cls|classifier|qa_outputs)\.|embeddings\.position_ids$)/;

/** The name in `BertModel.state_dict()`: without the prefix of classes that hold a `BertModel`. */
function toEncoderName(name: string): string {
  return name.replace(/^bert\./, "")
    .replace(/LayerNorm\.gamma$/, "LayerNorm.weight") // names of 2018, still in bert-base-uncased
    .replace(/LayerNorm\.beta$/, "LayerNorm.bias");
}

/** Sorts a folder's tensors into the encoder's, by encoder name, and the ignored. */
function sortTensors({ path, files }: TensorFolder) {
  const places = new Map<string, TensorPlace>();
  const ignored: string[] = [];
  for (const [name, file] of files) {
    const encoderName = toEncoderName(name);
    const other = places.get(encoderName);
    if (IGNORED.test(encoderName)) ignored.push(name);
    else if (other === undefined) places.set(encoderName, { file, name });
    else {
      throw new RangeError(
        `Cannot load encoder as ${path} must name each tensor once: ${other.name} and ${name} are the same`,
      );
    }
  }
  return { places, ignored };
}

/**
 * Loads the encoder of `folder`, whose weights may be float32, float16 or bfloat16, in one file or in
 * shards, named with or without the prefix `bert.`. A checkpoint without a pooler gives an encoder
 * without one.
 *
 * @throws {RangeError} naming every missing, extra or misshapen tensor
 */
export async function loadEncoder(folder: string): Promise<LoadedEncoder> {
  const config = await readBertConfig(folder);
  using tensors = await openTensorFolder(folder);
  const { places, ignored } = sortTensors(tensors);
  const pooler = places.has("pooler.dense.weight") || places.has("pooler.dense.bias");
  const variables = await loadVariables(encoderSpecs(config, { pooler }), places, {
    what: "encoder",
    path: tensors.path,
    like: "config.json",
  });
  return { encoder: buildEncoder(variables, config), ignored };
}
