/**
 * Pairs of sentences with human similarity scores for evaluating embeddings, such as STS-B.
 * @module
 */

import { readColumns } from "./tables/read_parquet.ts";
import { isTaggedRow, type Row } from "@/data/rows.ts";
import { type Prng, shuffle } from "@/random.ts";

/** Two sentences and their similarity, from 0 to 1. */
export type SentencePair = {
  /** First sentence. */
  readonly first: string;
  /** Second sentence. */
  readonly second: string;
  /** Gold similarity, on the scale of the data set. */
  readonly score: number;
};

/** Reads the pairs of parquet files with the columns of STS-B: `sentence1`, `sentence2`, `score`. */
export async function readSentencePairs(paths: readonly string[]): Promise<SentencePair[]> {
  const pairs: SentencePair[] = [];
  for (const path of paths) {
    const [firsts = [], seconds = [], scores = []] = await readColumns(path, [
      { name: "sentence1", type: "text" },
      { name: "sentence2", type: "text" },
      { name: "score", type: "real" },
    ]);
    firsts.forEach((first, row) => {
      const second = seconds[row], score = scores[row];
      const refuse = (name: string, value: unknown, must: string): never => {
        throw new RangeError(
          `Cannot use row ${row} of ${path} (counted from 0): "${name}" is ${value}, but must be ${must}`,
        );
      };
      if (typeof first !== "string") return refuse("sentence1", first, "a string");
      if (typeof second !== "string") return refuse("sentence2", second, "a string");
      if (typeof score !== "number" || !Number.isFinite(score)) {
        return refuse("score", score, "a finite number");
      }
      pairs.push({ first, second, score });
    });
  }
  return pairs;
}

/**
 * Pairs classified rows; the score is 1 if both have the same class, else 0. This replaces human scores if there are
 * none. No row is in two pairs, so the pairs can be treated as independent.
 */
export function pairByClass(rows: readonly Row[], prng: Prng): SentencePair[] {
  const texts = rows.flatMap((row) => isTaggedRow(row) ? [] : [row]);
  const order = shuffle(texts, prng);
  const pairs: SentencePair[] = [];
  for (let i = 0; i + 1 < order.length; i += 2) {
    const [first, second] = order.slice(i, i + 2);
    if (first === undefined || second === undefined) continue;
    const score = first.label === second.label ? 1 : 0;
    pairs.push({ first: first.text, second: second.text, score });
  }
  return pairs;
}
