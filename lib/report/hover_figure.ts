/**
 * Figures worth hovering over: Vega-Lite for front ends that draw it (JupyterLab, VS Code), with a PNG and
 * a text beside it for those that do not (GitHub).
 * @module
 */

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { DISPLAY, Figure, FONT_FAMILY } from "./figure.ts";
import { INK, PADDING, PAPER, TEXT_SIZE, TITLE_SIZE } from "./frame.ts";

/** A drawing that shows the row under the pointer. */
export class HoverFigure {
  /** The picture without hovering, for files and for GitHub. */
  readonly figure: Figure;
  readonly spec: TopLevelSpec;

  constructor(figure: Figure, spec: TopLevelSpec) {
    this.figure = figure;
    this.spec = spec;
  }

  /**
   * A bundle of all forms: each front end shows the richest that it can. The picture is Markdown and not HTML,
   * which JupyterLab would take before Vega-Lite.
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

/** A drawing of one mark. */
type UnitSpec = Extract<TopLevelSpec, { mark: unknown }>;

/** What a figure says besides its drawing. */
export type HoverOptions = {
  readonly title: string;
  /** Says how to read the drawing. */
  readonly subtitle?: string;
  /** What one who cannot see the figure should know of it. */
  readonly alt: string;
};

/** Lines and texts of all axes, as Observable Plot draws them. */
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

/** The look of the other figures: {@link frameFigure}. */
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

/** Draws a Vega-Lite specification once for its picture and keeps it for hovering. */
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

/** An axis whose title says in which direction it rises, as Observable Plot's do; names have no direction. */
function addArrow<T extends object>(axis: T, write: (title: string) => string): T {
  const { type, title }: { readonly type?: unknown; readonly title?: unknown } = axis;
  return type === "quantitative" && typeof title === "string"
    ? { ...axis, title: write(title) }
    : axis;
}
