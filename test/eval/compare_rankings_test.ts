import { ok, strictEqual, throws } from "node:assert/strict";
import { compareRankings } from "@/eval/compare_rankings.ts";

/** Deterministic vectors of three coordinates without a pattern. */
const vectors = (count: number, phase: number) =>
  Array.from(
    { length: count },
    (_, i) => [0, 1, 2].map((k) => Math.sin(phase + 3 * i + 7 * k) * (1 + i % 4)),
  );
const divide = (rows: readonly number[][], norm: (row: readonly number[]) => number) =>
  rows.map((row) => row.map((x) => x / norm(row)));

Deno.test("compareRankings() matches theory for normalized vectors", () => {
  const firsts = vectors(30, 0), seconds = vectors(30, 2);
  const l1 = (row: readonly number[]) => row.reduce((sum, x) => sum + Math.abs(x), 0);
  const l2 = (row: readonly number[]) => Math.hypot(...row);
  const [none, sums, lengths] = compareRankings(
    new Map([
      ["none", { firsts, seconds }],
      ["l1", { firsts: divide(firsts, l1), seconds: divide(seconds, l1) }],
      ["l2", { firsts: divide(firsts, l2), seconds: divide(seconds, l2) }],
    ]),
  );
  ok(none && sums && lengths);
  for (const value of [none.cosine, sums.cosine, lengths.cosine, lengths.dot, lengths.euclidean]) {
    ok(Math.abs(value - 1) < 1e-3, `${value}`);
  }
  ok(none.dot < 0.99 && none.euclidean < 0.99 && sums.euclidean < 0.999);
  strictEqual(sums.normalize, "l1");
});

Deno.test("compareRankings() requires the embeddings without normalization", () => {
  throws(() => compareRankings(new Map([["l2", { firsts: [], seconds: [] }]])), {
    name: "RangeError",
    message:
      'Cannot compare rankings: embeddings with normalization "none" are missing; given are l2',
  });
});
