/**
 * Tooltips for curves without a script: an invisible band per step, and a box with the values of the step that
 * the page's style sheet shows while the pointer is over the band.
 * @module
 */

import * as Plot from "@observablehq/plot";
import { estimateWidth, PAPER, TEXT_SIZE } from "./frame.ts";

/** Style sheet of a page that shows the tooltips; without it they stay invisible. */
export const HOVER_STYLE = ".tip { pointer-events: none; }\n.hover:hover .tip { opacity: 1; }\n";

/** One line of a tooltip. */
type HoverLine = { readonly text: string; readonly color?: string };

/** Values at one x coordinate; `column` and `row` select the panel of a faceted drawing. */
type HoverColumn = {
  readonly x: number;
  readonly lines: readonly HoverLine[];
  readonly column?: number;
  readonly row?: number;
};

/** Maximum number of bands per panel; more would be too narrow to point at. */
const MOST = 60;

const LINE_HEIGHT = 17, EDGE = 8, SWATCH = 16;

/** Plot mark with the tooltips. It must be the last mark, so that nothing covers it. */
export function hoverLayer(columns: readonly HoverColumn[]): Plot.Markish {
  const panels = Map.groupBy(columns, ({ column, row }) => `${column} ${row}`);
  const kept = [...panels.values()].flatMap(thin);
  const isFaceted = kept.some(({ column }) => column !== undefined);
  return Plot.dot(kept, {
    x: "x",
    ...(isFaceted && { fx: "column", fy: "row" }),
    render(index, _scales, { x: places = [] }, dimensions, { document }) {
      const layer = create(document, "g", { "aria-hidden": "true" });
      const order = [...index].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
      order.forEach((at, i) => {
        const x = places[at] ?? 0;
        const middle = (other: number | undefined, edge: number) =>
          other === undefined ? edge : (x + (places[other] ?? 0)) / 2;
        const { marginLeft, marginRight, width } = dimensions;
        const band = {
          left: middle(order[i - 1], marginLeft),
          right: middle(order[i + 1], width - marginRight),
        };
        layer.append(drawColumn(document, x, { band, lines: kept[at]?.lines ?? [], dimensions }));
      });
      return layer;
    },
  });
}

/** DOM types taken from Plot, because JSR does not accept modules that reference the DOM library. */
type SvgDocument = Plot.Context["document"];
type SvgElement = NonNullable<ReturnType<Plot.RenderFunction>>;

/** Selects at most {@link MOST} columns, always including the last. */
function thin(columns: readonly HoverColumn[]): readonly HoverColumn[] {
  const every = Math.ceil(columns.length / MOST);
  return columns.filter((_, i) => (columns.length - 1 - i) % every === 0);
}

function drawColumn(
  document: SvgDocument,
  x: number,
  { band, lines, dimensions }: {
    readonly band: { readonly left: number; readonly right: number };
    readonly lines: readonly HoverLine[];
    readonly dimensions: Plot.Dimensions;
  },
): SvgElement {
  const { marginTop, marginBottom, marginRight, width, height } = dimensions;
  const group = create(document, "g", { class: "hover" });
  group.append(create(document, "rect", {
    x: band.left,
    y: marginTop,
    width: band.right - band.left,
    height: height - marginTop - marginBottom,
    fill: "none",
    "pointer-events": "all",
  }));
  const tip = create(document, "g", { class: "tip", opacity: 0, "text-anchor": "start" });
  const widest = Math.max(
    0,
    ...lines.map(({ text, color }) => estimateWidth(text) + (color === undefined ? 0 : SWATCH)),
  );
  const box = { width: widest + 2 * EDGE, height: LINE_HEIGHT * lines.length + EDGE };
  const fits = x + EDGE + box.width <= width - marginRight;
  const left = fits ? x + EDGE : Math.max(0, x - EDGE - box.width);
  tip.append(
    create(document, "path", {
      d: `M${x},${marginTop}V${height - marginBottom}`,
      stroke: "currentColor",
      "stroke-opacity": 0.4,
    }),
    create(document, "rect", {
      class: "paper",
      x: left,
      y: marginTop,
      ...box,
      rx: 4,
      fill: PAPER,
      stroke: "currentColor",
      "stroke-opacity": 0.3,
    }),
  );
  lines.forEach(({ text, color }, i) => {
    const y = marginTop + LINE_HEIGHT * (i + 1);
    if (color !== undefined) {
      tip.append(
        create(document, "rect", {
          x: left + EDGE,
          y: y - 9,
          width: 10,
          height: 10,
          rx: 2,
          fill: color,
        }),
      );
    }
    const label = create(document, "text", {
      x: left + EDGE + (color === undefined ? 0 : SWATCH),
      y,
      fill: "currentColor",
      "font-size": TEXT_SIZE,
    });
    label.textContent = text;
    tip.append(label);
  });
  group.append(tip);
  return group;
}

function create(
  document: SvgDocument,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
): SvgElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
