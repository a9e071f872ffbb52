import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatNotebook, type Notebook, readNotebook, writeNotebook } from "@/notebook/nbformat.ts";
import { runNotebook } from "@/notebook/run_notebook.ts";
import { code, notebook, outputsOf, text } from "./notebook_text.ts";

const run = (book: Notebook, timeoutMs = 60_000) =>
  runNotebook(book, { folder: tmpdir(), timeoutMs });

Deno.test("runNotebook() collects streams, results and displays in order, without colors", async () => {
  const seen: [number, number][] = [];
  const { notebook: done, failure, cells } = await runNotebook(
    notebook(
      text("# Title"),
      code(
        `console.log("a\\nb"); console.log("%cc", "color: red"); console.error("\\x1b[31md\\x1b[0m"); 1 + 1`,
      ),
      code(`const before: number = 40; before + 2;`),
      code("  "),
      code("throw 1", "skip-execution"),
      code(`({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<b>x</b>\\ny" }) })`),
    ),
    { folder: tmpdir(), onCell: (cell, total) => seen.push([cell, total]) },
  );
  strictEqual(failure, null);
  strictEqual(cells, 3);
  deepStrictEqual(seen, [[1, 5], [2, 5], [5, 5]]);
  deepStrictEqual(outputsOf(done), [
    [
      { output_type: "stream", name: "stdout", text: ["a\n", "b\n", "c\n"] },
      { output_type: "stream", name: "stderr", text: ["d\n"] },
      {
        output_type: "execute_result",
        execution_count: 1,
        data: { "text/plain": ["2"] },
        metadata: {},
      },
    ],
    [{
      output_type: "execute_result",
      execution_count: 2,
      data: { "text/plain": ["42"] },
      metadata: {},
    }],
    [],
    [],
    [{
      output_type: "execute_result",
      execution_count: 3,
      data: { "text/html": ["<b>x</b>\n", "y"] },
      metadata: {},
    }],
  ]);
});

Deno.test("runNotebook() updates a display in place, also from a later cell", async () => {
  const show = (text: string, update: boolean) =>
    `await Deno.jupyter.display({ "text/plain": "${text}" }, { raw: true, display_id: "bar", update: ${update} }); undefined`;
  const { notebook: done } = await run(notebook(
    code(`${show("1 of 3", false)};\n${show("2 of 3", true)}`),
    code(show("3 of 3", true)),
  ));
  deepStrictEqual(outputsOf(done), [
    [{ output_type: "display_data", data: { "text/plain": ["3 of 3"] }, metadata: {} }],
    [],
  ]);
});

Deno.test("runNotebook() loses none of many fast outputs and is byte-identical when repeated", async () => {
  const burst = (cell: number) =>
    `for (let i = 0; i < 30; i++) {
  console.log("cell ${cell} line", i);
  await Deno.jupyter.display({ "text/plain": "display " + i }, { raw: true });
}
"end of ${cell}"`;
  const book = notebook(...Array.from({ length: 8 }, (_, cell) => code(burst(cell))));
  const first = await run(book);
  for (const [cell, outputs] of outputsOf(first.notebook).entries()) {
    const words = outputs.map((output) =>
      output.output_type === "stream"
        ? output.text.join("")
        : output.output_type === "error"
        ? output.evalue
        : String(output.data["text/plain"])
    );
    deepStrictEqual(words, [
      ...Array.from({ length: 30 }, (_, i) => [`cell ${cell} line ${i}\n`, `display ${i}`]).flat(),
      `"end of ${cell}"`,
    ]);
  }
  const again = await run(first.notebook);
  strictEqual(formatNotebook(again.notebook), formatNotebook(first.notebook));
});

Deno.test("runNotebook() stops at a cell that throws, names it and leaves later cells empty", async () => {
  const { notebook: done, failure, cells } = await run(notebook(
    code("1"),
    code(`console.log("so far");\nthrow new RangeError("too far")`),
    code("3"),
  ));
  strictEqual(cells, 1);
  strictEqual(failure?.cell, 2);
  match(failure?.message ?? "", /^RangeError: too far\n/);
  const [, second, third] = outputsOf(done);
  deepStrictEqual(second?.map((output) => output.output_type), ["stream", "error"]);
  deepStrictEqual(third, []);
});

Deno.test("runNotebook() reports the position of a syntax error", async () => {
  const { notebook: done, failure } = await run(notebook(code(`const right = 1;\nconst x = ;`)));
  deepStrictEqual(failure, {
    cell: 1,
    message: "SyntaxError: Expression expected (line 2, column 11)",
  });
  deepStrictEqual(outputsOf(done), [[{
    output_type: "error",
    ename: "SyntaxError",
    evalue: "SyntaxError: Expression expected (line 2, column 11)",
    traceback: [],
  }]]);
});

Deno.test("runNotebook() continues after a cell that must throw, and fails if it does not throw", async () => {
  const { failure, cells } = await run(notebook(
    code(`throw new Error("as promised")`, "raises-exception"),
    code("const fine = 1;", "raises-exception"),
  ));
  strictEqual(cells, 1);
  deepStrictEqual(failure, {
    cell: 2,
    message: "the cell must throw, by its tag raises-exception, and did not",
  });
});

Deno.test("runNotebook() ends a cell that exceeds the time limit, idle or busy", async () => {
  for (const source of ["await new Promise(() => setInterval(() => {}, 1000))", "for (;;);"]) {
    const { failure, cells } = await run(notebook(code("1"), code(source), code("3")), 1500);
    deepStrictEqual(failure, { cell: 2, message: "the cell did not end within 1.5 s" });
    strictEqual(cells, 1);
  }
});

Deno.test("runNotebook() reports a kernel that dies, with its last output", async () => {
  const { failure } = await run(notebook(code(
    `await Deno.writeTextFile("/dev/stderr", "no memory\\n"); // as native code does
Deno.exit(3);`,
  )));
  strictEqual(failure?.cell, 1);
  strictEqual(
    failure?.message,
    "the kernel has ended (exit code 3): no memory",
  );
});

const LATE: readonly (readonly [name: string, cells: string[], failure: object, passed: number])[] =
  [
    [
      "a timer in its own cell",
      [`setTimeout(() => { throw new Error("boiled over"); }, 30); await sleep(60_000);`],
      { cell: 1, message: "Error: boiled over" },
      0,
    ],
    [
      "a timer while a later cell waits",
      [`setTimeout(() => { throw new Error("boiled over"); }, 100);`, "await sleep(60_000);"],
      { cell: 1, message: "Error: boiled over" },
      1,
    ],
    [
      "a timer while a later cell is busy",
      [
        `setTimeout(() => { throw new RangeError("far"); }, 50);`,
        "const start = performance.now(); while (performance.now() - start < 300); await sleep(60_000);",
      ],
      { cell: 1, message: "RangeError: far" },
      1,
    ],
    [
      "a timer after the last cell",
      ["1;", `setTimeout(() => { throw new Error("boiled over"); }, 400);`],
      { cell: 2, message: "Error: boiled over" },
      2,
    ],
    [
      "a promise that a later cell outlives",
      [
        `(async () => { await sleep(100); throw new TypeError("cold"); })();`,
        "await sleep(60_000);",
      ],
      { cell: 1, message: "TypeError: cold" },
      1,
    ],
    [
      "an interval after the last cell",
      [
        `let ticks = 0;
setInterval(() => { if (++ticks === 3) throw new Error("boiled over"); }, 200);`,
      ],
      { cell: 1, message: "Error: boiled over" },
      1,
    ],
    [
      "a timer that a timer sets after the last cell",
      [`setTimeout(() => setTimeout(() => { throw new Error("boiled over"); }, 700), 300);`],
      { cell: 1, message: "Error: boiled over" },
      1,
    ],
    [
      "a program that ends after the last cell",
      [
        `new Deno.Command("sleep", { args: ["0.2"] }).output().then(() => { throw { code: 7 }; });`,
      ],
      { cell: 1, message: "{ code: 7 }" },
      1,
    ],
    ["a rejection without an error", [`Promise.reject("cold"); await sleep(60_000);`], {
      cell: 1,
      message: "cold",
    }, 0],
    ["the end of the process after the last cell", ["setTimeout(() => Deno.exit(0), 200);"], {
      cell: 1,
      message: "the kernel has ended (exit code 0)",
    }, 1],
  ];

for (const [name, cells, failure, passed] of LATE) {
  Deno.test(`runNotebook() fails immediately on an unhandled error of ${name}`, async () => {
    const book = notebook(
      ...cells.map((source, i) =>
        code(
          `${i === 0 ? `const sleep = (ms) => new Promise((done) => setTimeout(done, ms));\n` : ""}
${source} undefined`,
        )
      ),
    );
    const startMs = performance.now();
    const done = await run(book);
    deepStrictEqual({ failure: done.failure, cells: done.cells }, { failure, cells: passed });
    ok(performance.now() - startMs < 25_000, "it does not wait for the cell to end");
  });
}

Deno.test("runNotebook() accepts errors that are caught late, and timers without errors", async () => {
  const { failure, cells } = await run(notebook(
    code(`const late = Promise.reject(new Error("caught")); late.catch(() => {});
setTimeout(() => { try { throw new Error("caught"); } catch { /* on purpose */ } }, 20); undefined`),
    code(`clearTimeout(setTimeout(() => { throw new Error("cleared"); }, 9000)); undefined`),
    code(`await late.catch(() => "calm")`),
  ));
  deepStrictEqual({ failure, cells }, { failure: null, cells: 3 });
});

Deno.test("runNotebook() ends when it is interrupted", async () => {
  const abort = new AbortController();
  const { failure } = await runNotebook(notebook(code("for (;;);")), {
    folder: tmpdir(),
    signal: abort.signal,
    onCell: () => setTimeout(() => abort.abort(), 300),
  });
  deepStrictEqual(failure, { cell: 1, message: "the execution was interrupted" });
});

Deno.test("runNotebook() runs in the given folder and uses its deno.json", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "deno.json"), `{ "imports": { "@/": "./lib/" } }`);
    await Deno.mkdir(join(folder, "lib"));
    await Deno.writeTextFile(join(folder, "lib", "answer.ts"), "export const ANSWER = 42;\n");
    const path = join(folder, "a.ipynb");
    const source = `import { ANSWER } from "@/answer.ts";
console.log(ANSWER, Deno.readDirSync(".").toArray().length)`;
    await writeNotebook(path, notebook(code(source)));
    const { notebook: done, failure } = await runNotebook(await readNotebook(path), { folder });
    strictEqual(failure, null);
    deepStrictEqual(outputsOf(done), [[
      { output_type: "stream", name: "stdout", text: ["42 3\n"] },
    ]]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
