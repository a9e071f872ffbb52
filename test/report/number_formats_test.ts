import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { roundToFormat, spacingAt } from "@/report/figures/number_formats.ts";

/** Doubles of all magnitudes, and some near the limits of the formats. */
const numbers = fc.oneof(
  fc.double({ noNaN: true }),
  fc.double({ min: -70000, max: 70000, noNaN: true }),
  fc.double({ min: -1e-4, max: 1e-4, noNaN: true }),
);

/** The upper half of a float32 as bfloat16, rounded to even bitwise. */
function roundUpperHalf(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  const rounded = (bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000;
  view.setUint32(0, rounded >>> 0);
  return view.getFloat32(0);
}

Deno.test("roundToFormat() agrees with the machine's float32 and float16, bit for bit", () => {
  fc.assert(
    fc.property(numbers, (value) => {
      strictEqual(roundToFormat(value, "float32"), Math.fround(value));
      strictEqual(roundToFormat(value, "float16"), Math.f16round(value));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("roundToFormat() rounds float32 to bfloat16 as bitwise rounding does", () => {
  fc.assert(
    fc.property(numbers.map(Math.fround).filter(Number.isFinite), (value) => {
      strictEqual(roundToFormat(value, "bfloat16"), roundUpperHalf(value));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("largest numbers and spacing of the number formats", () => {
  strictEqual(roundToFormat(65519, "float16"), 65504);
  strictEqual(roundToFormat(65520, "float16"), Infinity);
  strictEqual(roundToFormat(3.4028235e38, "float32"), 3.4028234663852886e38);
  strictEqual(spacingAt(1, "bfloat16"), 2 ** -7);
  strictEqual(spacingAt(2048, "float16"), 2);
  strictEqual(spacingAt(0, "float16"), 2 ** -24);
  strictEqual(spacingAt(0, "bfloat16"), 2 ** -133);
  strictEqual(spacingAt(1e5, "float16"), Infinity);
});
