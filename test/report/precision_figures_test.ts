import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  decayFigure,
  lossScaleFigure,
  roundToFormat,
  spacingAt,
  spacingFigure,
} from "@/report/figures/precision_figures.ts";
import { lossComparison } from "@/report/figures/interactive_figures.ts";
import type { RunRecord } from "@/report/readers/run_record.ts";
import { layerwiseGroups } from "@/train/layerwise.ts";
import fc from "fast-check";

/** Training lines with the given loss scales and skipped steps; the loss equals the step. */
const lines = (scales: readonly (readonly [scale: number, skipped: number])[]) =>
  scales.map(([lossScale, skipped], i): RunRecord["train"][number] => ({
    kind: "train",
    step: i + 1,
    epoch: 0,
    losses: { topics: i + 1 },
    gradientNorm: 1,
    rate: 1,
    tokens: 1,
    seconds: 1,
    lossScale,
    skipped,
  }));

Deno.test("spacingFigure() ends the line of float16 at its range", () => {
  const { svg, alt } = spacingFigure();
  // lines with 53 points for two formats, with the points from 2^-24 to 2^15 for float16
  const points = [...svg.matchAll(/ d="(M[^"]*L[^"]*)"/g)].map(([, d = ""]) => d.split("L").length)
    .filter((count) => count > 2); // paths of two points are ticks and grid lines
  deepStrictEqual(points, [53, 40, 53]);
  match(alt, /float16 has 11 significant bits from 2\^-14 to 2\^15/);
});

Deno.test("lossScaleFigure() shows changes and counts skipped steps", async () => {
  const train = lines([[1024, 1], [1024, 1], [512, 2], [512, 2], [512, 2]]);
  const { figure, spec } = await lossScaleFigure({ name: "half", record: { train } });
  strictEqual(figure.alt, "From 2^10 at step 1 to 2^9 at step 5; 2 steps were skipped.");
  const { data } = spec;
  ok(data && "values" in data && Array.isArray(data.values));
  strictEqual(data.values.length, 3); // steps 1, 3 and the last
});

Deno.test("lossComparison() averages consecutive losses if there are many", async () => {
  const train = lines(Array.from({ length: 121 }, () => [1, 0] as const));
  const { spec } = await lossComparison([{ name: "long", record: { train } }], "topics");
  const { data } = spec;
  ok(data && "values" in data && Array.isArray(data.values));
  // three losses per point: the first is the mean of 1, 2, 3 at step 3; the last is line 121 alone
  const [first, last] = [data.values[0], data.values.at(-1)].map((value) => JSON.stringify(value));
  strictEqual(data.values.length, 41);
  strictEqual(first, JSON.stringify({ run: "long", step: 3, loss: 2 }));
  strictEqual(last, JSON.stringify({ run: "long", step: 121, loss: 121 }));
});

Deno.test("decayFigure() describes the lowest and the highest learning rate", () => {
  const groups = layerwiseGroups(2, { top: 4e-5, decay: 0.5, heads: 1e-4 });
  strictEqual(
    decayFigure([{ name: "decay 0.5", groups }]).alt,
    "decay 0.5: embeddings 1e-5; heads 1e-4.",
  );
});

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
