import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { middleInterval, resampleScores, scoreTally } from "@/statistics.ts";
import { scoreClassification } from "@/eval/classification.ts";
import { scoreEntities } from "@/eval/entities.ts";
import { tallyAccuracy, tallyF1, tallyMacroF1 } from "@/eval/tallies.ts";
import { stream } from "@/random.ts";

const LABELS = ["a", "b", "c", "never"];

/** Ninety rows of three classes, about a quarter of them wrong; a fourth class does not occur. */
function makeRows() {
  const prng = stream(3, "rows");
  const gold = Array.from({ length: 90 }, () => prng.below(3));
  const predicted = gold.map((label) => prng.uniform() < 0.25 ? prng.below(3) : label);
  return { gold, predicted };
}

/** Eighty sentences of six words with some wrong tags. */
function makeSentences() {
  const prng = stream(4, "sentences");
  const tags = ["O", "O", "B-PER", "I-PER", "B-LOC"];
  const draw = () => tags[prng.below(tags.length)] ?? "O";
  const gold = Array.from({ length: 80 }, () => Array.from({ length: 6 }, draw));
  const predicted = gold.map((row) =>
    row.map((tag) => {
      const chance = prng.uniform(); // some tags are replaced, some entities begin with I-
      return chance < 0.2 ? draw() : chance < 0.4 ? tag.replace("B-", "I-") : tag;
    })
  );
  return { gold, predicted };
}

/** Naive bootstrap: draws rows and scores them from scratch for every resample. */
function resampleSlowly<T>(rows: number, resamples: number, score: (drawn: number[]) => T): T[] {
  const prng = stream(99, "slow"); // a separate random stream
  return Array.from(
    { length: resamples },
    () => score(Array.from({ length: rows }, () => prng.below(rows))),
  );
}

/** Asserts that both bounds agree within `tolerance`. */
function nearly(found: readonly number[] | undefined, slow: readonly number[], tolerance: number) {
  const ends = found ?? [];
  ok(
    ends.length === 2 && ends.every((end, i) => Math.abs(end - (slow[i] ?? NaN)) <= tolerance),
    `${found} against ${slow}`,
  );
}

Deno.test("intervals of accuracy and macro-F1 agree with a naive bootstrap", () => {
  const { gold, predicted } = makeRows();
  const pick = <T>(list: readonly T[], drawn: readonly number[]) =>
    drawn.flatMap((row) => list.slice(row, row + 1));
  const score = (drawn: number[]) =>
    scoreClassification(
      { gold: pick(gold, drawn), predicted: pick(predicted, drawn), labels: LABELS },
      { resamples: 1 },
    );
  const found = scoreClassification({ gold, predicted, labels: LABELS }, { resamples: 4000 });
  const slow = resampleSlowly(90, 3000, score);
  nearly(found.macroF1Interval, middleInterval(slow.map(({ macroF1 }) => macroF1)), 0.012);
  nearly(found.interval, middleInterval(slow.map(({ accuracy }) => accuracy)), 0.012);
});

Deno.test("intervals of F1 and strict F1 agree with a naive bootstrap", () => {
  const { gold, predicted } = makeSentences();
  const score = (drawn: number[]) =>
    scoreEntities({
      gold: drawn.map((row) => gold[row] ?? []),
      predicted: drawn.map((row) => predicted[row] ?? []),
    }, { resamples: 1 });
  const found = scoreEntities({ gold, predicted }, { resamples: 4000 });
  ok(Math.abs(found.f1 - found.strictF1) > 0.02, "the premise: the two scores differ");
  const slow = resampleSlowly(80, 2000, score);
  nearly(found.interval, middleInterval(slow.map(({ f1 }) => f1)), 0.012);
  nearly(found.strictF1Interval, middleInterval(slow.map(({ strictF1 }) => strictF1)), 0.012);
});

Deno.test("resampleScores() equals scoring the drawn rows directly, draw by draw", () => {
  const { gold, predicted } = makeRows();
  const tallies = [tallyAccuracy(gold, predicted), tallyMacroF1(gold, predicted, LABELS.length)];
  const [accuracies = [], macros = []] = resampleScores(tallies, {
    prng: stream(8, "draws"),
    resamples: 25,
  });
  const prng = stream(8, "draws");
  for (let sample = 0; sample < 25; sample++) {
    const drawn = gold.map(() => prng.below(gold.length));
    const { accuracy, macroF1 } = scoreClassification({
      gold: drawn.map((row) => gold[row] ?? -1),
      predicted: drawn.map((row) => predicted[row] ?? -1),
      labels: LABELS,
    }, { resamples: 1 });
    ok(Math.abs((accuracies[sample] ?? NaN) - accuracy) < 1e-12);
    ok(Math.abs((macros[sample] ?? NaN) - macroF1) < 1e-12);
  }
});

Deno.test("scoreTally() over all rows equals the scores", () => {
  const rows = makeRows(), sentences = makeSentences();
  const topics = scoreClassification({ ...rows, labels: LABELS }, { resamples: 1 });
  strictEqual(scoreTally(tallyAccuracy(rows.gold, rows.predicted)), topics.accuracy);
  const macro = scoreTally(tallyMacroF1(rows.gold, rows.predicted, LABELS.length));
  ok(Math.abs(macro - topics.macroF1) < 1e-12);
  // 3 correct of 5 predicted and 4 gold: 2·3 / 9
  const counts = [{ correct: 1, predicted: 3, gold: 1 }, { correct: 2, predicted: 2, gold: 3 }];
  strictEqual(scoreTally(tallyF1(counts)), 6 / 9);
  strictEqual(scoreTally(tallyF1([{ correct: 0, predicted: 0, gold: 0 }])), 0);
  ok(scoreEntities(sentences, { resamples: 1 }).f1 > 0.5);
});

Deno.test("resampleScores() refuses tallies with different numbers of rows", () => {
  const options = { prng: stream(1, "draws"), resamples: 2 };
  throws(
    () => resampleScores([tallyAccuracy([0, 1], [0, 1]), tallyMacroF1([0], [0], 2)], options),
    {
      name: "RangeError",
      message:
        "Cannot resample as all tallies must have the same number of rows, at least 1: current numbers are 2, 1",
    },
  );
  throws(() => resampleScores([tallyF1([])], options), {
    name: "RangeError",
    message:
      "Cannot resample as all tallies must have the same number of rows, at least 1: current numbers are 0",
  });
});

Deno.test("scores have the same intervals for the same seed", () => {
  const { gold, predicted } = makeRows();
  const draw = (seed: number) =>
    scoreClassification({ gold, predicted, labels: LABELS }, { seed, resamples: 60 })
      .macroF1Interval;
  deepStrictEqual(draw(2), draw(2));
  ok(JSON.stringify(draw(2)) !== JSON.stringify(draw(3)));
});
