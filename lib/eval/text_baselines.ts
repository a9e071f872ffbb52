/**
 * Baselines that need no encoder. A trained model should be better: the most frequent class, logistic regression on TF-IDF
 * vectors, and the most frequent tag of each word.
 * @module
 */

import type { TaggedRow, TextRow } from "@/data/rows.ts";
import {
  fitLogisticRegression,
  predictClasses,
  type SparseRows,
} from "@/eval/logistic_regression.ts";

/** The most frequent class of `train` for every row; of equally frequent ones the first. */
export function predictMajority(train: readonly TextRow[], rows: readonly TextRow[]): number[] {
  const counts = new Map<number, number>();
  for (const { label } of train) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [best] = [...counts].sort(([a, countA], [b, countB]) => countB - countA || a - b)[0] ?? [0];
  return rows.map(() => best);
}

/** Classes by multinomial logistic regression on TF-IDF vectors of words and word pairs. */
export function predictByTfidf(
  train: readonly TextRow[],
  rows: readonly TextRow[],
  classes: number,
): number[] {
  const vectorizer = fitTfidf(train.map(({ text }) => text));
  const labels = train.map(({ label }) => label);
  // unit vectors need a weaker penalty than scikit-learn's default
  const model = fitLogisticRegression(
    vectorizer.transform(train.map(({ text }) => text)),
    labels,
    classes,
    { c: 10 },
  );
  return predictClasses(model, vectorizer.transform(rows.map(({ text }) => text)));
}

/** Maximum number of terms; the most frequent are kept. */
const MAX_TERMS = 50_000;

/** TF-IDF vectors. */
type Tfidf = {
  readonly terms: readonly string[];
  /** Vectors of unit length; unknown terms are left out. */
  transform(texts: readonly string[]): SparseRows;
};

/**
 * Learns the terms of texts and their weights: words of at least two letters or digits in lower case, and pairs of
 * neighbors, in at least two texts (in one if there are fewer than 100 texts).
 *
 * Weights as in scikit-learn's `TfidfVectorizer`: count · (ln((1 + N) / (1 + texts with the term)) + 1), then unit length.
 */
export function fitTfidf(texts: readonly string[]): Tfidf {
  const documents = new Map<string, number>();
  for (const text of texts) {
    for (const term of new Set(termsOf(text))) documents.set(term, (documents.get(term) ?? 0) + 1);
  }
  const least = texts.length < 100 ? 1 : 2;
  const kept = [...documents].filter(([, count]) => count >= least)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, MAX_TERMS);
  const columns = new Map(kept.map(([term], index) => [term, index]));
  const weights = kept.map(([, count]) => Math.log((1 + texts.length) / (1 + count)) + 1);
  return {
    terms: kept.map(([term]) => term),
    transform: (texts) => {
      const starts = new Uint32Array(texts.length + 1);
      const indices: number[] = [], values: number[] = [];
      for (const [row, text] of texts.entries()) {
        const found = new Map<number, number>();
        for (const term of termsOf(text)) {
          const column = columns.get(term);
          if (column !== undefined) {
            found.set(column, (found.get(column) ?? 0) + (weights[column] ?? 0));
          }
        }
        const norm = Math.hypot(...found.values()) || 1;
        for (const [column, value] of found) {
          indices.push(column);
          values.push(value / norm);
        }
        starts[row + 1] = indices.length;
      }
      return {
        features: kept.length,
        starts,
        indices: Uint32Array.from(indices),
        values: Float64Array.from(values),
      };
    },
  };
}

/** Words and pairs of neighboring words. */
function termsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
  return [...words, ...words.slice(1).map((word, index) => `${words[index]} ${word}`)];
}

/**
 * The most frequent tag of each word in `train`; `outside` for unknown words. Tags that do not continue an entity of their
 * type begin one, so that the sequence is valid.
 */
export function predictFrequentTags(
  train: readonly TaggedRow[],
  rows: readonly TaggedRow[],
  labels: readonly string[],
): number[][] {
  const outside = Math.max(0, labels.indexOf("O"));
  const counts = new Map<string, Map<number, number>>();
  for (const { tokens, tags } of train) {
    for (const [index, token] of tokens.entries()) {
      const own = counts.get(token) ?? new Map<number, number>();
      const tag = tags[index] ?? outside;
      counts.set(token, own.set(tag, (own.get(tag) ?? 0) + 1));
    }
  }
  const frequent = new Map([...counts].map(([token, own]) => {
    const [[tag] = [outside]] = [...own].sort(([a, countA], [b, countB]) =>
      countB - countA || a - b
    );
    return [token, tag];
  }));
  return rows.map(({ tokens }) =>
    repairTags(tokens.map((token) => frequent.get(token) ?? outside), labels)
  );
}

/** Replaces each I-X that does not continue an entity of type X by B-X. */
export function repairTags(tags: readonly number[], labels: readonly string[]): number[] {
  let previous = "O";
  return tags.map((tag) => {
    const name = labels[tag] ?? "O";
    const begins = name.startsWith("I-") && previous.slice(2) !== name.slice(2);
    const found = begins ? labels.indexOf(`B-${name.slice(2)}`) : tag;
    previous = labels[found] ?? "O";
    return found;
  });
}
