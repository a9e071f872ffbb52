/**
 * Layer-wise learning rates: the embeddings have the lowest, each layer has a higher one than the layer below, and the
 * heads have their own (Howard and Ruder, arXiv 1801.06146, section 3.2).
 * @module
 */

/** Configured peak learning rates. */
export type LayerwiseLearningRates = {
  /** Learning rate of the top layer, the pooler and the projection. */
  readonly top: number;
  /** A layer's learning rate is this times that of the layer above; the embeddings count as the layer below layer 0. */
  readonly decay: number;
  readonly heads: number;
};

/** A parameter group's name and peak learning rate. */
export type LayerwiseGroup = { readonly name: string; readonly learningRate: number };

/**
 * The parameter groups of an encoder with `layers` layers, from bottom to top: embeddings, layer 0, …, heads.
 *
 * @example
 * ```ts
 * import { layerwiseGroups } from "@/train/layerwise.ts";
 * layerwiseGroups(2, { top: 4e-5, decay: 0.5, heads: 1e-4 });
 * // embeddings 1e-5, layer 0 2e-5, layer 1 4e-5, heads 1e-4
 * ```
 */
export function layerwiseGroups(
  layers: number,
  learningRates: LayerwiseLearningRates,
): readonly LayerwiseGroup[] {
  const { top, decay, heads } = learningRates;
  return [
    { name: "embeddings", learningRate: top * decay ** layers },
    ...Array.from({ length: layers }, (_, layer) => ({
      name: `layer ${layer}`,
      learningRate: top * decay ** (layers - 1 - layer),
    })),
    { name: "heads", learningRate: heads },
  ];
}

/**
 * Name of a parameter's group. Pooler and projection belong to the top layer, learned loss weights to the heads.
 */
function groupOfParameter(name: string, layers: number): string {
  if (name.startsWith("embeddings.")) return "embeddings";
  if (name.startsWith("heads.") || name.startsWith("uncertainty.")) return "heads";
  if (name.startsWith("pooler.") || name.startsWith("projection.")) return `layer ${layers - 1}`;
  const layer = /^encoder\.layer\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return `layer ${layer}`;
  throw new RangeError(
    `Cannot find the parameter group of ${name}: names must begin with embeddings, encoder.layer.N, ` +
      "pooler, projection, heads or uncertainty",
  );
}

/** Name and shape of a parameter. */
type ParameterShape = { readonly name: string; readonly shape: readonly number[] };

/** Optimizer settings of one parameter. */
export type ParameterPlan = {
  readonly name: string;
  readonly group: string;
  /** Peak learning rate; the optimizer multiplies it by the schedule's factor. */
  readonly learningRate: number;
  /** 0 for biases and layer norms, that is, for all parameters with one dimension. */
  readonly weightDecay: number;
};

/** A parameter group with its size: a row of the table in notebooks and reports. */
export type ParameterGroup = LayerwiseGroup & {
  /** Weight decay of the matrices in the group. */
  readonly weightDecay: number;
  /** Number of trained scalars in the group. */
  readonly parameters: number;
  /** Number of scalars without weight decay: biases and layer norms. */
  readonly undecayed: number;
};

/** Plans every parameter and lists the parameter groups; empty groups are omitted. */
export function planParameters(
  parameters: readonly ParameterShape[],
  options: {
    readonly layers: number;
    readonly learningRates: LayerwiseLearningRates;
    readonly weightDecay: number;
  },
): { readonly plans: readonly ParameterPlan[]; readonly groups: readonly ParameterGroup[] } {
  const { layers, learningRates, weightDecay } = options;
  const groups = layerwiseGroups(layers, learningRates).map((group) => ({
    ...group,
    weightDecay,
    parameters: 0,
    undecayed: 0,
  }));
  const plans = parameters.map(({ name, shape }) => {
    const groupName = groupOfParameter(name, layers);
    const group = groups.find((each) => each.name === groupName);
    if (group === undefined) {
      throw new RangeError(
        `Cannot find the parameter group of ${name}: the encoder has only ${layers} layers`,
      );
    }
    const size = shape.reduce((product, length) => product * length, 1);
    const decays = shape.length > 1;
    group.parameters += size;
    if (!decays) group.undecayed += size;
    return {
      name,
      group: groupName,
      learningRate: group.learningRate,
      weightDecay: decays ? weightDecay : 0,
    };
  });
  return { plans, groups: groups.filter((group) => group.parameters > 0) };
}
