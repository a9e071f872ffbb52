import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { formatComparisons } from "@/cli/compare.ts";
import { scoreClassification } from "@/eval/classification.ts";
import { comparePredictions, compareRuns, type Comparison } from "@/eval/compare_runs.ts";
import { scoreEntities } from "@/eval/entities.ts";
import { middleInterval } from "@/eval/interval.ts";
import { writePredictions } from "@/eval/prediction_files.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import { stream } from "@/random.ts";

const LABELS = ["a", "b"];

/** A record of rows of class 0 that are right where `right` says so. */
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

/** Rows right in both, in the first alone, in the second alone, in neither. */
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

Deno.test("comparePredictions() scores both runs, and the difference is second less first", () => {
  const [first, second] = pair([60, 5, 15, 20]);
  const accuracy = find(comparePredictions(first, second, { resamples: 10 }), "accuracy");
  deepStrictEqual([accuracy.first, accuracy.second, accuracy.rows], [0.65, 0.75, 100]);
  ok(Math.abs(accuracy.difference - 0.1) < 1e-12);
});

/** The share of draws at least as far off as observed: exact, by the trinomial of one draw of a row. */
function exactP(rows: number, first: number, second: number): number {
  // the difference of N draws: sums of −1, 0 and +1 with the observed shares
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
  Deno.test(`the p-value of ${first} against ${second} of 100 rows tends to the exact share`, () => {
    const [a, b] = pair([60, first, second, 40 - first - second]);
    const resamples = 20_000;
    const { pValue } = find(comparePredictions(a, b, { resamples }), "accuracy");
    const exact = exactP(100, first, second);
    const spread = Math.sqrt(exact * (1 - exact) / resamples);
    ok(Math.abs(pValue - exact) < 4 * spread + 1 / resamples, `${pValue} against ${exact}`);
  });
}

Deno.test("the interval of a difference is that of the normal approximation, and pairing narrows it", () => {
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

Deno.test("a run does not differ from itself", () => {
  const [run] = pair([30, 10, 0, 10]);
  for (const found of comparePredictions(run, run, { resamples: 50 })) {
    deepStrictEqual([found.difference, found.interval, found.pValue], [0, [0, 0], 1]);
  }
});

Deno.test("comparing the other way round turns the signs and keeps the p-value", () => {
  const [first, second] = pair([60, 5, 15, 20]);
  const there = comparePredictions(first, second, { resamples: 500 });
  const back = comparePredictions(second, first, { resamples: 500 });
  there.forEach(({ measure, difference, interval: [low, high], pValue }) => {
    const other = find(back, measure);
    deepStrictEqual([other.difference, other.pValue], [-difference, pValue]);
    ok(Math.abs(other.interval[0] + high) < 1e-12 && Math.abs(other.interval[1] + low) < 1e-12);
  });
});

/** Two runs over the same random sentences; the second errs less. */
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

Deno.test("differences of F1 and strict F1 are, draw for draw, those of scoring the drawn rows", () => {
  const [first, second] = makeTagged();
  const resamples = 40, prng = stream(1, "paired", "conll", "test"); // the draws of seed 1
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

Deno.test("macro-F1 of a comparison is that of the score", () => {
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

Deno.test("comparePredictions() refuses records of other rows, word for word", () => {
  const some = topics([true, false]);
  const refuse = (other: PredictionRecord, message: string) =>
    throws(() => comparePredictions(some, other), { name: "RangeError", message });
  refuse(
    topics([true]),
    "Cannot compare runs as the rows of ag test must be the same in both: their numbers are 2 and 1",
  );
  refuse(
    topics([true, false], { gold: [0, 1] }),
    "Cannot compare runs as the rows of ag test must be the same in both: row 1 has another gold label",
  );
  refuse(
    topics([true, false], { labels: ["a", "c"] }),
    "Cannot compare runs as the rows of ag test must be the same in both: labels are a,b and a,c",
  );
});

Deno.test("compareRuns() compares what both runs have kept and says what is missing", async () => {
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
      "ag validation is left out as its rows are not the same: their numbers are 10 and 1",
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
      `Cannot compare runs as both must have predictions for the same task and split: ${one} has ` +
        `ag test, ag validation; ${three} has other test`,
    );
    await Deno.remove(join(two, "predictions", "ag.test.jsonl"));
    await refuse(
      two,
      "RangeError",
      "Cannot compare runs as no split has the same rows in both: ag validation is left out as its " +
        "rows are not the same: their numbers are 10 and 1",
    );
    await refuse(
      bare,
      "NotFound",
      `Cannot compare runs as ${bare} must hold predictions/: it was kept without them; ` +
        `deno task evaluate ${bare} --predictions makes them where its model is there`,
    );
    await refuse(
      join(dir, "none"),
      "NotFound",
      `Cannot compare runs as the folder must exist: ${join(dir, "none")}`,
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
