/**
 * Notebooks for tests, written as lists of cells.
 * @module
 */

import type { Cell, CodeCell, Notebook, Output } from "@/notebook/nbformat.ts";

/** A code cell that has not run. */
export function code(source: string, ...tags: readonly string[]): CodeCell {
  return {
    cell_type: "code",
    id: `code-${source.length}`,
    metadata: tags.length > 0 ? { tags } : {},
    source,
    execution_count: null,
    outputs: [],
  };
}

/** A cell of text. */
export function text(source: string): Cell {
  return { cell_type: "markdown", id: `text-${source.length}`, metadata: {}, source };
}

/** A notebook with these cells. */
export function notebook(...cells: readonly Cell[]): Notebook {
  return { cells };
}

/** The outputs of the code cells of a notebook. */
export function outputsOf({ cells }: Notebook): (readonly Output[])[] {
  return cells.flatMap((cell) => cell.cell_type === "code" ? [cell.outputs] : []);
}
