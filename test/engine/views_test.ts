import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  composeViews,
  identityView,
  isContiguous,
  sizeOf,
  splitView,
  stridedView,
  type View,
  viewIndices,
} from "@/engine/views.ts";

Deno.test("viewIndices() reads a transposed 2 x 3 array column by column", () => {
  // rows of 3: [0 1 2; 3 4 5], columns are 0 3, 1 4, 2 5
  deepStrictEqual([...viewIndices(stridedView([3, 2], [1, 3]))], [0, 3, 1, 4, 2, 5]);
});

Deno.test("composeViews() composes the split into heads and their transposition into one view", () => {
  // [4, 6] -> [2, 2, 2, 3] -> permuted to [2, 2(heads), 2(tokens), 3]
  const split = identityView([4, 6]);
  const permuted = stridedView([2, 2, 2, 3], [12, 3, 6, 1]);
  deepStrictEqual(composeViews(permuted, split), permuted);
});

Deno.test("composeViews() returns null for digits that do not align", () => {
  // the transposed [3, 2] array cut into [2, 3] cannot be one strided map
  strictEqual(composeViews(stridedView([3, 2], [1, 3]), stridedView([3, 2], [1, 3])), null);
});

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

/** A random view of an array of `size` elements: permutes, slices or broadcasts a factorization of its shape. */
const viewsOf = (size: number): fc.Arbitrary<View> =>
  fc.record({ seed: fc.integer({ min: 0, max: 1e9 }), kind: fc.integer({ min: 0, max: 2 }) }).map(
    ({ seed, kind }) => {
      const factors: number[] = [];
      let rest = size, state = seed;
      for (let f = 2; rest > 1; f++) while (rest % f === 0) (factors.push(f), rest /= f);
      const strides = factors.map((_, i) => sizeOf(factors.slice(i + 1)));
      const order = factors.map((_, i) => i).sort((i, j) => {
        state = (state * 1103515245 + 12345) % 2147483648;
        return (state % 3) - 1 || i - j;
      });
      if (kind === 0) {
        return stridedView(
          order.map((i) => factors[i]!),
          order.map((i) => strides[i]!),
        );
      }
      if (kind === 1 && factors.length > 0) {
        const sizes = factors.map((f, i) => i === seed % factors.length ? f - 1 : f);
        return stridedView(sizes, strides, strides[seed % factors.length]!);
      }
      return stridedView([3, ...factors], [0, ...strides]);
    },
  );

Deno.test("composeViews() reads the same elements as the two views in sequence", () => {
  let composed = 0, total = 0;
  fc.assert(
    fc.property(
      shapes.chain((shape) => viewsOf(sizeOf(shape))).chain((inner) =>
        fc.tuple(fc.constant(inner), viewsOf(viewIndices(inner).length))
      ),
      ([inner, outer]) => {
        total++;
        const one = composeViews(outer, inner);
        if (one === null) return;
        composed++;
        const elements = viewIndices(inner);
        deepStrictEqual([...viewIndices(one)], [...viewIndices(outer)].map((i) => elements[i]));
      },
    ),
    { numRuns: 1000 },
  );
  ok(composed > total / 3, `only ${composed} of ${total} composed`);
});

Deno.test("splitView() assigns its digits to each axis", () => {
  // 24 elements as (6, 1)(4, 6): for [2, 3, 4] the first digit is split into 2 and 3
  deepStrictEqual(
    splitView({ digits: [{ size: 6, stride: 1 }, { size: 4, stride: 6 }], offset: 0 }, [2, 3, 4]),
    [[{ size: 2, stride: 3 }], [{ size: 3, stride: 1 }], [{ size: 4, stride: 6 }]],
  );
  strictEqual(splitView({ digits: [{ size: 6, stride: 1 }], offset: 0 }, [4, 2]), null);
  // a view without elements can be split in any way
  deepStrictEqual(splitView(identityView([2, 0, 3]), [2, 0, 3]), [[], [], []]);
});

Deno.test("isContiguous() is true only for arrays in row-major order", () => {
  ok(isContiguous(identityView([2, 3]), 6));
  ok(!isContiguous(stridedView([3, 2], [1, 3]), 6));
  ok(!isContiguous(stridedView([2], [3]), 2));
  ok(!isContiguous(stridedView([6], [1], 1), 6));
});
