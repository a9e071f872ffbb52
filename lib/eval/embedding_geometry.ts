/**
 * How embeddings lie in their space: lengths, how much they all point one way, and the plane in which they
 * spread most. Shapes: N embeddings, E their size.
 * @module
 */

import { PCA } from "ml-pca";
import { measureSimilarity, rankValues } from "@/eval/similarity.ts";

/** Embeddings as a whole. */
export type Geometry = {
  /** E. */
  readonly size: number;
  /** Means over embeddings of the sum of absolute values and of the Euclidean length. */
  readonly l1: number;
  readonly l2: number;
  /** Standard deviation of the Euclidean length over its mean. */
  readonly lengthSpread: number;
  /** Mean cosine of two different embeddings: near 1 where all point one way (Ethayarajh 2019, D19-1006). */
  readonly anisotropy: number;
};

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Euclidean length. */
export function lengthOf(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += (vector[i] ?? 0) ** 2;
  return Math.sqrt(squares);
}

/** Measures N embeddings of [E], at least two. */
export function describeEmbeddings(embeddings: readonly ArrayLike<number>[]): Geometry {
  const rows = checkSizes(embeddings), size = embeddings[0]?.length ?? 0;
  const lengths = embeddings.map(lengthOf);
  const mean = sum(lengths) / rows;
  const variance = sum(lengths.map((length) => (length - mean) ** 2)) / rows;
  const total = new Float64Array(size); // of the unit vectors
  embeddings.forEach((embedding, i) => {
    const length = lengths[i] || 1;
    for (let k = 0; k < size; k++) total[k] = (total[k] ?? 0) + (embedding[k] ?? 0) / length;
  });
  const units = lengths.filter((length) => length > 0).length;
  return {
    size,
    l1: sum(embeddings.map((embedding) => sum(Array.from(embedding, Math.abs)))) / rows,
    l2: mean,
    lengthSpread: Math.sqrt(variance) / mean,
    // the square of the sum holds each pair twice, and each vector with itself once
    anisotropy: (lengthOf(total) ** 2 - units) / (rows * (rows - 1)),
  };
}

/** Embeddings seen in the plane in which they vary most. */
export type Plane = {
  /** [N] places of two coordinates, in the embeddings' own unit. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Share of the variance that each of the two directions holds. */
  readonly shares: readonly [number, number];
};

/**
 * Projects N embeddings onto their first two principal components. Each direction points to where its
 * largest weight is positive, so that equal embeddings give equal places.
 */
export function projectToPlane(embeddings: readonly ArrayLike<number>[]): Plane {
  checkSizes(embeddings);
  const pca = new PCA(embeddings.map((embedding) => Array.from(embedding)));
  const [first = 0, second = 0] = pca.getExplainedVariance();
  const signs = [0, 1].map((component) => {
    const weights = pca.getEigenvectors().getColumn(component);
    const largest = weights.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a, 0);
    return largest < 0 ? -1 : 1;
  });
  const placed = pca.predict(embeddings.map((embedding) => Array.from(embedding)), {
    nComponents: 2,
  });
  const points = embeddings.map((_, row) => {
    const [x = 0, y = 0] = placed.getRow(row);
    return [x * (signs[0] ?? 1), y * (signs[1] ?? 1)] as const;
  });
  return { points, shares: [first, second] };
}

/** Cosines of pairs of texts: of one class, and of two. */
export type PairCosines = { readonly same: readonly number[]; readonly other: readonly number[] };

/** The cosines of all N (N - 1) / 2 pairs of embeddings, by whether their classes are the same. */
export function pairCosines(
  embeddings: readonly ArrayLike<number>[],
  classes: ArrayLike<unknown>,
): PairCosines {
  checkSizes(embeddings);
  const same: number[] = [], other: number[] = [];
  embeddings.forEach((first, i) => {
    for (const [k, second] of embeddings.slice(i + 1).entries()) {
      const cosine = measureSimilarity("cosine", first, second);
      (classes[i] === classes[i + 1 + k] ? same : other).push(cosine);
    }
  });
  return { same, other };
}

/**
 * The chance that a pair of one class is closer than a pair of two, ties counted half: 0.5 where classes
 * do not tell, 1 where every pair of one class is closer (the area under the ROC curve).
 */
export function separation({ same, other }: PairCosines): number {
  const ranks = rankValues([...same, ...other]);
  const above = sum([...ranks.subarray(0, same.length)]) - same.length * (same.length + 1) / 2;
  return above / (same.length * other.length);
}

/** N, at least two, if all have one size of at least two. */
function checkSizes(embeddings: readonly ArrayLike<number>[]): number {
  const sizes = new Set(embeddings.map(({ length }) => length));
  const [size = 0] = sizes;
  if (embeddings.length < 2 || sizes.size !== 1 || size < 2) {
    throw new RangeError(
      `Cannot measure embeddings as there must be at least two of one size of at least 2: current number is ${embeddings.length}, sizes are ${
        [...sizes].join(", ")
      }`,
    );
  }
  return embeddings.length;
}
