/**
 * A figure as a value: SVG text with a title and an alternative text. It can be converted to PNG and displayed
 * as the last value of a notebook cell; it does not access files.
 *
 * A figure has the same bytes on every machine: it uses one bundled font, no clock and no locale.
 * @module
 */

import { Resvg } from "@resvg/resvg-js";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";

/** Font of all figures, with fallbacks for viewers that do not have it. */
export const FONT_FAMILY = "DejaVu Sans, Verdana, sans-serif";

/** Key of the display method that the Deno kernel looks for. */
export const DISPLAY = Symbol.for("Jupyter.display");

/** PNG pixels per SVG unit (CSS pixel). */
const PNG_SCALE = 2;

/** CSS pixels per meter; an inch has 96. */
const PIXELS_PER_METER = 96 / 0.0254;

let fonts: string[] | undefined;

/** Files of the bundled font, located when the first figure is drawn, so that other code does not need it. */
function fontFiles(): string[] {
  return fonts ??= ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((name) => {
    const place = import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`);
    if (place.startsWith("file:")) return fileURLToPath(place);
    throw new Error(
      "Cannot draw figures: their font must be in node_modules. Set " +
        '"nodeModulesDir": "auto" in the deno.json of the workspace\'s root',
    );
  });
}

/** Constructor arguments of {@link Figure}. */
export type FigureParts = {
  /** A complete SVG document. */
  readonly svg: string;
  readonly title: string;
  /** Alternative text: the content of the figure in a sentence or two. */
  readonly alt: string;
};

/** A figure. */
export class Figure {
  /** A complete SVG document. */
  readonly svg: string;
  /** Title, as drawn. */
  readonly title: string;
  /** Alternative text: the content of the figure in a sentence or two. */
  readonly alt: string;

  /** A figure from its parts. */
  constructor({ svg, title, alt }: FigureParts) {
    this.svg = svg;
    this.title = title;
    this.alt = alt;
  }

  /** Renders the figure as PNG with two pixels per SVG unit and the matching density. */
  png(): Uint8Array {
    const image = new Resvg(this.svg, {
      font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" },
      fitTo: { mode: "zoom", value: PNG_SCALE },
    });
    return addDensity(new Uint8Array(image.render().asPng()));
  }

  /** An `<img>` element of the figure at its original size, with its alternative text. */
  image(png: Uint8Array): string {
    const size = /^<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(this.svg) ?? [];
    const [width, height] = size.slice(1).map((length) => Math.round(Number(length)));
    const svg = new TextEncoder().encode(this.svg);
    const [type, bytes] = svg.length < png.length ? ["svg+xml", svg] : ["png", png];
    return `<img alt="${escapeAttribute(this.describe())}" width="${width}" height="${height}" ` +
      `src="data:image/${type};base64,${bytes.toBase64()}">`;
  }

  /** Title and alternative text: the plain-text form of the figure. */
  describe(): string {
    return `${this.title}. ${this.alt}`;
  }

  /**
   * MIME bundle for the Deno kernel: HTML with size and alternative text, PNG for front ends without HTML, and
   * plain text.
   */
  [DISPLAY](): Record<string, string> {
    const png = this.png();
    return {
      "text/html": this.image(png),
      "image/png": png.toBase64(),
      "text/plain": this.describe(),
    };
  }
}

/** Escapes text for a quoted attribute and joins its lines. */
function escapeAttribute(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/\s+/g, " ").replace(/[&<>"]/g, (character) => names[character] ?? character);
}

/**
 * Inserts the density into a PNG file as a pHYs chunk, directly after the header (PNG 3.11.3.4.3). Viewers that
 * support it show the figure at the size of its SVG.
 */
function addDensity(png: Uint8Array): Uint8Array {
  const head = 8 + 25; // signature and IHDR
  const chunk = new DataView(new ArrayBuffer(4 + 4 + 9 + 4));
  chunk.setUint32(0, 9);
  [..."pHYs"].forEach((letter, i) => chunk.setUint8(4 + i, letter.charCodeAt(0)));
  const density = Math.round(PNG_SCALE * PIXELS_PER_METER);
  chunk.setUint32(8, density);
  chunk.setUint32(12, density);
  chunk.setUint8(16, 1); // unit: meter
  chunk.setUint32(17, crc32(new Uint8Array(chunk.buffer, 4, 13)));
  const whole = new Uint8Array(png.length + chunk.byteLength);
  whole.set(png.subarray(0, head));
  whole.set(new Uint8Array(chunk.buffer), head);
  whole.set(png.subarray(head), head + chunk.byteLength);
  return whole;
}

/** Display size in CSS pixels of a PNG with a density chunk; null without one. */
export function readDisplaySize(
  png: Uint8Array,
): { readonly width: number; readonly height: number } | null {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = 8; at + 12 <= png.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (name === "IDAT") return null;
    if (name !== "pHYs" || view.getUint8(at + 16) !== 1) continue;
    const scale = (place: number) => view.getUint32(place) / PIXELS_PER_METER;
    return {
      width: Math.round(view.getUint32(16) / scale(at + 8)),
      height: Math.round(view.getUint32(20) / scale(at + 12)),
    };
  }
  return null;
}
