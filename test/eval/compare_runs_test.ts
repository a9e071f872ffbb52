import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { formatComparisons } from "@/cli/compare.ts";
import { scoreClassification } from "@/eval/classification.ts";
import { comparePredictions, compareRuns, type Comparison } from "@/eval/compare_runs.ts";
import { scoreEntities } from "@/eval/entities.ts";
import { middleInterval } from "@/statistics.ts";
import { type PredictionRecord, writePredictions } from "@/eval/prediction_record.ts";
import { stream } from "@/random.ts";

const LABELS = ["a", "b"];

/** A record of rows of class 0; each is predicted correctly if `right` is true for it. */
function topics(right: readonly boolean[], changed: object = {}): PredictionRecord {
  return {
    task: "ag",
    split: "test",
    labels: LABELS,
    kind: "classification",
    gold: right.map(() => 0),
    predicted: right.map((each) => each ? 0 : 1),
    probability: right.map(() => 0.5),
    ...changed,
  };
}

/** Two records with the given numbers of rows correct in both, in the first only, in the second only, in neither. */
function pair([both = 0, first = 0, second = 0, neither = 0]: readonly number[]) {
  const rows = [[true, true, both], [true, false, first], [false, true, second], [
    false,
    false,
    neither,
  ]] as const;
  const spread = (column: 0 | 1) =>
    rows.flatMap((row) => new Array<boolean>(row[2]).fill(row[column]));
  return [topics(spread(0)), topics(spread(1))] as const;
}

const find = (comparisons: readonly Comparison[], measure: string) => {
  const found = comparisons.find((each) => each.measure === measure);
  ok(found !== undefined, `no ${measure}`);
  return found;
};

Deno.test("comparePredictions() scores both runs; the difference is second minus first", () => {
  const [first, second] = pair([60, 5, 15, 20]);
  const accuracy = find(comparePredictions(first, second, { resamples: 10 }), "accuracy");
  deepStrictEqual([accuracy.first, accuracy.second, accuracy.rows], [0.65, 0.75, 100]);
  ok(Math.abs(accuracy.difference - 0.1) < 1e-12);
});

/** Exact p-value from the trinomial distribution: the probability of a draw at least as extreme as observed. */
function exactP(rows: number, first: number, second: number): number {
  // distribution of the difference of N drawn rows: sums of −1, 0 and +1 with the observed frequencies
  let at = new Map([[0, 1]]);
  for (let draw = 0; draw < rows; draw++) {
    const next = new Map<number, number>();
    for (const [sum, share] of at) {
      for (const [step, count] of [[-1, first], [1, second], [0, rows - first - second]] as const) {
        next.set(sum + step, (next.get(sum + step) ?? 0) + share * count / rows);
      }
    }
    at = next;
  }
  const observed = second - first;
  return [...at].reduce(
    (total, [sum, share]) => total + (Math.abs(sum - observed) >= Math.abs(observed) ? share : 0),
    0,
  );
}

for (const [first, second] of [[5, 15], [9, 12], [2, 14]] as const) {
  Deno.test(`the p-value of ${first} against ${second} of 100 rows approaches the exact value`, () => {
    const [a, b] = pair([60, first, second, 40 - first - second]);
    const resamples = 20_000;
    const { pValue } = find(comparePredictions(a, b, { resamples }), "accuracy");
    const exact = exactP(100, first, second);
    const spread = Math.sqrt(exact * (1 - exact) / resamples);
    ok(Math.abs(pValue - exact) < 4 * spread + 1 / resamples, `${pValue} against ${exact}`);
  });
}

Deno.test("the interval of a difference matches the normal approximation, and pairing narrows it", () => {
  const rows = 2000, [first, second] = [60, 90];
  const [a, b] = pair([1600, first, second, rows - 1600 - first - second]);
  const { difference, interval: [low, high] } = find(
    comparePredictions(a, b, { resamples: 4000 }),
    "accuracy",
  );
  // variance of one row's difference: E d² − (E d)²
  const variance = (first + second) / rows - difference ** 2;
  const half = 1.959964 * Math.sqrt(variance / rows);
  ok(Math.abs(low - (difference - half)) < 0.001, `${low} against ${difference - half}`);
  ok(Math.abs(high - (difference + half)) < 0.001, `${high} against ${difference + half}`);
  ok(low > 0, "unpaired, the half width would be 0.023 and zero inside");
});

Deno.test("comparePredictions() finds no difference between a run and itself", () => {
  const [run] = pair([30, 10, 0, 10]);
  for (const found of comparePredictions(run, run, { resamples: 50 })) {
    deepStrictEqual([found.difference, found.interval, found.pValue], [0, [0, 0], 1]);
  }
});

Deno.test("swapping the runs of comparePredictions() flips the signs and keeps the p-value", () => {
  const [first, second] = pair([60, 5, 15, 20]);
  const there = comparePredictions(first, second, { resamples: 500 });
  const back = comparePredictions(second, first, { resamples: 500 });
  there.forEach(({ measure, difference, interval: [low, high], pValue }) => {
    const other = find(back, measure);
    deepStrictEqual([other.difference, other.pValue], [-difference, pValue]);
    ok(Math.abs(other.interval[0] + high) < 1e-12 && Math.abs(other.interval[1] + low) < 1e-12);
  });
});

/** Two runs over the same random sentences; the second makes fewer errors. */
function makeTagged() {
  const prng = stream(2, "tagged");
  const gold = Array.from({ length: 60 }, () => Array.from({ length: 7 }, () => prng.below(5)));
  const disturb = (rate: number) =>
    gold.map((tags) => tags.map((tag) => prng.uniform() < rate ? prng.below(5) : tag));
  const labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
  const subject = { task: "conll", split: "test", labels, kind: "tagging", gold } as const;
  return [{ ...subject, predicted: disturb(0.3) }, {
    ...subject,
    predicted: disturb(0.2),
  }] as const;
}

Deno.test("comparePredictions() draws the same F1 differences as scoring the drawn rows directly", () => {
  const [first, second] = makeTagged();
  const resamples = 40, prng = stream(1, "paired", "conll", "test"); // the same draws as with seed 1
  const name = (tag: number) => first.labels[tag] ?? "O";
  const differences = Array.from({ length: resamples }, () => {
    const drawn = first.gold.map(() => prng.below(first.gold.length));
    const pick = (rows: readonly (readonly number[])[]) =>
      drawn.map((row) => (rows[row] ?? []).map(name));
    const [a, b] = [first, second].map(({ predicted }) =>
      scoreEntities({ gold: pick(first.gold), predicted: pick(predicted) }, { resamples: 1 })
    );
    return [(b?.f1 ?? NaN) - (a?.f1 ?? NaN), (b?.strictF1 ?? NaN) - (a?.strictF1 ?? NaN)] as const;
  });
  const found = comparePredictions(first, second, { resamples });
  (["f1", "strictF1"] as const).forEach((measure, i) => {
    const expected = middleInterval(differences.map((each) => each[i] ?? NaN));
    const { interval } = find(found, measure);
    interval.forEach((end, j) => ok(Math.abs(end - (expected[j] ?? NaN)) < 1e-12, measure));
  });
});

Deno.test("comparePredictions() computes macro-F1 as scoreClassification() does", () => {
  const prng = stream(5, "macro");
  const gold = Array.from({ length: 50 }, () => prng.below(3)), labels = ["a", "b", "c"];
  const predicted = gold.map((label) => prng.uniform() < 0.3 ? prng.below(3) : label);
  const record = topics([], { gold, predicted, labels });
  const { first, second } = find(
    comparePredictions(record, topics([], { gold, predicted: gold, labels }), { resamples: 5 }),
    "macroF1",
  );
  const { macroF1 } = scoreClassification({ gold, predicted, labels }, { resamples: 1 });
  ok(Math.abs(first - macroF1) < 1e-12);
  strictEqual(second, 1);
});

Deno.test("comparePredictions() refuses records with different rows", () => {
  const some = topics([true, false]);
  const refuse = (other: PredictionRecord, message: string) =>
    throws(() => comparePredictions(some, other), { name: "RangeError", message });
  refuse(
    topics([true]),
    "Cannot compare runs: their rows of ag test differ (the numbers of rows are 2 and 1)",
  );
  refuse(
    topics([true, false], { gold: [0, 1] }),
    "Cannot compare runs: their rows of ag test differ (row 1 has different gold labels)",
  );
  refuse(
    topics([true, false], { labels: ["a", "c"] }),
    "Cannot compare runs: their rows of ag test differ (the labels are a,b and a,c)",
  );
});

Deno.test("compareRuns() compares the splits that both runs saved and reports missing ones", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const runs = ["one", "two", "three", "bare"].map((name) => join(dir, name));
    const [one = "", two = "", three = "", bare = ""] = runs;
    for (const run of runs) await Deno.mkdir(run);
    const [first, second] = pair([6, 1, 2, 1]);
    await writePredictions(one, first);
    await writePredictions(one, { ...first, split: "validation" });
    await writePredictions(two, second);
    const [few] = pair([1]);
    await writePredictions(two, { ...few, split: "validation" }); // carved with another seed
    await writePredictions(three, { ...second, task: "other" });
    const { comparisons, notes } = await compareRuns(one, two, { resamples: 20 });
    deepStrictEqual(notes, [
      "ag validation is left out because its rows differ: the numbers of rows are 10 and 1",
    ]);
    deepStrictEqual(comparisons.map(({ task, split, measure }) => [task, split, measure]), [
      ["ag", "test", "accuracy"],
      ["ag", "test", "macroF1"],
    ]);
    const refuse = (other: string, name: string, message: string) =>
      rejects(compareRuns(one, other), { name, message });
    await refuse(
      three,
      "RangeError",
      `Cannot compare the runs: they have no predictions for the same task and split. ${one} has ` +
        `ag test, ag validation; ${three} has other test`,
    );
    await Deno.remove(join(two, "predictions", "ag.test.jsonl"));
    await refuse(
      two,
      "RangeError",
      "Cannot compare the runs: no split has the same rows in both. ag validation is left out because its " +
        "rows differ: the numbers of rows are 10 and 1",
    );
    await refuse(
      bare,
      "NotFound",
      `Cannot compare the runs: ${bare} was saved without predictions (no folder predictions/); ` +
        `if it still has its model, deno task evaluate ${bare} --predictions writes them`,
    );
    await refuse(
      join(dir, "none"),
      "NotFound",
      `Cannot compare the runs: there is no folder ${join(dir, "none")}`,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("formatComparisons() puts scores in columns, in points", () => {
  const comparison: Comparison = {
    ...{ task: "ag", split: "test", measure: "accuracy", rows: 100, first: 0.65, second: 0.75 },
    ...{ difference: 0.1, interval: [-0.0123, 0.2], pValue: 0.0421 },
  };
  deepStrictEqual(
    formatComparisons([
      comparison,
      { ...comparison, task: "conll", measure: "strictF1", difference: -0.05, pValue: 0.00009999 },
    ]),
    [
      "ag     test  accuracy   65.00 → 75.00  +10.00  (-1.23 to +20.00)  p = 0.042  100 rows",
      "conll  test  strict F1  65.00 → 75.00  -5.00   (-1.23 to +20.00)  p = 1e-4   100 rows",
    ],
  );
});
