/**
 * Embeddings of several runs held to the same pairs of sentences.
 * @module
 */

import type { SentencePair } from "@/data/sentence_pairs.ts";
import { embedTexts } from "@/eval/compare_embeddings.ts";
import { measureSimilarity, scoreSimilarity } from "@/eval/similarity.ts";
import type { ScoreDot } from "@/report/interval_dots.ts";

/** The rank correlation of cosine and score by run, each as it was trained. */
export async function scorePairs(
  runs: readonly { readonly name: string; readonly dir: string }[],
  pairs: readonly SentencePair[],
): Promise<ScoreDot[]> {
  const texts = pairs.flatMap(({ first, second }) => [first, second]);
  const gold = pairs.map(({ score }) => score);
  const dots: ScoreDot[] = [];
  for (const { name, dir } of runs) {
    const embeddings = await embedTexts(dir, texts);
    const cosines = pairs.map((_, pair) =>
      measureSimilarity("cosine", embeddings[2 * pair] ?? [], embeddings[2 * pair + 1] ?? [])
    );
    const { spearman, interval } = scoreSimilarity(cosines, gold);
    dots.push({ name, group: "cosine", value: spearman, interval });
  }
  return dots;
}
