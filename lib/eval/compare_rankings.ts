/**
 * Whether scalings and similarities rank pairs of embeddings in the same order. Shapes: N pairs, E embedding.
 * @module
 */

import type { NormalizeMode } from "@/config.ts";
import {
  measureSimilarity,
  rankCorrelation,
  SIMILARITIES,
  type Similarity,
} from "@/eval/similarity.ts";

/** Embeddings [N] of [E] of both sides of pairs. */
export type EmbeddedPairs = {
  readonly firsts: readonly ArrayLike<number>[];
  readonly seconds: readonly ArrayLike<number>[];
};

/** Rank correlation of each similarity, under one scaling, with the plain cosine. */
export type RankingRow =
  & { readonly normalize: NormalizeMode }
  & Readonly<Record<Similarity, number>>;

/** A row a scaling; 1 means the same order as the cosine of the embeddings under `none`. */
export function compareRankings(
  scaled: ReadonlyMap<NormalizeMode, EmbeddedPairs>,
): readonly RankingRow[] {
  const plain = scaled.get("none");
  if (plain === undefined) {
    throw new RangeError(
      `Cannot compare rankings as the embeddings without normalization must be among them: current ones are ${
        [...scaled.keys()].join(", ")
      }`,
    );
  }
  const measure = ({ firsts, seconds }: EmbeddedPairs, similarity: Similarity) =>
    firsts.map((first, pair) => measureSimilarity(similarity, first, seconds[pair] ?? []));
  const reference = measure(plain, "cosine");
  return [...scaled].map(([normalize, pairs]) => {
    const agree = (similarity: Similarity) =>
      rankCorrelation(measure(pairs, similarity), reference);
    const [cosine = NaN, dot = NaN, euclidean = NaN, manhattan = NaN] = SIMILARITIES.map(agree);
    return { normalize, cosine, dot, euclidean, manhattan };
  });
}
