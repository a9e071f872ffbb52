/**
 * Two bag-of-words text classifiers, which see word counts but not word order. The sample's topics must be too hard
 * for them.
 * @module
 */

import type { TextRow } from "@/data/rows.ts";
import { shuffle, stream } from "@/random.ts";

/** Predicts the class of a text. */
type TextClassifier = (text: string) => number;

/** The words of a text in lower case, without punctuation. */
function countableWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Multinomial naive Bayes with add-one smoothing; words that do not occur in train are ignored. */
export function trainNaiveBayes(rows: readonly TextRow[], classes: number): TextClassifier {
  const counts = new Map<string, Float64Array>(); // word → [classes]
  const totals = new Float64Array(classes), rowsOf = new Float64Array(classes);
  for (const { text, label } of rows) {
    addAt(rowsOf, label, 1);
    for (const word of countableWords(text)) {
      const count = counts.get(word) ?? new Float64Array(classes);
      counts.set(word, count);
      addAt(count, label, 1);
      addAt(totals, label, 1);
    }
  }
  return (text) => {
    const scores = rowsOf.map((count) => Math.log(count / rows.length));
    for (const word of countableWords(text)) {
      counts.get(word)?.forEach((count, label) =>
        addAt(scores, label, Math.log((count + 1) / ((totals[label] ?? 0) + counts.size)))
      );
    }
    return largest(scores);
  };
}

/** Softmax regression on word counts, trained by stochastic gradient descent with a decaying learning rate. */
export function trainSoftmaxRegression(
  rows: readonly TextRow[],
  classes: number,
  { epochs = 10, rate = 0.2, seed = 1 } = {},
): TextClassifier {
  const weights = new Map<string, Float64Array>(); // word → [classes]
  const bias = new Float64Array(classes);
  const score = (words: readonly string[]) => {
    const scores = Float64Array.from(bias);
    for (const word of words) weights.get(word)?.forEach((weight, k) => addAt(scores, k, weight));
    return scores;
  };
  for (let epoch = 0; epoch < epochs; epoch++) {
    const step = rate / (1 + epoch);
    for (const { text, label } of shuffle(rows, stream(seed, "bagOfWords", epoch))) {
      const words = countableWords(text), scores = score(words);
      const top = Math.max(...scores);
      const exps = scores.map((value) => Math.exp(value - top));
      const sum = exps.reduce((total, value) => total + value, 0);
      const change = exps.map((value, k) => step * ((k === label ? 1 : 0) - value / sum));
      change.forEach((value, k) => addAt(bias, k, value));
      for (const word of words) {
        const weight = weights.get(word) ?? new Float64Array(classes);
        weights.set(word, weight);
        change.forEach((value, k) => addAt(weight, k, value));
      }
    }
  }
  return (text) => largest(score(countableWords(text)));
}

/** Fraction of the rows that are classified correctly. */
export function accuracyOf(classify: TextClassifier, rows: readonly TextRow[]): number {
  return rows.filter(({ text, label }) => classify(text) === label).length / rows.length;
}

/** Adds `value` to `target[index]` in place. */
function addAt(target: Float64Array, index: number, value: number): void {
  target[index] = (target[index] ?? 0) + value;
}

/** Index of the largest value; of equal values the first. */
function largest(values: Float64Array): number {
  return values.indexOf(Math.max(...values));
}
