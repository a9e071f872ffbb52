/**
 * Embeddings and similarity scores of several runs on the same texts or sentence pairs.
 * @module
 */

import type { NormalizeMode } from "@/config/config.ts";
import type { SentencePair } from "@/data/sentence_pairs.ts";
import { type EmbeddedPairs, embedTexts } from "@/eval/compare_embeddings.ts";
import {
  type DrawnSimilarity,
  measureSimilarity,
  scoreSimilarity,
  type SimilarityDifference,
  subtractSimilarity,
} from "@/eval/embedding_similarity.ts";
import type { ScoreDot } from "@/report/figures/interval_dots.ts";

/** Embeds the same texts with each run, with its pooling and without normalization. */
export async function embedRuns(
  runs: readonly { readonly name: string; readonly dir: string }[],
  texts: readonly string[],
): Promise<readonly { readonly name: string; readonly embeddings: readonly Float32Array[] }[]> {
  const embedded: { name: string; embeddings: Float32Array[] }[] = [];
  for (const { name, dir } of runs) {
    embedded.push({ name, embeddings: await embedTexts(dir, texts, { normalize: "none" }) });
  }
  return embedded;
}

/** Rank correlation of a run's similarities with the gold scores. */
type PairScore = ScoreDot & {
  /** Difference to the first run on the same bootstrap samples; null for the first run. */
  readonly difference: SimilarityDifference | null;
};

/** Spearman's rank correlation of cosines and gold scores by run, with the run's own normalization. */
export async function scorePairs(
  runs: readonly { readonly name: string; readonly dir: string }[],
  pairs: readonly SentencePair[],
): Promise<PairScore[]> {
  const gold = pairs.map(({ score }) => score);
  const scores: PairScore[] = [];
  let reference: DrawnSimilarity | null = null;
  for (const { name, dir } of runs) {
    const { firsts, seconds } = await embedBoth(dir, pairs);
    const cosines = firsts.map((first, pair) =>
      measureSimilarity("cosine", first, seconds[pair] ?? [])
    );
    const scored = scoreSimilarity(cosines, gold);
    const difference = reference === null ? null : subtractSimilarity(scored, reference);
    reference ??= scored;
    scores.push({
      name,
      group: "cosine",
      value: scored.spearman,
      interval: scored.interval,
      difference,
    });
  }
  return scores;
}

/** Differences in percentage points, one table row per run. */
export function differenceRows(scores: readonly PairScore[]) {
  return scores.flatMap(({ name, difference }) =>
    difference === null ? [] : [{
      pooling: name,
      "difference (points)": 100 * difference.value,
      from: 100 * difference.interval[0],
      to: 100 * difference.interval[1],
    }]
  );
}

/** Embeds both sides of the pairs with one run's encoder, once for each normalization. */
export async function embedPairs(
  dir: string,
  pairs: readonly SentencePair[],
  normalizations: readonly NormalizeMode[],
): Promise<ReadonlyMap<NormalizeMode, EmbeddedPairs>> {
  const scaled = new Map<NormalizeMode, EmbeddedPairs>();
  for (const normalize of normalizations) {
    scaled.set(normalize, await embedBoth(dir, pairs, normalize));
  }
  return scaled;
}

async function embedBoth(
  dir: string,
  pairs: readonly SentencePair[],
  normalize?: NormalizeMode,
): Promise<EmbeddedPairs> {
  const texts = [...pairs.map(({ first }) => first), ...pairs.map(({ second }) => second)];
  const embeddings = await embedTexts(dir, texts, { normalize });
  return { firsts: embeddings.slice(0, pairs.length), seconds: embeddings.slice(pairs.length) };
}
