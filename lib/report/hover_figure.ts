/**
 * Figures worth hovering over: Vega-Lite for front ends that draw it (JupyterLab, VS Code), with a PNG and
 * a text beside it for those that do not (GitHub).
 * @module
 */

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { DISPLAY, Figure, FONT_FAMILY } from "./figure.ts";

/** A drawing that shows the row under the pointer. */
export class HoverFigure {
  /** The picture without hovering, for files and for GitHub. */
  readonly figure: Figure;
  readonly spec: TopLevelSpec;

  constructor(figure: Figure, spec: TopLevelSpec) {
    this.figure = figure;
    this.spec = spec;
  }

  /** A bundle of all forms: each front end shows the richest that it can. */
  [DISPLAY](): Readonly<Record<string, unknown>> {
    return {
      "application/vnd.vegalite.v5+json": this.spec,
      "image/png": this.figure.png().toBase64(),
      "text/plain": `${this.figure.title}. ${this.figure.alt}`,
    };
  }
}

/** A drawing of one mark. */
type UnitSpec = Extract<TopLevelSpec, { mark: unknown }>;

/** What a figure says besides its drawing. */
export type HoverOptions = {
  readonly title: string;
  /** What one who cannot see the figure should know of it. */
  readonly alt: string;
};

/** Draws a Vega-Lite specification once for its picture and keeps it for hovering. */
export async function hoverFigure(
  spec: Omit<UnitSpec, "title" | "description" | "$schema">,
  { title, alt }: HoverOptions,
): Promise<HoverFigure> {
  const whole: TopLevelSpec = {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    title,
    description: alt,
    background: "#ffffff",
    padding: 16,
    config: {
      font: FONT_FAMILY,
      title: { fontSize: 16, anchor: "start" },
      axis: { labelFontSize: 12 },
    },
    ...spec,
  };
  const view = new View(parse(compile(whole).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return new HoverFigure(new Figure({ svg, title, alt }), whole);
}
