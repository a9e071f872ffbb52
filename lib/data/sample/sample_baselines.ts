/**
 * Baselines for which the sample must be too hard: two bag-of-words text classifiers, which see word counts but not word
 * order, and tagging by looking up the entities in train.
 * @module
 */

import type { TextRow } from "../rows.ts";
import { shuffle, stream } from "@/random.ts";
import type { TaggedRow } from "../rows.ts";

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

/** An entity in a row: words [start, end). */
type EntitySpan = { readonly type: string; readonly start: number; readonly end: number };

/** The entities of a row; its tags must be valid IOB2. */
export function entitySpans(tags: readonly number[], labels: readonly string[]): EntitySpan[] {
  const spans: { type: string; start: number; end: number }[] = [];
  for (const [index, tag] of tags.entries()) {
    const name = labels[tag] ?? "O", last = spans.at(-1);
    if (name.startsWith("B-")) spans.push({ type: name.slice(2), start: index, end: index + 1 });
    if (name.startsWith("I-") && last !== undefined) last.end = index + 1;
  }
  return spans;
}

/** Finds entities in a row of words. */
type EntityFinder = (tokens: readonly string[]) => EntitySpan[];

/** All entities in `rows`, as space-separated words, with their most frequent type. */
export function listEntityNames(
  rows: readonly TaggedRow[],
  labels: readonly string[],
): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const { tokens, tags } of rows) {
    for (const { type, start, end } of entitySpans(tags, labels)) {
      const name = tokens.slice(start, end).join(" ");
      const types = counts.get(name) ?? new Map<string, number>();
      counts.set(name, types.set(type, (types.get(type) ?? 0) + 1));
    }
  }
  return new Map([...counts].map(([name, types]) => {
    const [[type] = ["", 0]] = [...types].sort(([, a], [, b]) => b - a);
    return [name, type];
  }));
}

/** Finds listed entities from left to right, preferring the longest name. */
export function entityFinder(names: ReadonlyMap<string, string>): EntityFinder {
  const longest = Math.max(0, ...[...names.keys()].map((name) => name.split(" ").length));
  return (tokens) => {
    const spans: EntitySpan[] = [];
    for (let start = 0; start < tokens.length; start++) {
      for (let end = Math.min(tokens.length, start + longest); end > start; end--) {
        const type = names.get(tokens.slice(start, end).join(" "));
        if (type === undefined) continue;
        spans.push({ type, start, end });
        start = end - 1;
        break;
      }
    }
    return spans;
  };
}

/** F1 over all entities; type, start and end must match. 0 if nothing matches. */
export function entityF1(
  find: EntityFinder,
  rows: readonly TaggedRow[],
  labels: readonly string[],
): number {
  let right = 0, found = 0, gold = 0;
  for (const { tokens, tags } of rows) {
    const key = ({ type, start, end }: EntitySpan) => `${type} ${start} ${end}`;
    const goldKeys = new Set(entitySpans(tags, labels).map(key));
    const foundKeys = find(tokens).map(key);
    gold += goldKeys.size;
    found += foundKeys.length;
    right += foundKeys.filter((name) => goldKeys.has(name)).length;
  }
  return gold + found === 0 ? 0 : (2 * right) / (gold + found);
}
