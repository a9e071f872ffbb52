import { deepStrictEqual } from "node:assert/strict";
import { tmpdir } from "node:os";
import { formatProblem } from "@/notebook/check_notebook.ts";
import { findUnformatted, formatCells } from "@/notebook/format_cells.ts";
import { code, notebook, text } from "./notebook_text.ts";

const folder = tmpdir();
const OUTPUT = { output_type: "stream", name: "stdout", text: ["a"] } as const;

Deno.test("formatCells() formats code and text and keeps outputs", async () => {
  const book = notebook(
    text("# Title\n* one\n* two"),
    { ...code("const a=1\nawait f( a )"), execution_count: 1, outputs: [OUTPUT] },
  );
  const formatted = await formatCells(book, folder);
  deepStrictEqual(formatted.cells.map(({ source }) => source), [
    "# Title\n\n- one\n- two",
    "const a = 1;\nawait f(a);",
  ]);
  deepStrictEqual({ ...formatted.cells[1], source: "" }, { ...book.cells[1], source: "" });
  deepStrictEqual(await formatCells(formatted, folder), formatted);
});

Deno.test("findUnformatted() reports cells by their position in the notebook", async () => {
  const book = notebook(text("# Title"), code("f(1);"), code("f( 1 )"), text("Text"), code("f(1)"));
  deepStrictEqual((await findUnformatted(book, { path: "a.ipynb", folder })).map(formatProblem), [
    "a.ipynb: cells 3, 5 (of all cells) are not formatted: run deno task notebooks",
  ]);
  const good = await formatCells(book, folder);
  deepStrictEqual(await findUnformatted(good, { path: "a.ipynb", folder }), []);
});
