/**
 * Loads the encoder of a BERT checkpoint folder: `config.json` and safetensors.
 * @module
 */
import { readBertConfig } from "@/model/bert_config.ts";
import { buildEncoder } from "@/model/build.ts";
import { loadVariables, type TensorLocation } from "@/model/load_variables.ts";
import { encoderSpecs } from "@/model/parameter_specs.ts";
import type { Encoder } from "@/model/parameters.ts";
import { openTensorFolder, type TensorFolder } from "@/model/tensor_folder.ts";

/** An encoder, and the names of the tensors that it does not use. */
type LoadedEncoder = {
  readonly encoder: Encoder;
  /** Tensors that were not loaded: buffers and heads of other tasks. */
  readonly ignored: readonly string[];
};

/** Heads of transformers' BERT classes, and buffers of old versions. */
const IGNORED = /^(?:(?:cls|classifier|qa_outputs)\.|embeddings\.position_ids$)/;

/** Converts a name to that in `BertModel.state_dict()`: drops the prefix of classes that contain a `BertModel`. */
function toEncoderName(name: string): string {
  return name.replace(/^bert\./, "")
    .replace(/LayerNorm\.gamma$/, "LayerNorm.weight") // names from 2018, still used in bert-base-uncased
    .replace(/LayerNorm\.beta$/, "LayerNorm.bias");
}

/** Divides the tensors of a folder into those of the encoder, by their name in it, and the ignored ones. */
function sortTensors({ path, files }: TensorFolder) {
  const locations = new Map<string, TensorLocation>();
  const ignored: string[] = [];
  for (const [name, file] of files) {
    const encoderName = toEncoderName(name);
    const other = locations.get(encoderName);
    if (IGNORED.test(encoderName)) ignored.push(name);
    else if (other === undefined) locations.set(encoderName, { file, name });
    else {
      throw new RangeError(
        `Cannot load encoder: ${path} contains ${other.name} and ${name}, which are the same tensor`,
      );
    }
  }
  return { locations, ignored };
}

/**
 * Loads the encoder of `folder`. Its weights may be float32, float16 or bfloat16, in one file or in shards, and their
 * names may begin with `bert.`. The encoder has a pooler only if the checkpoint has one.
 *
 * @throws {RangeError} listing every missing, unknown or misshapen tensor
 */
export async function loadEncoder(folder: string): Promise<LoadedEncoder> {
  const config = await readBertConfig(folder);
  using tensors = await openTensorFolder(folder);
  const { locations, ignored } = sortTensors(tensors);
  const pooler = locations.has("pooler.dense.weight") || locations.has("pooler.dense.bias");
  const variables = await loadVariables(encoderSpecs(config, { pooler }), locations, {
    what: "encoder",
    path: tensors.path,
    definedBy: "config.json",
  });
  return { encoder: buildEncoder(variables, config), ignored };
}
