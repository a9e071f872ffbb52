/**
 * Figures for half precision: spacing of number formats, loss scale; and learning rates by layer. Formats are described by
 * their bits (IEEE 754-2019, section 3.6; bfloat16 as in Kalamkar et al., arXiv 1905.12322v3).
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { LayerwiseGroup } from "@/train/layerwise.ts";
import type { Figure } from "./figure.ts";
import { formatRate } from "../format.ts";
import { colorOf, COLORS, frameFigure } from "./frame.ts";
import { type HoverFigure, hoverFigure } from "./hover_figure.ts";
import type { NamedRecord } from "./interactive_figures.ts";

const FORMATS: readonly FormatName[] = ["float32", "float16", "bfloat16"];

/** Range of exponents that {@link spacingFigure} shows. */
const FROM = -32, TO = 20;

/** Relative spacing of neighboring numbers in each number format. */
export function spacingFigure(): Figure {
  const points = FORMATS.flatMap((format) =>
    Array.from({ length: TO - FROM + 1 }, (_, i) => {
      const exponent = FROM + i;
      const share = spacingAt(2 ** exponent, format) / 2 ** exponent;
      return { format, exponent, share: Math.log2(share) };
    }).filter(({ share }) => Number.isFinite(share) && share <= 0)
  );
  const { digits, leastExponent } = NUMBER_FORMATS.float16;
  return frameFigure({
    title: "Precision of number formats",
    subtitle:
      "Relative distance to the next number. A line ends where the range of the format ends.",
    alt:
      `float16 has ${digits} significant bits from 2^${leastExponent} to 2^15 and gradually fewer down to 2^-24; ` +
      `bfloat16 has 8 and float32 has 24 over the whole range shown.`,
    legend: FORMATS.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 300,
      marginLeft: 56,
      marginBottom: 40,
      x: {
        label: "Size of the number",
        domain: [FROM, TO],
        tickFormat: (e: number) => `2^${e}`,
        ticks: 7,
      },
      y: {
        label: "Relative distance to the next number",
        domain: [-25, 0],
        tickFormat: (e: number) => e === 0 ? "1" : `2^${e}`,
        grid: true,
        ticks: 6,
      },
      color: { type: "categorical", domain: FORMATS, range: FORMATS.map((_, i) => colorOf(i)) },
      marks: [
        Plot.line(points, {
          x: "exponent",
          y: "share",
          z: "format",
          stroke: "format",
          strokeWidth: 2.5,
        }),
      ],
    },
  });
}

/** Loss scale by step on a log2 axis, with a dot at each change. */
export async function lossScaleFigure({ name, record }: NamedRecord): Promise<HoverFigure> {
  let before = 0;
  const values = record.train.flatMap(({ step, lossScale, skipped }) => {
    if (lossScale === undefined || skipped === undefined) return [];
    const more = skipped - before;
    before = skipped;
    return [{ step, doublings: Math.log2(lossScale), scale: lossScale, skipped: more }];
  });
  const [first, last] = [values[0], values.at(-1)];
  const changes = values.filter((value, i) =>
    value === last || value.scale !== values[i - 1]?.scale
  );
  return await hoverFigure({
    width: 560,
    height: 260,
    data: { values: changes },
    mark: {
      type: "line",
      interpolate: "step-after",
      point: { size: 45, color: COLORS[0] },
      color: COLORS[0],
    },
    encoding: {
      x: { field: "step", type: "quantitative", title: "Step" },
      y: {
        field: "doublings",
        type: "quantitative",
        title: "Loss scale (power of two)",
        scale: { zero: false },
        axis: { format: "d", tickMinStep: 1 },
      },
      tooltip: [{ field: "step" }, { field: "scale", title: "loss scale" }, {
        field: "skipped",
        title: "steps skipped since the previous point",
      }],
    },
  }, {
    title: `Loss scale, ${name}`,
    alt: first === undefined || last === undefined
      ? "The run had no loss scale."
      : `From 2^${first.doublings} at step ${first.step} to 2^${last.doublings} at step ${last.step}; ${before} steps were skipped.`,
  });
}

/** Peak learning rates from the embeddings to the heads under several layer decays. */
export function decayFigure(
  plans: readonly { readonly name: string; readonly groups: readonly LayerwiseGroup[] }[],
): Figure {
  const places = plans[0]?.groups.map(({ name }) => name) ?? [];
  const points = plans.flatMap(({ name, groups }) =>
    groups.map((group) => ({ plan: name, place: group.name, rate: group.learningRate }))
  );
  const names = plans.map(({ name }) => name);
  return frameFigure({
    title: "Peak learning rate by layer",
    subtitle: "From the embeddings up to the heads, on a logarithmic scale.",
    alt: plans.map(({ name, groups }) =>
      `${name}: embeddings ${formatRate(groups[0]?.learningRate ?? 0)}`
    )
      .join("; ") + `; heads ${formatRate(plans[0]?.groups.at(-1)?.learningRate ?? 0)}.`,
    legend: names.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 300,
      marginLeft: 64,
      marginBottom: 80,
      x: { label: null, type: "point", domain: places, tickRotate: -40 },
      y: { label: "Peak learning rate", type: "log", grid: true, tickFormat: formatRate, ticks: 4 },
      color: {
        type: "categorical",
        domain: names,
        range: names.map((_, i) =>
          colorOf(i)
        ),
      },
      marks: [
        Plot.line(points, { x: "place", y: "rate", z: "plan", stroke: "plan", strokeWidth: 2 }),
        Plot.dot(points, { x: "place", y: "rate", fill: "plan", r: 3.5 }),
      ],
    },
  });
}

/** Parameters of a format: digits of the significand, including the leading one, and the exponent range. */
type NumberFormat = {
  readonly digits: number;
  /** Exponent of the smallest normal number, base 2. */
  readonly leastExponent: number;
  /** Exponent of the largest number, base 2. */
  readonly mostExponent: number;
};

/** The formats by name. */
const NUMBER_FORMATS = {
  float32: { digits: 24, leastExponent: -126, mostExponent: 127 },
  bfloat16: { digits: 8, leastExponent: -126, mostExponent: 127 },
  float16: { digits: 11, leastExponent: -14, mostExponent: 15 },
} as const satisfies Readonly<Record<string, NumberFormat>>;
/** One of {@link NUMBER_FORMATS}. */
type FormatName = keyof typeof NUMBER_FORMATS;

/** The largest finite number. */
function largestNumber(name: FormatName): number {
  const { digits, mostExponent } = NUMBER_FORMATS[name];
  return (2 - 2 ** (1 - digits)) * 2 ** mostExponent;
}

/** Distance between neighboring numbers around a value; infinite beyond the largest number. */
export function spacingAt(value: number, name: FormatName): number {
  const { digits, leastExponent } = NUMBER_FORMATS[name];
  if (Math.abs(value) > largestNumber(name)) return Infinity;
  return 2 ** (Math.max(exponentOf(value), leastExponent) - digits + 1);
}

/** The nearest number of a format, ties to even; infinite beyond its range. */
export function roundToFormat(value: number, name: FormatName): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const { digits, leastExponent } = NUMBER_FORMATS[name];
  const unit = 2 ** (Math.max(exponentOf(value), leastExponent) - digits + 1);
  const rounded = roundHalfEven(Math.abs(value) / unit) * unit;
  return Math.sign(value) * (rounded > largestNumber(name) ? Infinity : rounded);
}

/** Exponent of the power of two at or below |value|; for 0, the smallest exponent of a double. */
function exponentOf(value: number): number {
  const size = Math.abs(value);
  if (size === 0) return -1074;
  const guess = Math.floor(Math.log2(size));
  return 2 ** guess > size ? guess - 1 : 2 ** (guess + 1) <= size ? guess + 1 : guess;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value), rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
