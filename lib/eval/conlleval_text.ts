/**
 * Entity scores in the output format of the CoNLL shared tasks' script. The text is byte for byte what
 * conlleval.pl (Tjong Kim Sang, version of 2004) prints for the same tags:
 *
 *     processed 16 tokens with 5 phrases; found: 6 phrases; correct: 3.
 *     accuracy:  68.75%; precision:  50.00%; recall:  60.00%; FB1:  54.55
 *                   LOC: precision:  66.67%; recall: 100.00%; FB1:  80.00  3
 *
 * The last number of a line is the number of predicted entities of the type.
 * @module
 */

import { countSpans, type EntityInput, sumCounts } from "@/eval/entities.ts";
import { divide, type SpanCounts } from "@/eval/tallies.ts";

/** Formats the scores of predicted tags; no trailing newline. */
export function formatConlleval({ gold, predicted }: EntityInput): string {
  const perType = new Map<string, SpanCounts>();
  let words = 0, correctWords = 0;
  gold.forEach((tags, row) => {
    const predictedTags = predicted[row] ?? [];
    words += tags.length;
    correctWords += tags.filter((tag, word) => tag === predictedTags[word]).length;
    for (const [type, counts] of countSpans(tags, predictedTags, "conlleval")) {
      const before = perType.get(type);
      perType.set(type, before === undefined ? counts : sumCounts([before, counts]));
    }
  });
  const all = sumCounts(perType.values());
  const types = [...perType].sort(([a], [b]) => a < b ? -1 : 1);
  return [
    `processed ${words} tokens with ${all.gold} phrases; ` +
    `found: ${all.predicted} phrases; correct: ${all.correct}.`,
    ...(words > 0
      ? [`accuracy: ${print(divide(100 * correctWords, words))}%; ${formatRates(all)}`]
      : []),
    ...types.map(([type, counts]) =>
      `${type.padStart(17)}: ${formatRates(counts)}  ${counts.predicted}`
    ),
  ].join("\n");
}

/** Precision, recall and F1 in percent. F1 is computed from the other two, as the script does. */
function formatRates({ correct, predicted, gold }: SpanCounts): string {
  const precision = divide(100 * correct, predicted), recall = divide(100 * correct, gold);
  const f1 = divide(2 * precision * recall, precision + recall);
  return `precision: ${print(precision)}%; recall: ${print(recall)}%; FB1: ${print(f1)}`;
}

/** Formats as C's `%6.2f`, which rounds an exact half to even, unlike `toFixed`, which rounds it up. */
function print(value: number): string {
  const hundredths = 100 * value, below = Math.floor(hundredths);
  const half = hundredths - below === 0.5 && hundredths / 100 === value;
  const text = half && below % 2 === 0 ? (below / 100).toFixed(2) : value.toFixed(2);
  return text.padStart(6);
}
