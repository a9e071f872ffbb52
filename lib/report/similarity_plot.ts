/**
 * The similarity matrix of the demo page, drawn in the browser: cosines or dot products of N sentences.
 * @module
 */
/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";

/** From the most unlike over 0 to the most alike. */
export const SIMILARITY_COLORS = ["#b35806", "#f4f1ec", "#08519c"] as const;

const SIZE = 460, MARGIN = 32, EDGE = 4;

/** How numbers are drawn. */
export type DrawOptions = {
  /** The value of the fullest color, on both sides of 0. */
  readonly most: number;
  /** What stands in a cell. */
  readonly write: (value: number) => string;
};

/** The largest type in which `words` fit into cells of so many columns. */
function typeSize(words: readonly string[], columns: number): number {
  const longest = Math.max(1, ...words.map(({ length }) => length));
  const cell = (SIZE - MARGIN - EDGE) / columns;
  return Math.min(18, 0.85 * cell / (0.62 * longest)); // a bold digit is 0.62 of its height wide
}

/** An SVG of [N][N] similarities, sentences by their numbers. */
export function drawSimilarities(
  values: readonly (readonly number[])[],
  { most, write }: DrawOptions,
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
    color: {
      type: "linear",
      domain: [-most, 0, most],
      range: [...SIMILARITY_COLORS],
      interpolate: "rgb",
    },
    marks: [
      Plot.cell(cells, { x: "column", y: "row", fill: "value", rx: 4 }),
      Plot.text(cells, {
        x: "column",
        y: "row",
        text: ({ value }: Cell) => write(value),
        fill: ({ value }: Cell) => Math.abs(value) > 0.55 * most ? "#ffffff" : "#1f2328",
        fontSize: typeSize(cells.map(({ value }) => write(value)), values.length),
        fontWeight: "bold",
      }),
    ],
  });
  drawn.querySelectorAll("style").forEach((style) => style.remove()); // the page's policy refuses it
  return drawn;
}
