import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  describeEmbeddings,
  l2Norm,
  pairCosines,
  projectToPlane,
  separation,
} from "@/eval/embedding_geometry.ts";

const isClose = (a: number, b: number) => Math.abs(a - b) < 1e-9;

Deno.test("describeEmbeddings() matches hand-computed values", () => {
  // lengths 5 and 10, at right angles
  const { size, l1, l2, lengthSpread, anisotropy } = describeEmbeddings([[3, 4], [8, -6]]);
  deepStrictEqual([size, l1, l2], [2, 10.5, 7.5]);
  ok(isClose(lengthSpread, 2.5 / 7.5));
  ok(isClose(anisotropy, 0));
  ok(isClose(describeEmbeddings([[1, 1], [2, 2], [5, 5]]).anisotropy, 1));
  throws(() => describeEmbeddings([[1, 2], [1, 2, 3]]), {
    name: "RangeError",
    message:
      "Cannot measure embeddings: at least two are needed, all of the same size of at least 2, but there are 2 of sizes 2, 3",
  });
});

Deno.test("pairCosines() separates pairs with the same class from the others", () => {
  const { same, other } = pairCosines([[1, 0], [2, 0], [0, 1]], ["a", "a", "b"]);
  deepStrictEqual([same, other], [[1], [0, 0]]);
});

Deno.test("separation() is the area under the ROC curve", () => {
  strictEqual(separation({ same: [0.9, 0.8], other: [0.1, 0.2, 0.3] }), 1);
  strictEqual(separation({ same: [0.5], other: [0.5, 0.1] }), 0.75); // a tie counts half
  strictEqual(separation({ same: [0], other: [1, 2] }), 0);
});

Deno.test("projectToPlane() keeps distances of points in a plane, for any rotation", () => {
  // a rectangle of 6 × 2 in a tilted plane of three dimensions
  const u = [2 / 3, 2 / 3, 1 / 3], v = [-2 / 3, 1 / 3, 2 / 3];
  const corners: readonly [number, number][] = [[-3, -1], [3, -1], [3, 1], [-3, 1]];
  const vectors = corners.map(([a, b]) => u.map((x, k) => 10 + a * x + b * (v[k] ?? 0)));
  const { points, shares } = projectToPlane(vectors);
  corners.forEach(([a, b], i) => {
    const [x, y] = points[i] ?? [NaN, NaN];
    ok(isClose(Math.abs(x), Math.abs(a)) && isClose(Math.abs(y), Math.abs(b)), `${x} ${y}`);
    ok(isClose(l2Norm([x, y]), l2Norm([a, b])));
  });
  ok(isClose(shares[0], 0.9) && isClose(shares[1], 0.1)); // 36 : 4
  deepStrictEqual(projectToPlane(vectors), { points, shares });
});
