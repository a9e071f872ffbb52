/**
 * Compares how normalizations and similarities rank pairs of embeddings. Shapes: N pairs, E embedding.
 * @module
 */

import type { NormalizeMode } from "@/config/config.ts";
import {
  measureSimilarity,
  rankCorrelation,
  SIMILARITIES,
  type Similarity,
} from "@/eval/similarity.ts";

/** Embeddings of both sides of N pairs, [E] each. */
export type EmbeddedPairs = {
  readonly firsts: readonly ArrayLike<number>[];
  readonly seconds: readonly ArrayLike<number>[];
};

/** Rank correlation of each similarity under one normalization with the cosine of the raw embeddings. */
type RankingRow =
  & { readonly normalize: NormalizeMode }
  & Readonly<Record<Similarity, number>>;

/** Returns one row per normalization. 1 means the same order as the cosine of the embeddings under `none`. */
export function compareRankings(
  normalized: ReadonlyMap<NormalizeMode, EmbeddedPairs>,
): readonly RankingRow[] {
  const plain = normalized.get("none");
  if (plain === undefined) {
    throw new RangeError(
      `Cannot compare rankings: embeddings with normalization "none" are missing; given are ${
        [...normalized.keys()].join(", ")
      }`,
    );
  }
  const measure = ({ firsts, seconds }: EmbeddedPairs, similarity: Similarity) =>
    firsts.map((first, pair) => measureSimilarity(similarity, first, seconds[pair] ?? []));
  const reference = measure(plain, "cosine");
  return [...normalized].map(([normalize, pairs]) => {
    const agree = (similarity: Similarity) =>
      rankCorrelation(measure(pairs, similarity), reference);
    const [cosine = NaN, dot = NaN, euclidean = NaN, manhattan = NaN] = SIMILARITIES.map(agree);
    return { normalize, cosine, dot, euclidean, manhattan };
  });
}
