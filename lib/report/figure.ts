/**
 * A figure as a value: SVG text with a title and a description. It knows how to become a PNG and how to
 * show itself as the last value of a notebook cell, and nothing of files.
 *
 * The same figure is the same bytes on every machine: one bundled font, no clock, no locale.
 * @module
 */

import { Resvg } from "@resvg/resvg-js";
import { fileURLToPath } from "node:url";

/** The font of all figures, in an order that has it wherever it is not bundled. */
export const FONT_FAMILY = "DejaVu Sans, Verdana, sans-serif";

/** The method's name that the Deno kernel looks for. */
export const DISPLAY = Symbol.for("Jupyter.display");

/** Pixels of the PNG to a unit of the SVG. */
const PNG_SCALE = 2;

let fonts: string[] | undefined;

/** Files of the bundled font, looked up when a figure is first drawn: who draws none needs none. */
function fontFiles(): string[] {
  return fonts ??= ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((name) => {
    const place = import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`);
    if (place.startsWith("file:")) return fileURLToPath(place);
    throw new Error(
      "Cannot draw figures as packages must lie in node_modules: set " +
        '"nodeModulesDir": "auto" in the deno.json of the workspace\'s root',
    );
  });
}

/** What {@link Figure} is made of. */
export type FigureParts = {
  /** A whole SVG document. */
  readonly svg: string;
  readonly title: string;
  /** What one who cannot see the figure should know of it, in a sentence or two. */
  readonly alt: string;
};

/** A picture of numbers. */
export class Figure {
  readonly svg: string;
  readonly title: string;
  readonly alt: string;

  constructor({ svg, title, alt }: FigureParts) {
    this.svg = svg;
    this.title = title;
    this.alt = alt;
  }

  /** The figure as a PNG file, two pixels to a unit. */
  png(): Uint8Array {
    const image = new Resvg(this.svg, {
      font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" },
      fitTo: { mode: "zoom", value: PNG_SCALE },
    });
    return new Uint8Array(image.render().asPng());
  }

  /** What the Deno kernel shows: PNG, which every front end and GitHub draw, and text. */
  [DISPLAY](): Record<string, string> {
    return { "image/png": this.png().toBase64(), "text/plain": `${this.title}: ${this.alt}` };
  }
}
