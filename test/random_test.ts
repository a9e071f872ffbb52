import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { hashName, mix32 } from "@/engine/hash.ts";
import { type Prng, shuffle, stream } from "@/random.ts";

const draw = (prng: Prng, count: number) => Array.from({ length: count }, () => prng.uint32());

// Known values: worked in Python 3 with unsigned arithmetic from the published definitions of
// MurmurHash3's finaliser, FNV-1a and PractRand 0.95's sfc32, without this code.

Deno.test("mix32() and hashName() return known values", () => {
  deepStrictEqual([0, 1, 0xffffffff].map(mix32), [0, 1364076727, 2180083513]);
  deepStrictEqual(["", "order"].map(hashName), [2872998923, 1640259148]);
});

Deno.test("stream() runs sfc32", () => {
  const prng = stream(0);
  prng.restore([1, 2, 3, 4]);
  // the first: 1 + 2 + 4 = 7; the second: a = 2 ^ (2 >>> 9) = 2, b = 3 + (3 << 3) = 27, 2 + 27 + 5 = 34
  deepStrictEqual(draw(prng, 6), [7, 34, 56623200, 188882296, 3431242869, 399395954]);
});

Deno.test("stream() is the same on every machine", () => {
  deepStrictEqual(draw(stream(13, "order", "ag_news", 0), 4), [
    33999223,
    2601917188,
    3634082918,
    1106312646,
  ]);
  deepStrictEqual(draw(stream(0), 3), [3551621583, 4240461170, 737356776]);
});

Deno.test("stream() differs by seed, by each name, by their order and by their boundaries", () => {
  const streams = [
    stream(1, "order", "ag_news"),
    stream(2, "order", "ag_news"),
    stream(1, "order", "conll2003"),
    stream(1, "ag_news", "order"),
    stream(1, "order"),
    stream(1, "orderag_news"),
    stream(1, "order", "ag_news", 0),
    stream(1, "order", "ag_news", 1),
    stream(1, "order", "ag_news", "0"),
    stream(1),
  ];
  strictEqual(new Set(streams.map((prng) => draw(prng, 2).join())).size, streams.length);
});

Deno.test("stream() is independent of draws from other streams", () => {
  const alone = draw(stream(5, "dropout"), 8);
  const other = stream(5, "order"), dropout = stream(5, "dropout");
  const between = alone.map(() => {
    draw(other, 3);
    return dropout.uint32();
  });
  deepStrictEqual(between, alone);
});

Deno.test("stream() returns uncorrelated numbers for neighboring seeds and names", () => {
  const count = 4000;
  const sequences = [stream(1, "x", 0), stream(2, "x", 0), stream(1, "x", 1), stream(1, "y", 0)]
    .map((prng) => Array.from({ length: count }, () => prng.uniform() - 0.5));
  for (const [i, a] of sequences.entries()) {
    for (const b of sequences.slice(i + 1)) {
      // the mean of products of independent uniforms has standard deviation 1/12 / √count = 0.0013
      const covariance = a.reduce((sum, x, k) => sum + x * (b[k] ?? 0), 0) / count;
      ok(Math.abs(covariance) < 5 * 0.0013, `covariance ${covariance}`);
    }
  }
  // and the first draws of a thousand neighboring seeds are themselves uniform
  const firsts = Array.from({ length: 1000 }, (_, seed) => stream(seed, "x").uniform());
  const mean = firsts.reduce((sum, x) => sum + x, 0) / firsts.length;
  ok(Math.abs(mean - 0.5) < 5 * 0.289 / Math.sqrt(1000), `mean ${mean}`);
});

Deno.test("below() is uniform, also for bounds that are not powers of two", () => {
  for (const bound of [2, 7, 100]) {
    const counts = new Float64Array(bound), prng = stream(3, "below", bound);
    for (let i = 0; i < 200 * bound; i++) {
      const value = prng.below(bound);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    const chi2 = counts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
    const free = bound - 1; // chi² has mean `free` and standard deviation √(2 free)
    ok(chi2 < free + 6 * Math.sqrt(2 * free), `chi² ${chi2} for bound ${bound}`);
  }
});

Deno.test("below() rejects the numbers that would bias it", () => {
  const prng = stream(0);
  const bound = 3_000_000_000; // without rejection the first 1.29e9 values would come twice as often
  let low = 0;
  for (let i = 0; i < 4000; i++) if (prng.below(bound) < bound / 2) low++;
  ok(Math.abs(low - 2000) < 5 * Math.sqrt(1000), `${low} of 4000 in the lower half`);
  for (const wrong of [0, -1, 1.5, 2 ** 32 + 1, NaN]) {
    throws(() => prng.below(wrong), {
      name: "RangeError",
      message: `Cannot draw as the bound must be an integer from 1 to 2^32: ${wrong}`,
    });
  }
  strictEqual(prng.below(1), 0);
});

Deno.test("uniform() and normal() have the expected moments", () => {
  const prng = stream(11, "moments"), count = 20_000;
  const moments = (draw: () => number) => {
    const values = Array.from({ length: count }, draw);
    const mean = values.reduce((sum, x) => sum + x, 0) / count;
    return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count, values };
  };
  const uniform = moments(() => prng.uniform());
  ok(uniform.values.every((x) => x >= 0 && x < 1));
  ok(Math.abs(uniform.mean - 1 / 2) < 0.01 && Math.abs(uniform.variance - 1 / 12) < 0.003);
  const normal = moments(() => prng.normal());
  ok(Math.abs(normal.mean) < 0.036 && Math.abs(normal.variance - 1) < 0.05);
  const within = normal.values.filter((x) => Math.abs(x) < 1).length / count;
  ok(Math.abs(within - 0.6827) < 0.017, `${within} within one standard deviation`);
});

Deno.test("restore() restores the state returned by state()", () => {
  fc.assert(fc.property(fc.nat(), fc.nat(50), fc.nat(50), (seed, before, after) => {
    const prng = stream(seed, "state");
    draw(prng, before);
    const state = prng.state();
    const expected = draw(prng, after);
    prng.restore(JSON.parse(JSON.stringify(state)));
    deepStrictEqual(draw(prng, after), expected);
    const other = stream(seed + 1, "elsewhere");
    other.restore(state);
    deepStrictEqual(draw(other, after), expected);
  }));
});

Deno.test("shuffle() keeps every item, does not change its input and is reproducible", () => {
  fc.assert(fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
    const before = [...items];
    const shuffled = shuffle(items, stream(seed, "shuffle"));
    deepStrictEqual(items, before);
    deepStrictEqual(shuffled.toSorted(), items.toSorted());
    deepStrictEqual(shuffle(items, stream(seed, "shuffle")), shuffled);
  }));
  const hundred = Array.from({ length: 100 }, (_, index) => index);
  notDeepStrictEqual(shuffle(hundred, stream(1)), hundred);
});

Deno.test("shuffle() returns each of the six orders of three items equally often", () => {
  const counts = new Map<string, number>(), prng = stream(2, "orders");
  for (let i = 0; i < 6000; i++) {
    const order = shuffle(["a", "b", "c"], prng).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  strictEqual(counts.size, 6);
  const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  ok(chi2 < 5 + 6 * Math.sqrt(10), `chi² ${chi2}`);
});
