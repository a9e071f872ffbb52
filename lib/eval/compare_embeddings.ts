/**
 * Compares poolings, normalizations and similarities of one encoder on sentence pairs: by their correlation with human
 * scores, and by how they rank the pairs. Shapes: N pairs, E embedding.
 * @module
 */

import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import type { SentencePair } from "@/data/sentence_pairs.ts";
import type { EncodeTextsOptions } from "@/eval/encode_texts.ts";
import {
  type DrawnSimilarity,
  measureSimilarity,
  rankCorrelation,
  scoreSimilarity,
  SIMILARITIES,
  type Similarity,
  type SimilarityDifference,
  type SimilarityScores,
  subtractSimilarity,
} from "./embedding_similarity.ts";
import { openTextModel, type TextModel } from "@/eval/text_model.ts";
import type { PromptChoice } from "@/text/prompts.ts";
import { type ProgressView, SILENT } from "@/progress.ts";

/** Scores of one combination of pooling, normalization and similarity. */
export type EmbeddingScores = SimilarityScores & {
  /** Pooling of the embeddings. */
  readonly pooling: PoolingMode;
  /** Normalization of the embeddings. */
  readonly normalize: NormalizeMode;
  /** Similarity measure. */
  readonly similarity: Similarity;
  /** Difference from the first pooling under the same normalization and similarity; null for that pooling. */
  readonly difference: SimilarityDifference | null;
};

/** The combinations to score. */
export type CompareOptions = PromptChoice & {
  /** Poolings to compare; the first is the baseline. */
  readonly poolings: readonly PoolingMode[];
  /** Normalizations to combine with each pooling. */
  readonly normalizations: readonly NormalizeMode[];
  /** Similarity measures to combine with each of them. */
  readonly similarities: readonly Similarity[];
  /** Shows progress; default: none. */
  readonly view?: ProgressView;
};

/** Texts per batch. */
const ROWS = 32;

/** Opens a model, encodes texts and closes the model. Returns one embedding [E] per text. */
export async function embedTexts(
  source: string,
  texts: readonly string[],
  options: EncodeTextsOptions = {},
): Promise<Float32Array[]> {
  using model = await openTextModel(source);
  return await model.createEncoder({ rows: ROWS, ...options }).encode(texts);
}

/** Scores every combination on the same pairs. Does not dispose of the model. */
export async function compareEmbeddings(
  model: Pick<TextModel, "createEncoder">,
  pairs: readonly SentencePair[],
  { poolings, normalizations, similarities, view = SILENT, ...prompt }: CompareOptions,
): Promise<EmbeddingScores[]> {
  const found: EmbeddingScores[] = [];
  const texts = pairs.flatMap(({ first, second }) => [first, second]);
  const gold = pairs.map(({ score }) => score);
  const total = poolings.length * normalizations.length;
  const references = new Map<string, DrawnSimilarity>(); // scores of the first pooling
  let done = 0;
  for (const pooling of poolings) {
    for (const normalize of normalizations) {
      view.update({ done, total, label: "encode", details: [`${pooling}, ${normalize}`] });
      const encoder = model.createEncoder({ pooling, normalize, rows: ROWS, ...prompt });
      const embeddings = await encoder.encode(texts); // [2N] of [E]
      for (const similarity of similarities) {
        const values = pairs.map((_, pair) =>
          measureSimilarity(
            similarity,
            embeddings[2 * pair] ?? [],
            embeddings[2 * pair + 1] ?? [],
          )
        );
        const scored = scoreSimilarity(values, gold);
        const { draws: _, ...scores } = scored;
        const comparison = `${normalize} ${similarity}`;
        const reference = references.get(comparison);
        if (reference === undefined) references.set(comparison, scored);
        const difference = reference === undefined ? null : subtractSimilarity(scored, reference);
        found.push({ pooling, normalize, similarity, ...scores, difference });
      }
      view.update({ done: ++done, total, label: "encode" });
    }
  }
  await view.finish();
  return found;
}

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
