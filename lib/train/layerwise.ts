/**
 * Layer-wise learning rates: embeddings learn slowest, each layer faster than the one below, heads
 * fastest (Howard and Ruder, arXiv 1801.06146, section 3.2).
 * @module
 */

/** The rates that a configuration gives. */
export type LayerwiseRates = {
  /** Of the top layer, the pooler and the projection. */
  readonly top: number;
  /** Each layer below learns this much as fast; embeddings stand below layer 0. */
  readonly decay: number;
  readonly heads: number;
};

/** A named peak learning rate. */
export type LayerwiseGroup = { readonly name: string; readonly learningRate: number };

/**
 * The groups of an encoder of `layers` layers from the lowest to the highest: embeddings, layer 0, …,
 * heads.
 *
 * @example
 * ```ts
 * import { layerwiseGroups } from "@/train/layerwise.ts";
 * layerwiseGroups(2, { top: 4e-5, decay: 0.5, heads: 1e-4 });
 * // embeddings 1e-5, layer 0 2e-5, layer 1 4e-5, heads 1e-4
 * ```
 */
export function layerwiseGroups(layers: number, rates: LayerwiseRates): readonly LayerwiseGroup[] {
  const { top, decay, heads } = rates;
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
 * Name of the group that a parameter learns with; pooler and projection go with the top layer, learned
 * factors of losses with the heads.
 */
export function groupOfParameter(name: string, layers: number): string {
  if (name.startsWith("embeddings.")) return "embeddings";
  if (name.startsWith("heads.") || name.startsWith("uncertainty.")) return "heads";
  if (name.startsWith("pooler.") || name.startsWith("projection.")) return `layer ${layers - 1}`;
  const layer = /^encoder\.layer\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return `layer ${layer}`;
  throw new RangeError(
    `Cannot group parameters as names must begin with embeddings, encoder.layer.N, pooler, projection or heads: ` +
      `current name is ${name}`,
  );
}

/** A parameter as grouping sees it. */
export type ParameterShape = { readonly name: string; readonly shape: readonly number[] };

/** How one parameter learns. */
export type ParameterPlan = {
  readonly name: string;
  readonly group: string;
  /** Peak rate; the schedule's factor multiplies it. */
  readonly learningRate: number;
  /** 0 for bias and layer norm, that is for every parameter of one dimension. */
  readonly weightDecay: number;
};

/** A group with what is in it: a row of the table that notebooks print and reports draw. */
export type ParameterGroup = LayerwiseGroup & {
  /** Of the group's matrices. */
  readonly weightDecay: number;
  /** Numbers that learn in it. */
  readonly parameters: number;
  /** Those among them without weight decay: biases and layer norms. */
  readonly undecayed: number;
};

/** The plan of every parameter and the groups as a table; a group that holds none is left out. */
export function planParameters(
  parameters: readonly ParameterShape[],
  options: {
    readonly layers: number;
    readonly rates: LayerwiseRates;
    readonly weightDecay: number;
  },
): { readonly plans: readonly ParameterPlan[]; readonly groups: readonly ParameterGroup[] } {
  const { layers, rates, weightDecay } = options;
  const groups = layerwiseGroups(layers, rates).map((group) => ({
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
        `Cannot group parameters as the encoder must have ${layers} layers: current name is ${name}`,
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
