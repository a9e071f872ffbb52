/**
 * Names, shapes and roles of a model's parameters, for random initialization and for checking checkpoints. Names as
 * in `namedParameters`, shapes as in `parameters.ts`.
 * @module
 */
import type { BertConfig } from "@/model/bert_config.ts";

/** Role of a parameter in its layer, which determines its initialization. */
type ParameterRole = "weight" | "bias" | "gain" | "table" | "words";

/** Name, shape and role of a parameter. */
export type ParameterSpec = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: ParameterRole;
};

/** Parameters of a linear layer: weight [output, input], bias [output]. */
export function linearSpecs(name: string, output: number, input: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [output, input], role: "weight" },
    { name: `${name}.bias`, shape: [output], role: "bias" },
  ];
}

/** Parameters of a layer norm over `size` columns. */
function normSpecs(name: string, size: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [size], role: "gain" },
    { name: `${name}.bias`, shape: [size], role: "bias" },
  ];
}

/** Parameters of an encoder, with or without its pooler. */
export function encoderSpecs(
  config: BertConfig,
  { pooler }: { readonly pooler: boolean },
): readonly ParameterSpec[] {
  const { hiddenSize, intermediateSize } = config;
  const tables: ParameterSpec[] = [
    {
      name: "embeddings.word_embeddings.weight",
      shape: [config.vocabularySize, hiddenSize],
      role: "words",
    },
    {
      name: "embeddings.position_embeddings.weight",
      shape: [config.maxPositions, hiddenSize],
      role: "table",
    },
    {
      name: "embeddings.token_type_embeddings.weight",
      shape: [config.typeVocabularySize, hiddenSize],
      role: "table",
    },
  ];
  const layers = Array.from({ length: config.layers }, (_, i) => {
    const at = `encoder.layer.${i}`;
    return [
      ...linearSpecs(`${at}.attention.self.query`, hiddenSize, hiddenSize),
      ...linearSpecs(`${at}.attention.self.key`, hiddenSize, hiddenSize),
      ...linearSpecs(`${at}.attention.self.value`, hiddenSize, hiddenSize),
      ...linearSpecs(`${at}.attention.output.dense`, hiddenSize, hiddenSize),
      ...normSpecs(`${at}.attention.output.LayerNorm`, hiddenSize),
      ...linearSpecs(`${at}.intermediate.dense`, intermediateSize, hiddenSize),
      ...linearSpecs(`${at}.output.dense`, hiddenSize, intermediateSize),
      ...normSpecs(`${at}.output.LayerNorm`, hiddenSize),
    ];
  });
  return [
    ...tables,
    ...normSpecs("embeddings.LayerNorm", hiddenSize),
    ...layers.flat(),
    ...(pooler ? linearSpecs("pooler.dense", hiddenSize, hiddenSize) : []),
  ];
}

/** Sizes of a head: `input` columns, `hidden` columns between its layers, and one score per label. */
type HeadSizes = {
  readonly input: number;
  readonly hidden: number;
  readonly labels: number;
};

/** Parameters of the head of `task`. */
export function headSpecs(
  task: string,
  { input, hidden, labels }: HeadSizes,
): readonly ParameterSpec[] {
  return [
    ...linearSpecs(`heads.${task}.dense`, hidden, input),
    ...normSpecs(`heads.${task}.norm`, hidden),
    ...linearSpecs(`heads.${task}.out`, labels, hidden),
  ];
}
