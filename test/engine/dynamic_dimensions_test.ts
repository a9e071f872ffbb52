import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  chooseSamples,
  type DynamicDimensions,
  evaluateTerm,
  findTerm,
  findTerms,
  namesOf,
  shapeAt,
  solveSizes,
} from "@/engine/dynamic_dimensions.ts";

const BATCH: DynamicDimensions = {
  axes: { ids: ["B", "T"], mask: ["B", "T"], labels: ["B·T"] },
  limits: { T: 50 },
};

Deno.test("solveSizes() computes sizes from shapes, and shapeAt() computes shapes from sizes", () => {
  deepStrictEqual(namesOf(BATCH), ["B", "T"]);
  const shapes = new Map([["ids", [3, 7]], ["mask", [3, 7]], ["labels", [21]], ["rate", []]]);
  deepStrictEqual(solveSizes(BATCH, shapes), [3, 7]);
  deepStrictEqual(shapeAt(["B·T"], ["B", "T"], [3, 7]), [21]);
  deepStrictEqual(shapeAt(["T", "2·B", "5"], ["B", "T"], [3, 7]), [7, 6, 5]);
});

Deno.test("solveSizes() reports the input whose shape contradicts the others", () => {
  throws(
    () => solveSizes(BATCH, new Map([["ids", [3, 7]], ["mask", [3, 7]], ["labels", [20]]])),
    {
      name: "RangeError",
      message: "Cannot run as labels must be [B·T] = [21]: current shape is [20]",
    },
  );
  throws(() => solveSizes(BATCH, new Map([["labels", [20]]])), {
    name: "TypeError",
    message: "Cannot run as an input with the axis B is missing",
  });
});

Deno.test("chooseSamples() chooses primes below the limits that divide no size of the model", () => {
  const pairs = chooseSamples(BATCH, new Set([384, 47, 4 * 43]));
  strictEqual(pairs.length, 2);
  const all = pairs.flat(2);
  strictEqual(new Set(all).size, 8, "each is taken once");
  ok(all.every((size) => size !== 47 && size !== 43));
  ok(pairs.every(([[, a], [, b]]) => (a ?? 99) <= 50 && (b ?? 99) <= 50));
  deepStrictEqual(chooseSamples({ ...BATCH, limits: { T: 30 } }, new Set()), []); // only 29 remains
});

Deno.test("findTerm() recovers every product of sizes", () => {
  const [samples] = chooseSamples(BATCH, new Set([384, 1536, 30522])) as [[number[], number[]]];
  const power = fc.nat(2), size = fc.integer({ min: 1, max: 600 });
  const factor = fc.oneof(fc.integer({ min: -8, max: 8 }), fc.constantFrom(384, 1536, 30522 * 384));
  fc.assert(fc.property(factor, power, power, size, size, (factor, b, t, rows, length) => {
    const at = ([B, T]: number[]) => factor * (B as number) ** b * (T as number) ** t;
    const term = findTerm([at(samples[0]), at(samples[1])], samples);
    ok(term !== null);
    strictEqual(evaluateTerm(term, [rows, length]) + 0, at([rows, length]) + 0); // -0 is 0
  }));
});

Deno.test("findTerm() finds no term for sums and quotients", () => {
  const [samples] = chooseSamples(BATCH, new Set()) as [[number[], number[]]];
  for (
    const of of [
      ([B, T]) => B! + T!,
      ([, T]) => 512 - T!,
      ([B]) => Math.ceil(B! / 16) * 16,
      ([B]) => 1 / B!,
    ] satisfies ((sizes: number[]) => number)[]
  ) {
    strictEqual(findTerm([of(samples[0]), of(samples[1])], samples), null, String(of));
  }
});

Deno.test("findTerms() finds all or none", () => {
  const samples = [[7, 11], [5, 13]] as const;
  deepStrictEqual(findTerms([7, 3], [5, 3], samples), [
    { factor: 1, powers: [1, 0] },
    { factor: 3, powers: [0, 0] },
  ]);
  strictEqual(findTerms([7, 8], [5, 6], samples), null); // B + 1
  strictEqual(findTerms([7], [5, 3], samples), null);
});
