/**
 * Geometry of an embedding space: vector lengths, anisotropy, and the plane of largest variance.
 * Shapes: N embeddings, E embedding size.
 * @module
 */

import { PCA } from "ml-pca";
import { measureSimilarity, rankValues } from "./embedding_similarity.ts";

/** Summary statistics of a set of embeddings. */
type Geometry = {
  /** E. */
  readonly size: number;
  /** Mean L1 norm (`l1`) and mean Euclidean norm (`l2`). */
  readonly l1: number;
  readonly l2: number;
  /** Coefficient of variation of the Euclidean norm: standard deviation divided by mean. */
  readonly lengthSpread: number;
  /** Mean cosine of two different embeddings; near 1 if all point the same way (Ethayarajh 2019, D19-1006). */
  readonly anisotropy: number;
};

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Euclidean norm of a vector. */
export function l2Norm(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += (vector[i] ?? 0) ** 2;
  return Math.sqrt(squares);
}

/** Measures N embeddings [E], at least two. */
export function describeEmbeddings(embeddings: readonly ArrayLike<number>[]): Geometry {
  const rows = checkSizes(embeddings), size = embeddings[0]?.length ?? 0;
  const lengths = embeddings.map(l2Norm);
  const mean = sum(lengths) / rows;
  const variance = sum(lengths.map((length) => (length - mean) ** 2)) / rows;
  const total = new Float64Array(size); // sum of the unit vectors
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
    // the squared norm of the sum counts each pair twice and each vector with itself once
    anisotropy: (l2Norm(total) ** 2 - units) / (rows * (rows - 1)),
  };
}

/** Embeddings projected onto the plane in which they vary most. */
export type Plane = {
  /** [N] coordinate pairs, in the unit of the embeddings. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Fraction of the variance that each of the two directions explains. */
  readonly shares: readonly [number, number];
};

/**
 * Projects N embeddings onto their first two principal components. The sign of each component is chosen so
 * that its largest weight is positive, which makes the result deterministic.
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

/** Cosines of pairs of texts: with the same class, and with different classes. */
export type PairCosines = { readonly same: readonly number[]; readonly other: readonly number[] };

/** Cosines of all N (N - 1) / 2 pairs of embeddings, split by whether both have the same class. */
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
 * Area under the ROC curve: the probability that a same-class pair has a higher cosine than a pair with
 * different classes, ties counted half. 0.5 if cosines say nothing about classes, 1 if they separate
 * perfectly.
 */
export function separation({ same, other }: PairCosines): number {
  const ranks = rankValues([...same, ...other]);
  const above = sum([...ranks.subarray(0, same.length)]) - same.length * (same.length + 1) / 2;
  return above / (same.length * other.length);
}

/** N. Throws unless there are at least two embeddings, all of the same size of at least two. */
function checkSizes(embeddings: readonly ArrayLike<number>[]): number {
  const sizes = new Set(embeddings.map(({ length }) => length));
  const [size = 0] = sizes;
  if (embeddings.length < 2 || sizes.size !== 1 || size < 2) {
    throw new RangeError(
      `Cannot measure embeddings: at least two are needed, all of the same size of at least 2, but there are ${embeddings.length} of sizes ${
        [...sizes].join(", ")
      }`,
    );
  }
  return embeddings.length;
}
