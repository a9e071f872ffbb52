/**
 * Entity scores: exact spans under conlleval's rules and under strict IOB2, and token accuracy. A predicted
 * entity is correct if its type, its first word and its last word all match.
 *
 * A score whose denominator is 0 is 0, as conlleval prints it. All results are plain data that can be
 * written as JSON.
 * @module
 */

import { type Interval, middleInterval, resampleScores } from "@/statistics.ts";
import { countEntityErrors, type EntityErrors } from "@/eval/entity_errors.ts";
import { type Span, SPAN_RULES, type SpanRule, spans } from "@/eval/spans.ts";
import { divide, type SpanCounts, tallyF1 } from "@/eval/tallies.ts";
import { stream } from "@/random.ts";

/** Scores of one entity type, as fractions from 0 to 1; by conlleval's rules unless named strict. */
export type TypeScores = {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** F1 by strict BIO rules. */
  readonly strictF1: number;
  /** Number of gold entities of this type. */
  readonly support: number;
};

/** Result of {@link scoreEntities}; `summary.json` holds it for a tagging task. */
export type EntityScores = {
  /** Number of sentences. */
  readonly rows: number;
  /** Micro-averaged over all entities, by conlleval's rules. */
  readonly f1: number;
  /** Fraction of predicted entities that are correct, by conlleval's rules. */
  readonly precision: number;
  /** Fraction of gold entities that are found, by conlleval's rules. */
  readonly recall: number;
  /** F1 by strict BIO rules: an entity must begin with a B tag. */
  readonly strictF1: number;
  /** Precision by strict BIO rules. */
  readonly strictPrecision: number;
  /** Recall by strict BIO rules. */
  readonly strictRecall: number;
  /** Fraction of words with the correct tag. Says little about entities, since most words are O. */
  readonly tokenAccuracy: number;
  /** 95 % bootstrap interval of `f1`, over sentences. */
  readonly interval: Interval;
  /** 95 % bootstrap interval of `strictF1` over the same draws; absent in runs of versions without it. */
  readonly strictF1Interval?: Interval;
  /** Error counts by conlleval's rules; absent in runs of versions that did not count them. */
  readonly errors?: EntityErrors;
  /** By entity type, in alphabetical order. */
  readonly perType: Readonly<Record<string, TypeScores>>;
};

/** Gold and predicted tags, sentence by sentence. */
type EntityInput = {
  /** One list of tags per sentence, one tag per word. */
  readonly gold: readonly (readonly string[])[];
  /** Same shape as `gold`. */
  readonly predicted: readonly (readonly string[])[];
};

/** Options of the bootstrap behind the intervals. */
type EntityOptions = {
  /** Seed of the resamples; 1 by default. */
  readonly seed?: number;
  /** Number of resamples; 1,000 by default. */
  readonly resamples?: number;
};

/**
 * Scores predicted tags against gold ones.
 *
 * @example
 * ```ts
 * import { scoreEntities } from "@/eval/entities.ts";
 * const { f1, strictF1 } = scoreEntities({
 *   gold: [["B-PER", "I-PER", "O"]],
 *   predicted: [["I-PER", "I-PER", "O"]],
 * }); // 1 and 0
 * ```
 */
export function scoreEntities(input: EntityInput, options: EntityOptions = {}): EntityScores {
  const { gold, predicted } = input;
  const { seed = 1, resamples = 1000 } = options;
  if (gold.length === 0) {
    throw new RangeError(
      "Cannot score entities: there are no sentences",
    );
  }
  if (predicted.length !== gold.length) {
    throw new RangeError(
      `Cannot score entities: predicted must have ${gold.length} sentences, but has ${predicted.length}`,
    );
  }
  const totals = {
    conlleval: new Map<string, SpanCounts>(),
    strict: new Map<string, SpanCounts>(),
  };
  const sentences: Record<SpanRule, SpanCounts[]> = { conlleval: [], strict: [] };
  let words = 0, correctWords = 0;
  gold.forEach((tags, row) => {
    const predictedTags = predicted[row] ?? [];
    if (predictedTags.length !== tags.length) {
      throw new RangeError(
        `Cannot score entities: sentence ${row} must have ${tags.length} predicted tags, but has ${predictedTags.length}`,
      );
    }
    words += tags.length;
    correctWords += tags.filter((tag, word) => tag === predictedTags[word]).length;
    for (const rule of SPAN_RULES) {
      const counts = countSpans(tags, predictedTags, rule);
      for (const [type, count] of counts) {
        totals[rule].set(type, add(totals[rule].get(type), count));
      }
      sentences[rule].push(sumCounts(counts.values()));
    }
  });
  const all = rate(sumCounts(totals.conlleval.values()));
  const strict = rate(sumCounts(totals.strict.values()));
  const [drawn = [], strictDrawn = []] = resampleScores(
    [tallyF1(sentences.conlleval), tallyF1(sentences.strict)],
    { prng: stream(seed, "bootstrap", "entities"), resamples },
  );
  const perType: Record<string, TypeScores> = {};
  for (const type of [...totals.conlleval.keys()].sort()) {
    perType[type] = {
      ...rate(add(undefined, totals.conlleval.get(type))),
      strictF1: rate(add(undefined, totals.strict.get(type))).f1,
      support: totals.conlleval.get(type)?.gold ?? 0,
    };
  }
  return {
    rows: gold.length,
    f1: all.f1,
    precision: all.precision,
    recall: all.recall,
    strictF1: strict.f1,
    strictPrecision: strict.precision,
    strictRecall: strict.recall,
    tokenAccuracy: divide(correctWords, words),
    interval: middleInterval(drawn),
    strictF1Interval: middleInterval(strictDrawn),
    errors: countEntityErrors(gold, predicted),
    perType,
  };
}

/** Counts the spans of one sentence by type, under `rule`. */
export function countSpans(
  gold: readonly string[],
  predicted: readonly string[],
  rule: SpanRule,
): Map<string, SpanCounts> {
  type Counting = { -readonly [K in keyof SpanCounts]: number };
  const counts = new Map<string, Counting>();
  const at = (type: string) => {
    const count = counts.get(type) ?? { correct: 0, predicted: 0, gold: 0 };
    counts.set(type, count);
    return count;
  };
  const key = ({ type, start, end }: Span) => `${start} ${end} ${type}`;
  const goldSpans = spans(gold, rule), keys = new Set(goldSpans.map(key));
  for (const span of goldSpans) at(span.type).gold++;
  for (const span of spans(predicted, rule)) {
    at(span.type).predicted++;
    if (keys.has(key(span))) at(span.type).correct++;
  }
  return counts;
}

/** Precision, recall and F1 of counts; 0 if the denominator is 0. */
function rate(
  counts: SpanCounts,
): Pick<TypeScores, "precision" | "recall" | "f1"> {
  const { correct, predicted, gold } = counts;
  return {
    precision: divide(correct, predicted),
    recall: divide(correct, gold),
    f1: divide(2 * correct, predicted + gold),
  };
}

/** Sum of counts. */
export function sumCounts(counts: Iterable<SpanCounts>): SpanCounts {
  let total: SpanCounts = { correct: 0, predicted: 0, gold: 0 };
  for (const count of counts) total = add(total, count);
  return total;
}

function add(a: SpanCounts | undefined, b: SpanCounts | undefined): SpanCounts {
  return {
    correct: (a?.correct ?? 0) + (b?.correct ?? 0),
    predicted: (a?.predicted ?? 0) + (b?.predicted ?? 0),
    gold: (a?.gold ?? 0) + (b?.gold ?? 0),
  };
}

/**
 * Formats the scores of predicted tags as the CoNLL shared tasks' script does. The text is byte for byte what conlleval.pl
 * (Tjong Kim Sang, version of 2004) prints for the same tags, without the last newline:
 *
 *     processed 16 tokens with 5 phrases; found: 6 phrases; correct: 3.
 *     accuracy:  68.75%; precision:  50.00%; recall:  60.00%; FB1:  54.55
 *                   LOC: precision:  66.67%; recall: 100.00%; FB1:  80.00  3
 *
 * The last number of a line is the number of predicted entities of the type.
 */
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
