/**
 * Loads the encoder of any BERT-architecture checkpoint folder: `config.json` and safetensors.
 * @module
 */
import type { BertConfig } from "@/model/bert_config.ts";
import { readBertConfig } from "@/model/bert_config.ts";
import { buildEncoder, makeVariables } from "@/model/build.ts";
import { encoderSpecs, type ParameterSpec } from "@/model/parameter_specs.ts";
import type { Encoder } from "@/model/parameters.ts";
import type { SafetensorsFile } from "@/model/safetensors.ts";
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

/** Where a parameter's values lie: `name` in `file`. */
type Place = { readonly file: SafetensorsFile; readonly name: string };

/** Sorts a folder's tensors into the encoder's, by encoder name, and the ignored. */
function sortTensors({ path, files }: TensorFolder) {
  const places = new Map<string, Place>();
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

/** Every difference between wanted and present tensors, in words. */
function listFaults(
  specs: readonly ParameterSpec[],
  places: ReadonlyMap<string, Place>,
): readonly string[] {
  const missing = specs.filter(({ name }) => !places.has(name)).map(({ name }) => name);
  const known = new Set(specs.map(({ name }) => name));
  const extra = [...places.keys()].filter((name) => !known.has(name));
  const misshapen = specs.flatMap(({ name, shape }) => {
    const place = places.get(name);
    const present = place?.file.entries.get(place.name)?.shape;
    return present === undefined || `${present}` === `${shape}`
      ? []
      : [`${name} [${present.join(", ")}], wanted [${shape.join(", ")}]`];
  });
  return [
    ...(missing.length === 0 ? [] : [`missing ${missing.join(", ")}`]),
    ...(extra.length === 0 ? [] : [`not known ${extra.join(", ")}`]),
    ...(misshapen.length === 0 ? [] : [`misshapen ${misshapen.join("; ")}`]),
  ];
}

/** Reads the encoder's variables, one tensor after the other. */
async function readEncoder(folder: TensorFolder, config: BertConfig): Promise<LoadedEncoder> {
  const { places, ignored } = sortTensors(folder);
  const pooler = places.has("pooler.dense.weight") || places.has("pooler.dense.bias");
  const specs = encoderSpecs(config, { pooler });
  const faults = listFaults(specs, places);
  if (faults.length > 0) {
    throw new RangeError(
      `Cannot load encoder as ${folder.path} must hold the tensors of its config.json: ${
        faults.join("; ")
      }`,
    );
  }
  const variables = await makeVariables(specs, ({ name }) => {
    const place = places.get(name);
    if (place === undefined) throw new TypeError(`internal: no place for ${name}`);
    return place.file.read(place.name);
  });
  return { encoder: buildEncoder(variables, config), ignored };
}

/**
 * Loads the encoder of `folder`, whose weights may be float32, float16 or bfloat16, in one file or in
 * shards, named with or without the prefix `bert.`.
 *
 * @throws {RangeError} naming every missing, extra or misshapen tensor
 */
export async function loadEncoder(folder: string): Promise<LoadedEncoder> {
  const config = await readBertConfig(folder);
  using tensors = await openTensorFolder(folder);
  return await readEncoder(tensors, config);
}
