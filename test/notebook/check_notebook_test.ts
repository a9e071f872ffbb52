import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { checkNotebooks, formatProblem, joinCells } from "@/notebook/check_notebook.ts";
import { type Notebook, writeNotebook } from "@/notebook/nbformat.ts";
import { code, notebook, text } from "./notebook_text.ts";

/** Checks notebooks in a new folder. Returns the problems with paths relative to it. */
async function check(books: Record<string, Notebook>): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      join(folder, "deno.json"),
      `{ "compilerOptions": { "strict": true, "noUncheckedIndexedAccess": true } }`,
    );
    const paths = Object.keys(books).map((name) => join(folder, name));
    for (const [name, book] of Object.entries(books)) await writeNotebook(join(folder, name), book);
    const problems = await checkNotebooks(paths);
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    deepStrictEqual(left, ["deno.json", ...Object.keys(books)].sort(), "nothing is left behind");
    return problems.map(formatProblem).map((line) => line.replaceAll(`${folder}/`, ""));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("joinCells() returns the line at which each cell begins", () => {
  const { source, starts } = joinCells(notebook(
    text("# Title"),
    code("const a = 1;\na"),
    code("broken(", "no-check"),
    code("a + 1\n\n"),
  ));
  strictEqual(source, "const a = 1;\na\n;\na + 1\n;\nexport {};\n");
  deepStrictEqual(starts, [{ cell: 1, line: 1 }, { cell: 3, line: 4 }]);
});

Deno.test("checkNotebooks() finds nothing in notebooks whose later cells use earlier ones", async () => {
  deepStrictEqual(
    await check({
      "a.ipynb": notebook(
        code("const numbers = [1, 2];\nlet last = numbers.at(-1)"),
        code("await Promise.resolve(last)"),
      ),
      "b.ipynb": notebook(code("const numbers: string = 'another module'")),
    }),
    [],
  );
});

Deno.test("checkNotebooks() reports type errors by notebook, cell and line", async () => {
  deepStrictEqual(
    await check({
      "a.ipynb": notebook(
        code("const one: number = 1"),
        text("between"),
        code("one\n  one.length"),
      ),
      "b.ipynb": notebook(code('import { x } from "./missing.ts";\nx')),
    }).then((lines) => lines.map((line) => line.replace(/file:\S*\//, ""))),
    [
      "a.ipynb cell 2 line 2:7: TS2339: Property 'length' does not exist on type 'number'.",
      "b.ipynb cell 1 line 1:19: TS2307: Cannot find module 'missing.ts'.",
    ],
  );
});

Deno.test("checkNotebooks() reports lint and syntax errors too", async () => {
  deepStrictEqual(
    await check({ "a.ipynb": notebook(code("1"), code("\nconst v: any = 1;\nv;")) }),
    ["a.ipynb cell 2 line 2:10: no-explicit-any: `any` type is not allowed"],
  );
  deepStrictEqual(
    await check({ "a.ipynb": notebook(code("1"), code("const x = ;")) }),
    ["a.ipynb cell 2 line 1:11: SyntaxError: Expression expected"],
  );
});
