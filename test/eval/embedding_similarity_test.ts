import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  measureSimilarity,
  rankCorrelation,
  rankValues,
  scoreSimilarity,
  subtractSimilarity,
} from "@/eval/embedding_similarity.ts";

const isClose = (a: number, b: number, tolerance = 1e-12) => Math.abs(a - b) <= tolerance;
const vectors = fc.array(fc.integer({ min: -50, max: 50 }), {
  minLength: 3,
  maxLength: 3,
});

Deno.test("measureSimilarity() matches hand-computed values", () => {
  const a = [3, 4], b = [4, -3];
  strictEqual(measureSimilarity("dot", a, a), 25);
  strictEqual(measureSimilarity("cosine", a, b), 0); // at right angles
  ok(isClose(measureSimilarity("euclidean", a, b), -Math.sqrt(50)));
  strictEqual(measureSimilarity("manhattan", a, b), -8);
  strictEqual(measureSimilarity("cosine", [0, 0], a), 0);
  throws(() => measureSimilarity("dot", [1], [1, 2]), {
    name: "RangeError",
    message: "Cannot compare embeddings: their sizes differ (1 and 2)",
  });
});

Deno.test("measureSimilarity() with cosine ignores vector lengths, with dot it does not", () => {
  const factor = fc.double({ min: 0.1, max: 10, noNaN: true });
  fc.assert(fc.property(vectors, vectors, factor, (a, b, by) => {
    const scaled = a.map((x) => x * by);
    const cosine = measureSimilarity("cosine", a, b);
    ok(isClose(measureSimilarity("cosine", scaled, b), cosine, 1e-9));
    const dot = measureSimilarity("dot", a, b);
    ok(isClose(measureSimilarity("dot", scaled, b), by * dot, 1e-9 * (1 + Math.abs(by * dot))));
  }));
});

Deno.test("rankValues() gives equal values the mean of their ranks", () => {
  deepStrictEqual([...rankValues([10, 30, 20, 30, 30])], [1, 4, 2, 4, 4]);
});

Deno.test("rankCorrelation() matches hand-computed values, with ties", () => {
  // ranks 1 2.5 2.5 4 and 1 3 2 4: 4.5 / √(4.5 · 5)
  ok(isClose(rankCorrelation([1, 2, 2, 4], [1, 3, 2, 4]), 4.5 / Math.sqrt(22.5)));
  strictEqual(rankCorrelation([1, 2, 3], [9, 5, -1]), -1);
  ok(Number.isNaN(rankCorrelation([1, 2], [5, 5])));
  throws(() => rankCorrelation([1], [1]), {
    name: "RangeError",
    message:
      "Cannot correlate: both sides must have equally many values, at least 2, but have 1 and 1",
  });
});

Deno.test("rankCorrelation() depends only on the order", () => {
  const values = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 4, maxLength: 20 });
  fc.assert(fc.property(values, (x) => {
    const y = x.map((value, i) => (i * 7) % 5 + value / 9);
    const found = rankCorrelation(x, y), stretched = rankCorrelation(x.map((v) => v ** 3), y);
    ok(Number.isNaN(found) ? Number.isNaN(stretched) : isClose(found, stretched));
  }));
});

Deno.test("scoreSimilarity() returns an interval around its score, the same for the same seed", () => {
  const gold = Array.from({ length: 60 }, (_, i) => i / 60);
  const likeness = gold.map((score, i) => score + 0.4 * Math.sin(5 * i));
  const scores = scoreSimilarity(likeness, gold, { seed: 3, resamples: 200 });
  const [low, high] = scores.interval;
  ok(low < scores.spearman && scores.spearman < high && high < 1, JSON.stringify(scores));
  deepStrictEqual(scoreSimilarity(likeness, gold, { seed: 3, resamples: 200 }), scores);
  strictEqual(scores.pairs, 60);
});

Deno.test("subtractSimilarity() pairs the draws, so shared variance does not widen the interval", () => {
  const gold = Array.from({ length: 60 }, (_, i) => i / 60);
  const likeness = gold.map((score, i) => score + 0.4 * Math.sin(5 * i));
  const worse = likeness.map((value, i) => value + 0.1 * Math.cos(3 * i));
  const options = { seed: 3, resamples: 200 };
  const reference = scoreSimilarity(likeness, gold, options);
  const same = subtractSimilarity(
    scoreSimilarity(likeness.map((x) => 2 * x), gold, options),
    reference,
  );
  deepStrictEqual(same, { value: 0, interval: [0, 0] }); // the same order on every draw
  const drawn = scoreSimilarity(worse, gold, options);
  const { value, interval: [low, high] } = subtractSimilarity(drawn, reference);
  ok(isClose(value, drawn.spearman - reference.spearman) && low < value && value < high);
  const [from, to] = drawn.interval;
  ok(high - low < to - from, `${high - low} ${to - from}`);
});

Deno.test("subtractSimilarity() drops undefined draws and refuses scores of different pairs", () => {
  const drawn = (...draws: number[]) => ({
    pairs: 4,
    spearman: 0.5,
    interval: [0, 1] as const,
    draws: Float64Array.of(...draws),
  });
  const { interval } = subtractSimilarity(drawn(0.5, NaN, 0.75), drawn(0.25, 0.5, 0.5));
  deepStrictEqual(interval, [0.25, 0.25]);
  throws(() => subtractSimilarity(drawn(0.5), { ...drawn(0.5), pairs: 5 }), {
    name: "RangeError",
    message:
      "Cannot subtract scores: both must have the same numbers of pairs and draws, but have 4 and 1; 5 and 1",
  });
});
