import { deepStrictEqual, ok, throws } from "node:assert/strict";
import { middleInterval, shareInterval } from "@/eval/interval.ts";
import { stream } from "@/random.ts";

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
