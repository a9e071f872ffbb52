/**
 * Reads the output of `deno task similarity --out`.
 * @module
 */

import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import {
  integer,
  list,
  nullable,
  object,
  oneOf,
  real,
  type Rule,
  text,
} from "@/config/config_rules.ts";
import type { EmbeddingScores } from "@/eval/compare_embeddings.ts";
import type { Interval } from "@/eval/interval.ts";
import { SIMILARITIES, type SimilarityDifference } from "@/eval/embedding_similarity.ts";
import { readJsonBy, readObject } from "../figures/shape.ts";

/** Scores of one model's embeddings. */
type SimilarityRecord = {
  readonly model: string;
  readonly dataset: string;
  readonly precision: string;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly scores: readonly EmbeddingScores[];
};

const correlation = real({
  wanted: "a number from -1 to 1",
  holds: (value) => value >= -1 && value <= 1,
});

const change = real({
  wanted: "a number from -2 to 2",
  holds: (value) => value >= -2 && value <= 2,
});

/** Rule for an interval whose bounds follow `rule`. */
function ends(rule: Rule<number>): Rule<Interval> {
  return (value, key) => {
    const [low = NaN, high = NaN] = list(rule, 2)(value, key);
    return [low, high];
  };
}

/** Reads the record in `file`. Error messages contain the file and the key. */
export async function readSimilarity(file: string): Promise<SimilarityRecord> {
  const rule = object<SimilarityRecord>({
    model: text,
    dataset: text,
    precision: text,
    environment: (value, key) => readObject(value, { file, key }),
    scores: list(object<EmbeddingScores>({
      pooling: oneOf(POOLING_MODES),
      normalize: oneOf(NORMALIZE_MODES),
      similarity: oneOf(SIMILARITIES),
      pairs: integer(1),
      spearman: correlation,
      interval: ends(correlation),
      difference: nullable(object<SimilarityDifference>({
        value: change,
        interval: ends(change),
      })),
    })),
  });
  return await readJsonBy(rule, file, "scores of embeddings");
}
