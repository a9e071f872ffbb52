import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { comparePadding } from "@/text/compare_padding.ts";
import type { Example } from "@/text/example.ts";

const ofLength = (length: number, row: number): Example => ({
  row,
  ids: new Int32Array(length),
  labels: Int32Array.of(0),
});

Deno.test("comparePadding() matches hand-computed token counts", () => {
  // batches of two, sorted by length: [3, 4] padded to 4 and [7, 8] to 8
  const sets = [[3, 8, 4, 7].map(ofLength)];
  const costs = comparePadding(sets, { lengths: [4, 8, 16], rows: 2, seed: 1 });
  deepStrictEqual(costs.map(({ tokens }) => tokens), [22, 22, 22]);
  deepStrictEqual(costs[0], { name: "padded to 16 tokens", tokens: 22, paddedTokens: 4 * 16 });
  deepStrictEqual(costs[2], {
    name: "sorted by length",
    tokens: 22,
    paddedTokens: 2 * 4 + 2 * 8,
  });
  // batches of three: the second holds one example and two rows that only fill it up
  const [padded] = comparePadding(sets, { lengths: [4, 8, 16], rows: 3, seed: 1 });
  strictEqual(padded?.paddedTokens, 2 * 3 * 16);
});

Deno.test("comparePadding(): sorting never adds padding, and no strategy computes fewer tokens than the texts have", () => {
  const lengths = fc.array(fc.integer({ min: 2, max: 32 }), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(lengths, fc.integer({ min: 1, max: 100 }), (sizes, seed) => {
    const costs = comparePadding([sizes.map(ofLength)], { lengths: [8, 16, 32], rows: 4, seed });
    const [all, random, sorted] = costs.map(({ paddedTokens }) => paddedTokens);
    ok(all !== undefined && random !== undefined && sorted !== undefined);
    ok(sorted <= random && random <= all && sorted >= sizes.reduce((sum, size) => sum + size));
  }));
});
