import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { stream } from "@/random.ts";
import {
  bootstrapPValue,
  describeDifferences,
  meanAndDeviation,
  median,
  middleInterval,
  quantile,
  shareInterval,
  studentQuantile,
} from "@/statistics.ts";
import { readJson } from "@/system/files.ts";

type Fixture = {
  scipy: string;
  numpy: string;
  sample: { values: number[]; shares: number[]; quantiles: number[] };
  shares: number[];
  rows: { freedom: number; values: number[] }[];
};
const { scipy, numpy, sample, shares, rows } = await readJson(
  "test/fixtures/statistics.json",
  "fixture",
) as Fixture;

Deno.test(`quantile() agrees with numpy ${numpy} and does not change its input`, () => {
  const values = [...sample.values];
  for (const [i, share] of sample.shares.entries()) {
    const wanted = sample.quantiles[i] ?? NaN, found = quantile(values, share);
    ok(Math.abs(found - wanted) < 1e-12, `${share}: ${found}, not ${wanted}`);
  }
  deepStrictEqual(values, sample.values);
  deepStrictEqual([quantile([7], 0.3), quantile([], 0.5)], [7, NaN]);
});

Deno.test("median() returns the middle value, or the mean of the middle two", () => {
  strictEqual(median([3, 1, 10]), 3);
  strictEqual(median([4, 1, 10, 2]), 3); // (2 + 4) / 2
  strictEqual(median([7]), 7);
  strictEqual(median([]), NaN);
});

Deno.test("median() has equally many values above and below, and does not change its input", () => {
  fc.assert(fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
    const before = [...values];
    const middle = median(values);
    deepStrictEqual(values, before);
    const below = values.filter((value) => value < middle).length;
    const above = values.filter((value) => value > middle).length;
    return below <= values.length / 2 && above <= values.length / 2;
  }));
});

Deno.test("meanAndDeviation() divides by n − 1; one value has no deviation", () => {
  // 2, 4, 6: mean 4, squares 4 + 0 + 4, divided by 2
  deepStrictEqual(meanAndDeviation([2, 4, 6]), { mean: 4, deviation: 2 });
  deepStrictEqual(meanAndDeviation([3]), { mean: 3, deviation: null });
});

Deno.test(`studentQuantile() agrees with scipy ${scipy} to 1e-10, also with fractional degrees of freedom`, () => {
  ok(rows.some(({ freedom }) => !Number.isInteger(freedom)), "the premise");
  for (const { freedom, values } of rows) {
    for (const [i, share] of shares.entries()) {
      const wanted = values[i] ?? NaN, found = studentQuantile(share, freedom);
      ok(Math.abs(found / wanted - 1) < 1e-10, `${share}, ${freedom}: ${found}, not ${wanted}`);
    }
  }
});

Deno.test("studentQuantile() is symmetric, and keeps its digits next to the center", () => {
  strictEqual(studentQuantile(0.025, 7), -studentQuantile(0.975, 7));
  // with 2 degrees of freedom, t = (2p − 1) / √(2p(1 − p))
  const share = 0.5 + 2 ** -20, exact = 2 ** -19 / Math.sqrt(2 * share * (1 - share));
  ok(Math.abs(studentQuantile(share, 2) / exact - 1) < 1e-12);
});

Deno.test("studentQuantile() agrees with the published table to three decimals", () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975
  const published = [
    [1, 12.706],
    [4, 2.776],
    [10, 2.228],
    [11, 2.201],
    [12, 2.179],
    [20, 2.086],
    [
      30,
      2.042,
    ],
    [60, 2.000],
    [100, 1.984],
  ] as const;
  for (const [freedom, value] of published) {
    strictEqual(studentQuantile(0.975, freedom).toFixed(3), value.toFixed(3));
  }
  ok(Math.abs(studentQuantile(0.5, 3)) < 1e-12);
});

Deno.test("studentQuantile() rejects invalid arguments", () => {
  for (const [share, freedom] of [[0, 1], [1, 1], [NaN, 1], [0.5, 0], [0.5, Infinity]] as const) {
    throws(() => studentQuantile(share, freedom), {
      name: "RangeError",
      message:
        "Cannot compute a quantile of Student's t as share must be between 0 and 1 and the degrees of freedom must " +
        `be finite and above 0: current values are ${share} and ${freedom}`,
    });
  }
});

Deno.test("shareInterval() matches hand-computed binomial quantiles", () => {
  // binomial(2, 1/2): 1/4, 1/2, 1/4; both tails hold more than 2.5 %
  deepStrictEqual(shareInterval(1, 2), [0, 1]);
  // binomial(4, 1/4) up to 0, 1, 2, 3, 4: .3164, .7383, .9492, .9961, 1: 97.5 % lies at 3 of 4
  deepStrictEqual(shareInterval(1, 4), [0, 0.75]);
  deepStrictEqual(shareInterval(0, 5), [0, 0]);
  deepStrictEqual(shareInterval(5, 5), [1, 1]);
});

Deno.test("shareInterval() approaches the normal interval for many rows", () => {
  const rows = 7600, share = 7098 / rows;
  const half = 1.959964 * Math.sqrt(share * (1 - share) / rows);
  const [low, high] = shareInterval(7098, rows);
  ok(Math.abs(low - (share - half)) < 2 / rows, `${low} against ${share - half}`);
  ok(Math.abs(high - (share + half)) < 2 / rows, `${high} against ${share + half}`);
});

Deno.test("shareInterval() does not underflow on a million rows", () => {
  const [low, high] = shareInterval(500_000, 1_000_000);
  ok(Math.abs(low - 0.49902) < 1e-5 && Math.abs(high - 0.50098) < 1e-5, `${low} ${high}`);
});

Deno.test("shareInterval() agrees with the limit of resampling rows", () => {
  const rows = 60, hits = 51, prng = stream(5, "test");
  const shares = Array.from({ length: 6000 }, () => {
    let right = 0;
    for (let draw = 0; draw < rows; draw++) right += prng.below(rows) < hits ? 1 : 0;
    return right / rows;
  });
  const drawn = middleInterval(shares), exact = shareInterval(hits, rows);
  ok(Math.abs(drawn[0] - exact[0]) <= 1 / rows, `${drawn} against ${exact}`);
  ok(Math.abs(drawn[1] - exact[1]) <= 1 / rows, `${drawn} against ${exact}`);
});

Deno.test("middleInterval() interpolates as numpy's quantile and does not change its input", () => {
  const values = [5, 3, 1, 2, 4];
  // positions 0.025 · 4 = 0.1 and 0.975 · 4 = 3.9 in 1, 2, 3, 4, 5
  const [low, high] = middleInterval(values);
  ok(Math.abs(low - 1.1) < 1e-12 && Math.abs(high - 4.9) < 1e-12, `${low} ${high}`);
  deepStrictEqual(values, [5, 3, 1, 2, 4]);
});

Deno.test("middleInterval() and shareInterval() refuse invalid input", () => {
  throws(() => middleInterval([]), {
    name: "RangeError",
    message: "Cannot take an interval as values must not be empty: current length is 0",
  });
  throws(() => shareInterval(3, 2), {
    name: "RangeError",
    message:
      "Cannot take an interval as hits must be from 0 to rows and rows at least 1: current values are 3 of 2",
  });
});

Deno.test("describeDifferences() returns Student's t interval of a mean", () => {
  // differences 1, 2, 3: mean 2, s = 1, 4.303 · 1 / √3 = 2.484
  const { mean, interval, pairs } = describeDifferences([1, 2, 3], { rows: 10 });
  strictEqual(mean, 2);
  strictEqual(pairs, 3);
  deepStrictEqual(interval?.map((end) => end.toFixed(3)), ["-0.484", "4.484"]);
  strictEqual(describeDifferences([0.5], { rows: 10 }).interval, null);
});

Deno.test("describeDifferences() returns Student's t interval for twelve and more seeds", () => {
  // differences −1 and 1 in turn: mean 0, s = √(n / (n − 1)), half = t · √(1 / (n − 1))
  for (const [pairs, t] of [[12, 2.201], [30, 2.045], [100, 1.984]] as const) {
    const values = Array.from({ length: pairs }, (_, i) => i % 2 === 0 ? -1 : 1);
    const { interval } = describeDifferences(values, { rows: 10 });
    strictEqual(interval?.[1].toFixed(3), (t * Math.sqrt(1 / (pairs - 1))).toFixed(3));
  }
});

Deno.test("describeDifferences() assumes a standard deviation of at least one row", () => {
  // one row of 1000 less with each seed: s = 0.001, 4.303 · 0.001 / √3 = 0.002484
  const { interval } = describeDifferences([-0.001, -0.001, -0.001], { rows: 1000 });
  deepStrictEqual(interval?.map((end) => end.toFixed(5)), ["-0.00348", "0.00148"]);
});

Deno.test("bootstrapPValue() counts draws as far from the difference as zero is, and the difference itself", () => {
  // distances from 2: 2, 0, 1, 3; those of 0 and 5 are at least 2
  strictEqual(bootstrapPValue(2, Float64Array.of(0, 2, 3, 5)), 3 / 5);
  strictEqual(bootstrapPValue(0, Float64Array.of(0, 1)), 1);
});
