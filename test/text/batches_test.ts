import { deepStrictEqual, notDeepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { stream } from "@/random.ts";
import { collate, streamBatches, type StreamOptions } from "@/text/batches.ts";
import { type Example, IGNORED } from "@/text/example.ts";
import { planBatches } from "@/text/plan_batches.ts";
import { prefetchBatches } from "@/text/prefetch.ts";

const TABLE = [4, 8, 16];

/** A classification example of `length` tokens. Every id is its row number plus 10. */
function textExample(row: number, length: number): Example {
  return { row, ids: new Int32Array(length).fill(10 + row), labels: Int32Array.of(row % 4) };
}

const OPTIONS: StreamOptions = {
  rows: 3,
  lengths: TABLE,
  padId: 0,
  clsId: 2,
  seed: 13,
  name: "ag_news",
};
const EXAMPLES = [2, 9, 4, 5, 16, 3, 7, 8, 2, 2].map((length, row) => textExample(row, length));

Deno.test("planBatches() without prng sorts longest first and pads to the given lengths", () => {
  // lengths pad to 16: {1, 2}, 8: {3}, 4: {0, 4}
  deepStrictEqual(planBatches([3, 9, 16, 5, 4], { rows: 2, lengths: TABLE, prng: null }), [
    { examples: [1, 2], rows: 2, length: 16 },
    { examples: [3, 0], rows: 2, length: 8 },
    { examples: [4], rows: 2, length: 4 },
  ]);
});

Deno.test("planBatches() with a token budget gives batches of short examples more rows", () => {
  // 32 tokens: 2 rows of 16, 4 of 8, 8 of 4
  deepStrictEqual(planBatches([16, 3, 9, 5, 4, 8], { tokens: 32, lengths: TABLE, prng: null }), [
    { examples: [0, 2], rows: 2, length: 16 },
    { examples: [3, 5, 1, 4], rows: 4, length: 8 },
  ]);
  deepStrictEqual(planBatches([16], { tokens: 5, lengths: TABLE, prng: null }), [
    { examples: [0], rows: 1, length: 16 }, // a row that exceeds the budget has a batch of its own
  ]);
});

const lengthLists = fc.array(fc.integer({ min: 2, max: 16 }), { maxLength: 400 });
const sizes = fc.oneof(
  fc.record({ rows: fc.integer({ min: 1, max: 7 }) }),
  fc.record({ tokens: fc.integer({ min: 1, max: 200 }) }),
);

Deno.test("planBatches() puts every example into exactly one batch of sufficient length, with few shapes", () => {
  fc.assert(
    fc.property(lengthLists, sizes, fc.option(fc.nat()), (lengths, size, seed) => {
      const prng = seed === null ? null : stream(seed, "order");
      const plans = planBatches(lengths, { ...size, lengths: TABLE, prng });
      const taken = plans.flatMap(({ examples }) => examples).toSorted((a, b) => a - b);
      deepStrictEqual(taken, lengths.map((_, index) => index));
      const rowsAt = new Map<number, number>();
      for (const { examples, rows, length } of plans) {
        const longest = Math.max(...examples.map((index) => lengths[index] ?? 0));
        strictEqual(length, TABLE.find((padded) => padded >= longest));
        strictEqual(rowsAt.get(length) ?? rows, rows);
        rowsAt.set(length, rows);
        strictEqual(examples.length >= 1 && examples.length <= rows, true);
      }
      strictEqual(plans.filter(({ examples, rows }) => examples.length < rows).length <= 1, true);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("planBatches() returns the same number of batches for every epoch", () => {
  fc.assert(
    fc.property(lengthLists, sizes, (lengths, size) => {
      const count = (epoch: number) =>
        planBatches(lengths, { ...size, lengths: TABLE, prng: stream(1, "order", epoch) }).length;
      deepStrictEqual([count(1), count(2)], [count(0), count(0)]);
    }),
    { seed: 2, numRuns: 100 },
  );
});

Deno.test("planBatches() keeps padding small and shuffles rows across the data set", () => {
  const prng = stream(1, "lengths");
  const lengths = Array.from({ length: 2000 }, () => 2 + prng.below(15));
  const plans = planBatches(lengths, { rows: 8, lengths: TABLE, prng: stream(2, "order") });
  const least = lengths.reduce((sum, n) => sum + (TABLE.find((padded) => padded >= n) ?? 0), 0);
  const padded = plans.reduce((sum, { rows, length }) => sum + rows * length, 0);
  // 5 pools of 400 rows, each with at most 2 mixed batches, which waste less than 8 × 12 tokens each
  strictEqual(padded - least < 5 * 2 * 8 * 12, true, `${padded - least} tokens wasted`);
  const first = plans[0]?.examples ?? [];
  strictEqual(Math.max(...first) - Math.min(...first) > 200, true);
});

Deno.test("collate() stacks classification rows and fills up with rows of one [CLS]", () => {
  const plan = { examples: [0, 2], rows: 3, length: 4 };
  deepStrictEqual(collate(EXAMPLES, plan, { padId: 0, clsId: 2 }), {
    rows: 3,
    length: 4,
    ids: Int32Array.of(10, 10, 0, 0, 12, 12, 12, 12, 2, 0, 0, 0),
    mask: Int32Array.of(1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0),
    labels: Int32Array.of(0, 2, IGNORED),
    examples: [0, 2],
    tokens: 6,
  });
});

Deno.test("collate() pads tags with IGNORED", () => {
  const example: Example = {
    row: 0,
    ids: Int32Array.of(2, 7, 3),
    labels: Int32Array.of(IGNORED, 5, IGNORED),
    words: Int32Array.of(IGNORED, 0, IGNORED),
  };
  const batch = collate([example], { examples: [0], rows: 2, length: 4 }, { padId: 9, clsId: 2 });
  deepStrictEqual(batch.ids, Int32Array.of(2, 7, 3, 9, 2, 9, 9, 9));
  deepStrictEqual(batch.mask, Int32Array.of(1, 1, 1, 0, 1, 0, 0, 0));
  deepStrictEqual(batch.labels, Int32Array.of(-1, 5, -1, -1, -1, -1, -1, -1));
  strictEqual(batch.tokens, 3);
});

/** Rows of the next `count` batches. */
function take(source: { next(): { examples: readonly number[] } }, count: number) {
  return Array.from({ length: count }, () => source.next().examples);
}

Deno.test("streamBatches() resumes exactly at a saved position", () => {
  const whole = streamBatches(EXAMPLES, OPTIONS); // 10 rows in batches of 3: 4 batches per epoch
  strictEqual(whole.batchesPerEpoch, 4);
  const batches = take(whole, 11);
  for (let done = 0; done < 10; done++) {
    const first = streamBatches(EXAMPLES, OPTIONS);
    take(first, done);
    const rest = streamBatches(EXAMPLES, { ...OPTIONS, position: first.position() });
    deepStrictEqual(take(rest, 11 - done), batches.slice(done));
  }
});

Deno.test("streamBatches() covers all rows in each epoch, in a different order", () => {
  const source = streamBatches(EXAMPLES, OPTIONS);
  const [first, second] = [take(source, 4), take(source, 4)];
  const all = EXAMPLES.map((_, index) => index);
  deepStrictEqual(first.flat().toSorted((a, b) => a - b), all);
  deepStrictEqual(second.flat().toSorted((a, b) => a - b), all);
  notDeepStrictEqual(first, second);
  notDeepStrictEqual(first, take(streamBatches(EXAMPLES, { ...OPTIONS, name: "other" }), 4));
  notDeepStrictEqual(first, take(streamBatches(EXAMPLES, { ...OPTIONS, seed: 14 }), 4));
  deepStrictEqual(first, source.plans(0).map(({ examples }) => examples));
});

Deno.test("prefetchBatches() returns the same batches and positions, each batch prepared one turn ahead", async () => {
  let made = 0;
  const plain = streamBatches(EXAMPLES, OPTIONS);
  const source = streamBatches(EXAMPLES, OPTIONS);
  const ahead = prefetchBatches({
    ...source,
    next: () => {
      made++;
      return source.next();
    },
  });
  for (let step = 1; step <= 9; step++) {
    deepStrictEqual(ahead.next(), plain.next());
    deepStrictEqual(ahead.position(), plain.position());
    strictEqual(made, step);
    if (step % 3 === 0) continue; // after every third batch, request the next one before it is prefetched
    await new Promise((done) => setTimeout(done, 1)); // stands for the training step
    strictEqual(made, step + 1);
  }
  ahead.close();
});

Deno.test("prefetchBatches() throws when the failed batch is requested", async () => {
  const source = streamBatches(EXAMPLES, OPTIONS);
  let calls = 0;
  const ahead = prefetchBatches({
    ...source,
    next: () => {
      if (calls++ > 0) throw new RangeError("no more");
      return source.next();
    },
  });
  ahead.next();
  await new Promise((done) => setTimeout(done, 1));
  throws(() => ahead.next(), { name: "RangeError", message: "no more" });
});

Deno.test("planBatches() and streamBatches() reject invalid arguments", () => {
  throws(() => planBatches([4, 17], { rows: 2, lengths: TABLE, prng: null }), {
    name: "RangeError",
    message: "Cannot batch example 1: it has 17 tokens, but the longest padded length is 16",
  });
  throws(() => planBatches([4], { rows: 0, lengths: TABLE, prng: null }), {
    message: "Cannot batch examples: rows must be a positive integer, but is 0",
  });
  throws(() => planBatches([4], { tokens: 1.5, lengths: TABLE, prng: null }), {
    message: "Cannot batch examples: tokens must be a positive integer, but is 1.5",
  });
  throws(() => streamBatches([], OPTIONS), {
    message: "Cannot stream batches of ag_news: it has no examples",
  });
  throws(() => streamBatches(EXAMPLES, { ...OPTIONS, position: { epoch: 0, batch: 5 } }), {
    message: "Cannot resume ag_news at batch 5: an epoch has only 4 batches",
  });
});
