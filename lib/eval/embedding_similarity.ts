/**
 * Similarity of embeddings, and its Spearman correlation with human judgments, as STS-B is scored (Cer et al.
 * 2017, S17-2001; sentence-transformers' `EmbeddingSimilarityEvaluator`). Shapes: N pairs, E embedding.
 * @module
 */

import { assertNever } from "@/assert_never.ts";
import { type Interval, middleInterval } from "@/statistics.ts";
import { stream } from "@/random.ts";
import type { NormalizeMode } from "@/config/config.ts";

/** Similarity functions of two vectors; a larger value means more similar. */
export const SIMILARITIES = ["cosine", "dot", "euclidean", "manhattan"] as const;
/** One of {@link SIMILARITIES}. */
export type Similarity = typeof SIMILARITIES[number];

/** Similarity of two vectors [E]; distances are negated. The cosine with a zero vector is 0. */
export function measureSimilarity(
  measure: Similarity,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
): number {
  if (first.length !== second.length) {
    throw new RangeError(
      `Cannot compare embeddings: their sizes differ (${first.length} and ${second.length})`,
    );
  }
  let dot = 0, squaresA = 0, squaresB = 0, squares = 0, steps = 0;
  for (let i = 0; i < first.length; i++) {
    const a = first[i] ?? 0, b = second[i] ?? 0;
    dot += a * b;
    squaresA += a * a;
    squaresB += b * b;
    squares += (a - b) ** 2;
    steps += Math.abs(a - b);
  }
  switch (measure) {
    case "cosine": {
      const lengths = Math.sqrt(squaresA) * Math.sqrt(squaresB);
      return lengths === 0 ? 0 : dot / lengths;
    }
    case "dot":
      return dot;
    case "euclidean":
      return -Math.sqrt(squares);
    case "manhattan":
      return -steps;
    default:
      return assertNever(measure, "similarity");
  }
}

/** Ranks of values, starting at 1; equal values share the mean of their ranks. */
export function rankValues(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i)
    .sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    const value = values[order[start] ?? 0];
    let end = start;
    while (end < order.length && values[order[end] ?? 0] === value) end++;
    for (let i = start; i < end; i++) ranks[order[i] ?? 0] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/**
 * Spearman's rank correlation, from -1 to 1; NaN if all values of one side are equal.
 *
 * @example
 * ```ts
 * import { rankCorrelation } from "./embedding_similarity.ts";
 * rankCorrelation([0.1, 0.4, 0.9], [10, 20, 500]); // 1: the order is the same
 * ```
 */
export function rankCorrelation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length || x.length < 2) {
    throw new RangeError(
      `Cannot correlate: both sides must have equally many values, at least 2, but have ${x.length} and ${y.length}`,
    );
  }
  const a = rankValues(x), b = rankValues(y);
  const mean = (a.length + 1) / 2; // mean rank, with or without ties
  let both = 0, squaresA = 0, squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    const da = (a[i] ?? 0) - mean, db = (b[i] ?? 0) - mean;
    both += da * db;
    squaresA += da * da;
    squaresB += db * db;
  }
  return both / Math.sqrt(squaresA * squaresB);
}

/** Agreement of similarities with gold scores. */
export type SimilarityScores = {
  /** Number of sentence pairs. */
  readonly pairs: number;
  /** Spearman's rank correlation of similarities and gold scores. */
  readonly spearman: number;
  /** 95 % bootstrap interval over pairs. */
  readonly interval: Interval;
};

/** Options of the bootstrap behind the interval. */
type SimilarityOptions = {
  /** Seed of the resamples; 1 by default. */
  readonly seed?: number;
  /** Number of resamples; 1,000 by default. */
  readonly resamples?: number;
};

/** Scores with the bootstrap draws behind their interval. */
export type DrawnSimilarity = SimilarityScores & {
  /** [R] rank correlations, NaN for a draw whose scores are all equal. Equal seeds and N give equal draws. */
  readonly draws: Float64Array;
};

/** Scores the similarities [N] of pairs against their gold scores [N]. */
export function scoreSimilarity(
  similarities: ArrayLike<number>,
  gold: ArrayLike<number>,
  { seed = 1, resamples = 1000 }: SimilarityOptions = {},
): DrawnSimilarity {
  const pairs = similarities.length;
  const spearman = rankCorrelation(similarities, gold);
  const prng = stream(seed, "bootstrap", "pairs");
  const draws = Float64Array.from({ length: resamples }, () => {
    const chosen = Uint32Array.from({ length: pairs }, () => prng.below(pairs));
    return rankCorrelation(
      Float64Array.from(chosen, (pair) => similarities[pair] ?? NaN),
      Float64Array.from(chosen, (pair) => gold[pair] ?? NaN),
    );
  });
  return { pairs, spearman, interval: middleInterval(draws.filter(Number.isFinite)), draws };
}

/** Difference of two scores on the same pairs. */
export type SimilarityDifference = {
  /** Difference between the two rank correlations. */
  readonly value: number;
  /** 95 % interval by the paired bootstrap: both are scored on the same draws of pairs. */
  readonly interval: Interval;
};

/** `scored` minus `reference`. Both must come from the same pairs, seed and number of resamples. */
export function subtractSimilarity(
  scored: DrawnSimilarity,
  reference: DrawnSimilarity,
): SimilarityDifference {
  if (scored.pairs !== reference.pairs || scored.draws.length !== reference.draws.length) {
    throw new RangeError(
      `Cannot subtract scores: both must have the same numbers of pairs and draws, but have ${
        [scored, reference].map(({ pairs, draws }) => `${pairs} and ${draws.length}`).join("; ")
      }`,
    );
  }
  const differences = scored.draws.map((score, i) => score - (reference.draws[i] ?? NaN))
    .filter(Number.isFinite);
  return {
    value: scored.spearman - reference.spearman,
    interval: middleInterval(differences),
  };
}

const SHORTEST = 1e-12; // lower bound of the norm that a vector is divided by

/** Norm of `vector` that a mode divides by; 1 for `none`. */
export function vectorLength(vector: ArrayLike<number>, mode: NormalizeMode): number {
  const values = Array.from(vector);
  switch (mode) {
    case "none":
      return 1;
    case "l1":
      return values.reduce((sum, x) => sum + Math.abs(x), 0);
    case "l2":
      return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
    default:
      return assertNever(mode, "normalization");
  }
}

/** `vector` divided by its norm under `mode`, by the same formula as `normalizeRows` of `model/pooling.ts`. */
export function normalizeVector(vector: Float32Array, mode: NormalizeMode): Float32Array {
  const length = Math.max(vectorLength(vector, mode), SHORTEST);
  return vector.map((x) => x / length);
}
