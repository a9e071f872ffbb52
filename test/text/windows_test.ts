import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { planWindows } from "@/text/windows.ts";

Deno.test("planWindows() uses one window for a row that fits", () => {
  deepStrictEqual(planWindows([1, 2, 3], 6), [{ start: 0, end: 3, from: 0, to: 3 }]);
  deepStrictEqual(planWindows([], 6), [{ start: 0, end: 0, from: 0, to: 0 }]);
});

Deno.test("planWindows() assigns shared words to the window with more context", () => {
  // 10 words of 1 token, 4 per window: neighbors share 2 words, and each predicts one of them
  deepStrictEqual(planWindows(new Array(10).fill(1), 4), [
    { start: 0, end: 4, from: 0, to: 3 },
    { start: 2, end: 6, from: 3, to: 5 },
    { start: 4, end: 8, from: 5, to: 7 },
    { start: 6, end: 10, from: 7, to: 10 },
  ]);
  // the last window starts as early as it can: 5 words, 4 per window, 3 shared. The middle shared word has
  // equal context in both windows
  deepStrictEqual(planWindows([1, 1, 1, 1, 1], 4), [
    { start: 0, end: 4, from: 0, to: 3 },
    { start: 1, end: 5, from: 3, to: 5 },
  ]);
});

Deno.test("planWindows() gives a word that exceeds a window its own window", () => {
  deepStrictEqual(planWindows([2, 9, 2], 4), [
    { start: 0, end: 1, from: 0, to: 1 },
    { start: 1, end: 2, from: 1, to: 2 },
    { start: 2, end: 3, from: 2, to: 3 },
  ]);
});

const words = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 12 })), {
  maxLength: 80,
});

Deno.test("planWindows() assigns each word to exactly one window, which contains all of its tokens", () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 24 }), (sizes, capacity) => {
      const windows = planWindows(sizes, capacity);
      const answered = windows.flatMap(({ from, to }) =>
        Array.from({ length: to - from }, (_, offset) => from + offset)
      );
      deepStrictEqual(answered, sizes.map((_, word) => word));
      for (const { start, end, from, to } of windows) {
        strictEqual(start <= from && to <= end, true);
        const tokens = sizes.slice(start, end).reduce((sum, size) => sum + size, 0);
        strictEqual(tokens <= capacity || end - start === 1, true);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("planWindows() leaves context on both sides if words are small", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 8, max: 40 }), (n, c) => {
      const windows = planWindows(new Array(n).fill(1), c);
      const margin = Math.floor(c / 4) - 1; // half of the shared words
      windows.forEach(({ start, end, from, to }, index) => {
        if (index > 0) strictEqual(from - start >= margin, true, `left of ${from}`);
        if (index < windows.length - 1) strictEqual(end - to >= margin, true, `right of ${to}`);
      });
    }),
    { seed: 2 },
  );
});
