/**
 * The frame of all figures: title, legend and a drawing by Observable Plot, in one self-contained SVG.
 * The colors are those of Okabe and Ito, which color-blind readers can distinguish. Text and background colors
 * can be changed by a page for dark mode: through `color` of the SVG, and the rectangle of class `paper`.
 * @module
 */

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { Figure, FONT_FAMILY } from "./figure.ts";

/** Palette of Okabe and Ito 2008, ordered so that neighbors are distinct on white and on black. */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;

/** Color of the series `index`; the palette repeats after six. */
export function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? COLORS[0];
}

/** Default width of figures, in SVG units. */
const WIDTH = 720;

/** Color of text and lines on a light page. */
export const INK = "#1f2328";

/** Padding around a figure. */
export const PADDING = 16;

/** Font size of titles. */
export const TITLE_SIZE = 16;

/** Background color of a figure on a light page. */
export const PAPER = "#ffffff";

/** Font size of axis labels and legends. */
export const TEXT_SIZE = 12;

/** Width of the drawing in a figure of default width. */
export const PLOT_WIDTH = WIDTH - 2 * PADDING;

/** Margin above a drawing, so that the label of the y axis does not touch its highest tick. */
const MARGIN_TOP = 30;

/** A legend entry. */
type Swatch = { readonly label: string; readonly color: string };

/** A drawing and the texts around it. */
type FrameOptions = {
  readonly title: string;
  /** Explains how to read the drawing: meaning of lines, number of rows. */
  readonly subtitle?: string;
  readonly alt: string;
  readonly legend?: readonly Swatch[];
  /** Width of the whole figure; 720 by default. */
  readonly width?: number;
  /** Plot options without width; or several drawings side by side, each with its width. */
  readonly plot: Plot.PlotOptions | readonly Plot.PlotOptions[];
};

/** Draws `plot` with Observable Plot and adds the frame. */
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

/** Offset of a label from its swatch, and gap between a label and the next swatch. */
const SWATCH = 18, GAP = 24;

/** Breaks a legend into lines. A label wider than a line is truncated. */
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

/** Truncates a text to a width, with an ellipsis. */
function shorten(text: string, width: number): string {
  if (estimateWidth(text) <= width) return text;
  const letters = [...text];
  while (letters.length > 0 && estimateWidth(`${letters.join("")}…`) > width) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}

/** Draws one line of a legend with its baseline at `y`. */
function drawLegend(legend: readonly Swatch[], y: number): string {
  let x = PADDING;
  return legend.map(({ label, color }) => {
    const entry = `<rect x="${x}" y="${y - 10}" width="12" height="12" rx="2" fill="${color}"/>` +
      `<text x="${x + SWATCH}" y="${y}">${escapeXml(label)}</text>`;
    x += SWATCH + estimateWidth(label) + GAP;
    return entry;
  }).join("");
}

/** Estimates the width of a text at the size of axis labels, from three width classes of letters. */
export function estimateWidth(text: string): number {
  const em = [...text].reduce((sum, letter) => {
    if (/[ijlftrI1.,:;'|! ()[\]/-]/.test(letter)) return sum + 0.36;
    return sum + (/[mwMWQO@%]/.test(letter) ? 0.9 : 0.64);
  }, 0);
  return Math.ceil(em * TEXT_SIZE);
}

/** Inner content of Plot's SVG, with rounded numbers and without its style sheet. */
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

/** Rounds numbers in attribute values to three decimals; text content is not changed. */
export function roundNumbers(svg: string): string {
  return svg.replace(/<[^>]+>/g, (tag) =>
    tag.replace(
      /-?\d+\.\d{4,}(?:e-?\d+)?|-?\d+(?:\.\d+)?e-\d+/g,
      (number) => String(Number(Number(number).toFixed(3)) + 0),
    ));
}

/** Escapes text for the content of an element or for a quoted attribute. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[^\P{Cc}\t\n\r]/gu, "\ufffd") // control characters are not allowed in XML
    .replace(/[&<>"']/g, (character) => names[character] ?? character);
}
