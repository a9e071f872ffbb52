/**
 * Formats the cells of a notebook with `deno fmt`. Deno 2.9.6 reports a notebook as unformatted, and does not
 * change it, if its cells do not end with a newline. Therefore a newline is added to each cell first.
 * @module
 */

import type { Problem } from "./check_notebook.ts";
import { formatNotebook, type Notebook, parseNotebook } from "./nbformat.ts";

/** Formats the cells with the `deno.json` above `folder`; leaves outputs unchanged. */
export async function formatCells(notebook: Notebook, folder: string): Promise<Notebook> {
  const ended = notebook.cells.map((cell) => ({
    ...cell,
    source: `${cell.source.trimEnd()}\n`,
    ...cell.cell_type === "code" && { outputs: [] },
  }));
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=ipynb", "-"],
    cwd: folder,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(formatNotebook({ cells: ended })));
  await writer.close();
  const { success, stdout, stderr } = await formatter.output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`notebook cells cannot be formatted: ${decoder.decode(stderr).trim()}`);
  }
  const formatted = parseNotebook(decoder.decode(stdout), "from deno fmt");
  const cells = notebook.cells.map((cell, i) => ({
    ...cell,
    source: (formatted.cells[i]?.source ?? cell.source).trimEnd(),
  }));
  return { cells };
}

/** Reports cells that are not formatted, text cells included; `path` is the notebook's name in the message. */
export async function findUnformatted(
  notebook: Notebook,
  { path, folder }: { readonly path: string; readonly folder: string },
): Promise<readonly Problem[]> {
  const formatted = await formatCells(notebook, folder);
  const wrong = notebook.cells.flatMap(({ source }, i) =>
    source === formatted.cells[i]?.source ? [] : [i + 1]
  );
  if (wrong.length === 0) return [];
  const message = `cells ${
    wrong.join(", ")
  } (of all cells) are not formatted: run deno task notebooks`;
  return [{ path, cell: null, line: null, column: null, message }];
}
