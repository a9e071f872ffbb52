/**
 * The frame of all figures: title, legend and a Plot drawing in one SVG that needs no page around it.
 * Colors are Okabe and Ito's, told apart by color-blind readers; ink and paper are roles, so that a page
 * may darken them: `color` of the SVG, and the rectangle of class `paper`.
 * @module
 */

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { Figure, FONT_FAMILY } from "./figure.ts";

/** Okabe and Ito 2008, in an order that keeps neighbors apart on white and on black. */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;

/** The color of the series with number `index`; they come round after six. */
export function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? COLORS[0];
}

/** Width of most figures, in SVG units. */
const WIDTH = 720;

/** Color of text and lines on a light page. */
export const INK = "#1f2328";

/** Room around a figure. */
export const PADDING = 16;

/** Size of titles. */
export const TITLE_SIZE = 16;

/** Color behind a figure on a light page. */
export const PAPER = "#ffffff";

/** Size of axis labels and legends. */
export const TEXT_SIZE = 12;

/** Width of the drawing in a figure of the usual width. */
export const PLOT_WIDTH = WIDTH - 2 * PADDING;

/** Room above a drawing, so that the label of the y axis stands clear of its highest tick. */
const MARGIN_TOP = 30;

/** One entry of a legend. */
export type Swatch = { readonly label: string; readonly color: string };

/** A drawing and what stands around it. */
export type FrameOptions = {
  readonly title: string;
  /** Says how to read the drawing: what is thin, what is thick, over how many rows. */
  readonly subtitle?: string;
  readonly alt: string;
  readonly legend?: readonly Swatch[];
  /** Width of the whole figure; 720 by default. */
  readonly width?: number;
  /** Options of the drawing, but for its width; or of several side by side, each with its width. */
  readonly plot: Plot.PlotOptions | readonly Plot.PlotOptions[];
};

/** Draws `plot` with Observable Plot and puts the frame around it. */
export function frameFigure(options: FrameOptions): Figure {
  const { title, subtitle, alt, legend = [], width = WIDTH, plot } = options;
  const panels = plot instanceof Array ? plot : [{ ...plot, width: width - 2 * PADDING }];
  const height = Math.max(...panels.map(({ height = 300 }) => height));
  const parts: string[] = [];
  let y = PADDING + TITLE_SIZE;
  parts.push(
    `<text x="${PADDING}" y="${y}" font-size="${TITLE_SIZE}" font-weight="bold">${
      escapeXml(title)
    }</text>`,
  );
  if (subtitle !== undefined) {
    y += TEXT_SIZE + 8;
    parts.push(`<text x="${PADDING}" y="${y}" fill-opacity="0.75">${escapeXml(subtitle)}</text>`);
  }
  if (legend.length > 0) {
    const lines = breakLegend(legend, width - 2 * PADDING);
    for (const [index, line] of lines.entries()) {
      y += TEXT_SIZE + (index === 0 ? 12 : 8);
      parts.push(drawLegend(line, y));
    }
  }
  y += 12;
  let x = PADDING;
  for (const panel of panels) {
    const drawn = drawPlot({ marginTop: MARGIN_TOP, ...panel, height });
    parts.push(`<g transform="translate(${x},${y})" text-anchor="middle">`, drawn, "</g>");
    x += panel.width ?? 0;
  }
  const total = y + height + PADDING;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" class="figure" role="img" ` +
    `width="${width}" height="${total}" viewBox="0 0 ${width} ${total}" color="${INK}" ` +
    `fill="currentColor" font-family="${FONT_FAMILY}" font-size="${TEXT_SIZE}">` +
    `<title>${escapeXml(title)}</title><desc>${escapeXml(alt)}</desc>` +
    `<rect class="paper" width="${width}" height="${total}" fill="${PAPER}"/>` +
    `${parts.join("")}</svg>\n`;
  return new Figure({ svg, title, alt });
}

/** From the left of a swatch to its label, and from the end of a label to the next swatch. */
const SWATCH = 18, GAP = 24;

/** Swatches in as many lines as they need; a label too long for a line of its own is cut. */
function breakLegend(legend: readonly Swatch[], width: number): Swatch[][] {
  const lines: Swatch[][] = [[]];
  let used = 0;
  for (const { label, color } of legend) {
    const shown = shorten(label, width - SWATCH);
    const needed = SWATCH + estimateWidth(shown);
    if (used > 0 && used + needed > width) {
      lines.push([]);
      used = 0;
    }
    lines.at(-1)?.push({ label: shown, color });
    used += needed + GAP;
  }
  return lines;
}

/** A text that is at most so wide, its end left out where it has to be. */
function shorten(text: string, width: number): string {
  if (estimateWidth(text) <= width) return text;
  const letters = [...text];
  while (letters.length > 0 && estimateWidth(`${letters.join("")}…`) > width) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}

/** Swatches in one line whose text stands on `y`. */
function drawLegend(legend: readonly Swatch[], y: number): string {
  let x = PADDING;
  return legend.map(({ label, color }) => {
    const entry = `<rect x="${x}" y="${y - 10}" width="12" height="12" rx="2" fill="${color}"/>` +
      `<text x="${x + SWATCH}" y="${y}">${escapeXml(label)}</text>`;
    x += SWATCH + estimateWidth(label) + GAP;
    return entry;
  }).join("");
}

/** About how wide a text is in the size of axis labels: DejaVu's letters by thin, broad and other. */
export function estimateWidth(text: string): number {
  const em = [...text].reduce((sum, letter) => {
    if (/[ijlftrI1.,:;'|! ()[\]/-]/.test(letter)) return sum + 0.36;
    return sum + (/[mwMWQO@%]/.test(letter) ? 0.9 : 0.64);
  }, 0);
  return Math.ceil(em * TEXT_SIZE);
}

/** The inside of Plot's SVG, numbers rounded, without its style sheet. */
function drawPlot(options: Plot.PlotOptions): string {
  const page = parseHTML("<!doctype html><html><body></body></html>");
  const document: Plot.Context["document"] = Reflect.get(page, "document"); // typed without the DOM library
  const drawn: { readonly outerHTML: string } = Plot.plot({
    ...options,
    document,
    className: "plot",
    style: { fontSize: `${TEXT_SIZE}px` },
  });
  const inside = drawn.outerHTML
    .replace(/<style>[\s\S]*?<\/style>/, "")
    .replace(/^<svg[^>]*>/, "")
    .replace(/<\/svg>\s*$/, "");
  if (/<svg|<figure|url\(/.test(inside)) {
    throw new TypeError(`internal: a drawing must be plain marks: ${inside.slice(0, 80)}`);
  }
  return roundNumbers(inside);
}

/** Attribute values with numbers of at most three decimals; texts are left as they are. */
export function roundNumbers(svg: string): string {
  return svg.replace(/<[^>]+>/g, (tag) =>
    tag.replace(
      /-?\d+\.\d{4,}(?:e-?\d+)?|-?\d+(?:\.\d+)?e-\d+/g,
      (number) => String(Number(Number(number).toFixed(3)) + 0),
    ));
}

/** Text for the inside of an element or of a quoted attribute. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[^\P{Cc}\t\n\r]/gu, "\ufffd") // control characters, which XML cannot hold
    .replace(/[&<>"']/g, (character) => names[character] ?? character);
}
