/**
 * Interactive figures: Vega-Lite for front ends that support it (JupyterLab, VS Code), with PNG and text
 * fallbacks for those that do not (GitHub).
 * @module
 */

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { DISPLAY, Figure, FONT_FAMILY } from "./figure.ts";
import { INK, PADDING, PAPER, TEXT_SIZE, TITLE_SIZE } from "./frame.ts";

/** A figure that shows details of the element under the pointer. */
export class HoverFigure {
  /** Static version, for files and for GitHub. */
  readonly figure: Figure;
  readonly spec: TopLevelSpec;

  constructor(figure: Figure, spec: TopLevelSpec) {
    this.figure = figure;
    this.spec = spec;
  }

  /**
   * MIME bundle of all versions; a front end shows the richest that it supports. The static picture is Markdown
   * rather than HTML, because JupyterLab would prefer HTML to Vega-Lite.
   */
  [DISPLAY](): Readonly<Record<string, unknown>> {
    const png = this.figure.png();
    return {
      "application/vnd.vegalite.v5+json": this.spec,
      "text/markdown": this.figure.image(png),
      "image/png": png.toBase64(),
      "text/plain": this.figure.describe(),
    };
  }
}

/** A Vega-Lite specification with a single mark. */
type UnitSpec = Extract<TopLevelSpec, { mark: unknown }>;

/** Texts of a figure. */
type HoverOptions = {
  readonly title: string;
  /** Explains how to read the drawing. */
  readonly subtitle?: string;
  /** Alternative text: the content of the figure in a sentence or two. */
  readonly alt: string;
};

/** Axis style, the same as in Observable Plot. */
const AXIS = {
  domain: false,
  gridColor: INK,
  gridOpacity: 0.1,
  labelColor: INK,
  labelFontSize: TEXT_SIZE,
  labelPadding: 3,
  tickColor: INK,
  tickSize: 6,
  titleColor: INK,
  titleFontSize: TEXT_SIZE,
  titleFontWeight: "normal",
} as const;

/** Style of {@link frameFigure} as a Vega-Lite theme. */
const THEME: NonNullable<TopLevelSpec["config"]> = {
  font: FONT_FAMILY,
  axis: AXIS,
  axisX: { grid: false, tickCount: 6, titleAnchor: "end", titlePadding: 8 },
  axisY: { titleAlign: "left", titleAnchor: "end", titleAngle: 0, titleX: -40, titleY: -14 },
  header: {
    labelAnchor: "start",
    labelColor: INK,
    labelFontSize: TEXT_SIZE,
    labelFontWeight: "bold",
    labelPadding: 24,
  },
  legend: {
    columns: 4,
    direction: "horizontal",
    labelColor: INK,
    labelFontSize: TEXT_SIZE,
    labelLimit: 240,
    orient: "bottom",
    symbolOpacity: 1,
    symbolSize: 140,
    symbolStrokeWidth: 0,
    symbolType: "square",
  },
  title: {
    anchor: "start",
    color: INK,
    fontSize: TITLE_SIZE,
    fontWeight: "bold",
    offset: 28,
    subtitleColor: INK,
    subtitleFontSize: TEXT_SIZE,
    subtitlePadding: 6,
  },
  view: { stroke: null },
};

/** Creates a figure from a Vega-Lite specification, with a static version. */
export async function hoverFigure(
  { encoding, ...spec }: Omit<UnitSpec, "title" | "description" | "$schema">,
  { title, subtitle, alt }: HoverOptions,
): Promise<HoverFigure> {
  const whole: TopLevelSpec = {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    title: subtitle === undefined ? title : { text: title, subtitle },
    description: alt,
    background: PAPER,
    padding: PADDING,
    config: THEME,
    ...spec,
    encoding: {
      ...encoding,
      ...encoding?.x && { x: addArrow(encoding.x, (title) => `${title} →`) },
      ...encoding?.y && { y: addArrow(encoding.y, (title) => `↑ ${title}`) },
      ...encoding?.color && { color: { ...encoding.color, title: null } },
    },
  };
  const view = new View(parse(compile(whole).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return new HoverFigure(new Figure({ svg, title, alt }), whole);
}

/** Adds an arrow in the direction of increasing values to the title of a quantitative axis, as Observable Plot does. */
function addArrow<T extends object>(axis: T, write: (title: string) => string): T {
  const { type, title }: { readonly type?: unknown; readonly title?: unknown } = axis;
  return type === "quantitative" && typeof title === "string"
    ? { ...axis, title: write(title) }
    : axis;
}
