import { deepStrictEqual } from "node:assert/strict";
import { formatProblem } from "@/notebook/check_notebook.ts";
import type { Cell, CodeCell } from "@/notebook/nbformat.ts";
import { findRuleBreaks, findUnformatted, formatCells } from "@/notebook/notebook_rules.ts";
import { code, notebook, text } from "./notebook_text.ts";
import { tmpdir } from "node:os";

const ran = (count: number, source: string, more: Partial<CodeCell> = {}): CodeCell => ({
  ...code(source),
  execution_count: count,
  ...more,
});
const shown = (text: string): Partial<CodeCell> => ({
  outputs: [{ output_type: "stream", name: "stdout", text: [text] }],
});
const breaks = (...cells: readonly Cell[]) =>
  findRuleBreaks(notebook(...cells), "a.ipynb").map(formatProblem);
/** Violations in a notebook that follows the rules except for `cell`. */
const around = (cell: CodeCell) =>
  breaks(
    ...[text("# Title"), { ...cell, execution_count: 1 }],
    ...[text("So:"), ran(2, "show(1)"), text("Hence:"), ran(3, "assert(true)")],
  );

Deno.test("findRuleBreaks() finds nothing in a notebook that follows the rules", () => {
  deepStrictEqual(
    breaks(
      text("# Title\n\nPurpose."),
      ran(1, 'import { run } from "@/run.ts";\nconst scores = rows.map((row) => run(row))'),
      text("So:"),
      ran(2, "strictEqual(scores.length, 3)"),
      text("Done."),
    ),
    [],
  );
});

Deno.test("findRuleBreaks() requires a title, text before each cell and an assertion at the end", () => {
  deepStrictEqual(breaks(text("No title"), ran(1, "1"), ran(2, "2")), [
    "a.ipynb: the first cell must be text that begins with a title",
    "a.ipynb cell 2: each code cell needs text before it",
    "a.ipynb cell 2: the last code cell must assert what the text claims",
  ]);
});

Deno.test("findRuleBreaks() requires short cells, half of them very short", () => {
  const long = (lines: number) =>
    Array.from({ length: lines }, (_, i) => `show(${i})`).join("\n\n");
  deepStrictEqual(around(code(long(15))), []);
  deepStrictEqual(around(code(long(16))), [
    "a.ipynb cell 1: a cell must have at most 15 lines without imports: it has 16",
  ]);
  deepStrictEqual(breaks(text("# T"), ran(1, long(5) + "\nassert(1)")), [
    "a.ipynb: the median number of lines per cell must be at most 5: it is 6",
  ]);
});

Deno.test("findRuleBreaks() requires imports in one cell and does not count their lines", () => {
  const names = Array.from({ length: 30 }, (_, i) => `  name${i},`).join("\n");
  const imports = `import {\n${names}\n} from "@/run.ts";\nimport assert from "assert";`;
  deepStrictEqual(around(code(`${imports}\nshow(1)`)), []);
  deepStrictEqual(
    breaks(text("# T"), ran(1, 'import "a.ts"'), text("t"), ran(2, 'import b from "b"\nassert(b)')),
    ["a.ipynb: all imports must be in one cell: cells 1, 2 have imports"],
  );
});

Deno.test("findRuleBreaks() rejects definitions", () => {
  const found = [
    "a.ipynb cell 1: a cell must not define functions, classes or types: move the definition to lib/",
  ];
  for (
    const source of [
      "function f() {}",
      "async function f() {}",
      "export class C {}",
      "type T = number",
      "interface T {}",
      "const f = (x: number) => x",
      "const f = (x: number): number => x",
      "const f: F = async (x) => x",
      "let f = x => x",
      "const f = function () {}",
    ]
  ) deepStrictEqual(around(code(source)), found, source);
  for (
    const source of [
      "const y = f(x, (v) => v)",
      "const { a, b } = run()",
      "const type = 3",
      "rows.map((row) => row.text)",
      "functionTable.show()",
    ]
  ) deepStrictEqual(around(code(source)), [], source);
});

Deno.test("findRuleBreaks() rejects imports with versions and absolute paths", () => {
  deepStrictEqual(around(code('import x from "npm:x@1"')), [
    "a.ipynb cell 1: imports must go through deno.json: the lock file does not see versions in cells",
  ]);
  const paths = ["a.ipynb cell 1: code and outputs must not contain absolute paths"];
  deepStrictEqual(around(code('read("/Users/me/x")')), paths);
  deepStrictEqual(around({ ...code("x"), ...shown("    at file:///opt/me/lib/x.ts:1") }), paths);
  deepStrictEqual(around({ ...code("x"), ...shown("3 rows/opt/run") }), []);
});

Deno.test("findRuleBreaks() rejects cells executed out of order, errors, colors and very long outputs", () => {
  deepStrictEqual(breaks(text("# T"), ran(2, "1"), text("t"), ran(1, "assert(1)")), [
    "a.ipynb: cells must be executed from first to last: the execution counts are 2, 1",
  ]);
  deepStrictEqual(breaks(text("# T"), code("assert(1)")), [
    "a.ipynb cell 1: the cell is not executed: run deno task notebooks",
  ]);
  deepStrictEqual(
    breaks(text("# T"), code("2", "skip-execution"), text("t"), ran(1, "assert(1)")),
    [],
  );
  const error: Partial<CodeCell> = {
    outputs: [{ output_type: "error", ename: "Error", evalue: "x", traceback: [] }],
  };
  deepStrictEqual(around({ ...code("x"), ...error }), [
    "a.ipynb cell 1: a cell must not end in an error",
  ]);
  deepStrictEqual(around({ ...code("x", "raises-exception"), ...error }), []);
  deepStrictEqual(around({ ...code("x"), ...shown("\x1b[31mred") }), [
    "a.ipynb cell 1: outputs must not contain terminal colors",
  ]);
  const picture = (metadata: Record<string, unknown>): Partial<CodeCell> => ({
    outputs: [{ output_type: "display_data", data: { "image/png": "iVBORw0KGgo=" }, metadata }],
  });
  deepStrictEqual(around({ ...code("x"), ...picture({}) }), [
    "a.ipynb cell 1: pictures need their size in the metadata: run deno task notebooks",
  ]);
  const size = { "image/png": { width: 720, height: 400 } };
  deepStrictEqual(around({ ...code("x"), ...picture(size) }), []);
  deepStrictEqual(around({ ...code("x"), ...shown("x".repeat(2_000_000)) }), [
    "a.ipynb cell 1: outputs must be smaller than 2000000 bytes: they have 2000054",
  ]);
});

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
