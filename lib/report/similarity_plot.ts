/**
 * The similarity matrix of the demo page, drawn in the browser: cosines of N sentences.
 * @module
 */
/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";

/** An SVG of [N][N] cosines, sentences by their numbers. */
export function drawSimilarities(cosines: readonly (readonly number[])[]): Element {
  const names = cosines.map((_, i) => String(i + 1));
  const cells = cosines.flatMap((row, i) =>
    row.map((cosine, j) => ({ row: names[i] ?? "", column: names[j] ?? "", cosine }))
  );
  type Cell = typeof cells[number];
  const roomy = cosines.length <= 8;
  const drawn = Plot.plot({
    width: 460,
    height: 460,
    margin: 32,
    marginRight: 4,
    marginBottom: 4,
    padding: 0.05,
    style: { background: "transparent", fontSize: "14px" },
    x: { axis: "top", label: null, domain: names, tickSize: 0 },
    y: { label: null, domain: names, tickSize: 0 },
    color: {
      type: "linear",
      domain: [-1, 0, 1],
      range: ["#b35806", "#f4f1ec", "#08519c"],
      interpolate: "rgb",
    },
    marks: [
      Plot.cell(cells, { x: "column", y: "row", fill: "cosine", rx: 4 }),
      Plot.text(cells, {
        x: "column",
        y: "row",
        text: ({ cosine }: Cell) => cosine.toFixed(2),
        fill: ({ cosine }: Cell) => Math.abs(cosine) > 0.55 ? "#ffffff" : "#1f2328",
        fontSize: roomy ? 15 : 10,
        fontWeight: "bold",
      }),
    ],
  });
  drawn.querySelectorAll("style").forEach((style) => style.remove()); // the page's policy refuses it
  return drawn;
}
