/**
 * Embeddings of runs held to the same pairs of sentences.
 * @module
 */

import type { NormalizeMode } from "@/config.ts";
import type { SentencePair } from "@/data/sentence_pairs.ts";
import { embedTexts } from "@/eval/compare_embeddings.ts";
import type { EmbeddedPairs } from "@/eval/compare_rankings.ts";
import { measureSimilarity, scoreSimilarity } from "@/eval/similarity.ts";
import type { ScoreDot } from "@/report/interval_dots.ts";

/** Embeddings of the same texts by each run, as its encoder pools them and without normalization. */
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

/** The rank correlation of cosine and score by run, each as it was trained. */
export async function scorePairs(
  runs: readonly { readonly name: string; readonly dir: string }[],
  pairs: readonly SentencePair[],
): Promise<ScoreDot[]> {
  const gold = pairs.map(({ score }) => score);
  const dots: ScoreDot[] = [];
  for (const { name, dir } of runs) {
    const { firsts, seconds } = await embedBoth(dir, pairs);
    const cosines = firsts.map((first, pair) =>
      measureSimilarity("cosine", first, seconds[pair] ?? [])
    );
    const { spearman, interval } = scoreSimilarity(cosines, gold);
    dots.push({ name, group: "cosine", value: spearman, interval });
  }
  return dots;
}

/** Both sides of pairs by one run's encoder, scaled in each of several ways. */
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
