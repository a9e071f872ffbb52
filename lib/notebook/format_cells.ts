/**
 * The cells of a notebook as `deno fmt` writes them. Deno 2.9.6 calls each notebook unformatted whose
 * cells do not end in a line end (and then leaves it as it is), so it is shown cells that do.
 * @module
 */

import type { Problem } from "./check_notebook.ts";
import { formatNotebook, type Notebook, parseNotebook } from "./nbformat.ts";

/** A notebook with its cells formatted, by the `deno.json` above `folder`; outputs are left as they are. */
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
    throw new Error(`Cannot format notebook: ${decoder.decode(stderr).trim()}`);
  }
  const formatted = parseNotebook(decoder.decode(stdout), "from deno fmt");
  const cells = notebook.cells.map((cell, i) => ({
    ...cell,
    source: (formatted.cells[i]?.source ?? cell.source).trimEnd(),
  }));
  return { cells };
}

/** Cells that are not formatted, text included; `path` names the notebook. */
export async function findUnformatted(
  notebook: Notebook,
  { path, folder }: { readonly path: string; readonly folder: string },
): Promise<readonly Problem[]> {
  const formatted = await formatCells(notebook, folder);
  const wrong = notebook.cells.flatMap(({ source }, i) =>
    source === formatted.cells[i]?.source ? [] : [i + 1]
  );
  if (wrong.length === 0) return [];
  const message =
    `cells must be formatted, run deno task notebooks: of all cells those with numbers ${
      wrong.join(", ")
    } are not`;
  return [{ path, cell: null, line: null, column: null, message }];
}
