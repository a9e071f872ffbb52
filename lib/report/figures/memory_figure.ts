/**
 * The memory plan of a compiled program: a box for each block of its arena, over the instructions that it is alive
 * and the bytes that it takes.
 * @module
 */
import * as Plot from "@observablehq/plot";
import type { Figure } from "./figure.ts";
import { colorOf, estimateWidth, frameFigure, PLOT_WIDTH } from "./frame.ts";

/** A block of an arena. */
type MemoryBox = {
  readonly label: string;
  readonly offset: number;
  readonly bytes: number;
  /** First and last instruction that uses it. */
  readonly first: number;
  readonly last: number;
  /** True for scratch memory of an instruction, false for a value. */
  readonly isScratch: boolean;
};

/** Height of the drawing and of a label in it. */
const HEIGHT = 320, LABEL = 14;

/** Margins of the drawing. */
const LEFT = 64, RIGHT = 12;

/** Draws the blocks of an arena of `arenaBytes` in a program of `instructions` instructions. */
export function memoryFigure(
  boxes: readonly MemoryBox[],
  { arenaBytes, instructions }: { readonly arenaBytes: number; readonly instructions: number },
): Figure {
  const [unit, name] = arenaBytes < 4096
    ? [1, "bytes"]
    : arenaBytes < 64 * 1024 ** 2
    ? [1024, "KiB"]
    : [1024 ** 2, "MiB"];
  const column = (PLOT_WIDTH - LEFT - RIGHT) / instructions;
  const rows = boxes.map(({ offset, bytes, first, last, label, isScratch }, i) => ({
    x1: first - 0.5,
    x2: last + 0.5,
    y1: offset / unit,
    y2: (offset + bytes) / unit,
    color: isScratch ? "#8b949e" : colorOf(i),
    label: bytes / arenaBytes * (HEIGHT - 70) > LABEL &&
        (last - first + 1) * column > estimateWidth(label) + 4
      ? label
      : "",
  }));
  const apart = boxes.reduce((sum, { bytes }) => sum + bytes, 0);
  const size = (bytes: number) => `${Math.round(10 * bytes / unit) / 10} ${name}`;
  return frameFigure({
    title: "Memory plan",
    subtitle: "Each box is a block of the arena; blocks that are never alive together share bytes.",
    alt: `${boxes.length} blocks of ${size(apart)} together share an arena of ${
      size(arenaBytes)
    } over ${instructions} instructions.`,
    plot: {
      height: HEIGHT,
      marginLeft: LEFT,
      marginRight: RIGHT,
      marginBottom: 40,
      x: {
        label: "Instruction",
        domain: [-0.5, instructions - 0.5],
        ticks: Math.min(10, instructions),
        tickFormat: "d",
        labelAnchor: "center",
      },
      y: { label: `Place in the arena (${name})`, domain: [0, arenaBytes / unit], grid: true },
      marks: [
        Plot.rect(rows, {
          ...{ x1: "x1", x2: "x2", y1: "y1", y2: "y2", fill: "color", fillOpacity: 0.55 },
          ...{ stroke: "color", strokeWidth: 1, inset: 0.5 },
        }),
        Plot.text(rows.filter(({ label }) => label !== ""), {
          x: ({ x1, x2 }) => (x1 + x2) / 2,
          y: ({ y1, y2 }) => (y1 + y2) / 2,
          text: "label",
          fill: "currentColor",
        }),
        Plot.ruleY([0]),
      ],
    },
  });
}
