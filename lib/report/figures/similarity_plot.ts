/**
 * Similarity matrix of the demo page, drawn in the browser: cosines or dot products of N sentences.
 * @module
 */
/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";

/** Colors of the most negative similarity, of 0 and of the most positive one. */
const COLORS = { negative: "#b35806", zero: "#f4f1ec", positive: "#08519c" } as const;

const SIZE = 460, MARGIN = 32, EDGE = 4;

/** Color scale: `domain` values, ascending, map to the colors of `range`, with linear interpolation. */
export type SimilarityScale = {
  readonly domain: readonly number[];
  readonly range: readonly string[];
};

/** Interpolates two colors: `share` 0 is `from`, 1 is `to`. Returns `#rrggbb`. */
function mix(from: string, to: string, share: number): string {
  const channel = (color: string, at: number) => parseInt(color.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map((at) =>
    Math.round(channel(from, at) + share * (channel(to, at) - channel(from, at)))
  );
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * Chooses the color scale for values. Values of one sign use the full color range between their minimum and
 * maximum. If both signs occur, 0 is neutral and each side's saturation is proportional to its distance from 0.
 */
export function similarityScale(values: readonly number[]): SimilarityScale {
  const low = Math.min(...values), high = Math.max(...values);
  const { negative, zero, positive } = COLORS;
  if (low === high) {
    const full = low < 0 ? negative : positive;
    return low === 0 ? { domain: [0, 1], range: [zero, positive] } : {
      domain: [Math.min(0, low), Math.max(0, low)],
      range: low < 0 ? [full, zero] : [zero, full],
    };
  }
  if (low >= 0) return { domain: [low, high], range: [zero, positive] };
  if (high <= 0) return { domain: [low, high], range: [negative, zero] };
  const most = Math.max(-low, high);
  return {
    domain: [low, 0, high],
    range: [mix(zero, negative, -low / most), zero, mix(zero, positive, high / most)],
  };
}

/** Color of a value on a scale. */
export function colorOf(value: number, { domain, range }: SimilarityScale): string {
  const after = Math.max(1, domain.findIndex((stop, i) => i > 0 && value <= stop));
  const from = domain[after - 1] ?? 0, to = domain[after] ?? 1;
  const share = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return mix(range[after - 1] ?? COLORS.zero, range[after] ?? COLORS.positive, share);
}

/** Relative luminance of a color (WCAG 2.2). */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Color scale and number format. */
type DrawOptions = {
  readonly scale: SimilarityScale;
  /** Formats the number in a cell. */
  readonly write: (value: number) => string;
};

/** Largest font size at which `words` fit into the cells of a matrix with so many columns. */
function typeSize(words: readonly string[], columns: number): number {
  const longest = Math.max(1, ...words.map(({ length }) => length));
  const cell = (SIZE - MARGIN - EDGE) / columns;
  return Math.min(18, 0.85 * cell / (0.62 * longest)); // the width of a bold digit is 0.62 of its height
}

/** Draws the [N][N] similarities of sentences, which are numbered from 1. */
export function drawSimilarities(
  values: readonly (readonly number[])[],
  { scale, write }: DrawOptions,
): Element {
  const names = values.map((_, i) => String(i + 1));
  const cells = values.flatMap((row, i) =>
    row.map((value, j) => ({ row: names[i] ?? "", column: names[j] ?? "", value }))
  );
  type Cell = typeof cells[number];
  const drawn = Plot.plot({
    width: SIZE,
    height: SIZE,
    margin: MARGIN,
    marginRight: EDGE,
    marginBottom: EDGE,
    padding: 0.05,
    style: { background: "transparent", fontSize: "14px" },
    x: { axis: "top", label: null, domain: names, tickSize: 0 },
    y: { label: null, domain: names, tickSize: 0 },
    color: { type: "identity" },
    marks: [
      Plot.cell(cells, {
        x: "column",
        y: "row",
        fill: ({ value }: Cell) => colorOf(value, scale),
        rx: 4,
      }),
      Plot.text(cells, {
        x: "column",
        y: "row",
        text: ({ value }: Cell) => write(value),
        // choose the text color with the higher contrast; both are equal at a luminance of 0.18
        fill: ({ value }: Cell) => luminance(colorOf(value, scale)) < 0.18 ? "#ffffff" : "#14181d",
        fontSize: typeSize(cells.map(({ value }) => write(value)), values.length),
        fontWeight: "bold",
      }),
    ],
  });
  drawn.querySelectorAll("style").forEach((style) => style.remove()); // the page's content security policy forbids it
  return drawn;
}
