import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { formatNotebook, parseNotebook, toLines } from "@/notebook/nbformat.ts";
import { encodeMessage } from "@/notebook/jupyter_protocol.ts";
import { code, notebook, text } from "./notebook_text.ts";

Deno.test("toLines() splits text after each newline and loses nothing", () => {
  deepStrictEqual(toLines("a\n\nb"), ["a\n", "\n", "b"]);
  deepStrictEqual(toLines("a\n"), ["a\n"]);
  deepStrictEqual(toLines(""), []);
  fc.assert(fc.property(fc.string(), (text) => strictEqual(toLines(text).join(""), text)));
});

Deno.test("parseNotebook() and formatNotebook() are inverses", () => {
  const book = notebook(
    text("# Title\n\nText"),
    {
      ...code("1 + 1", "a-tag"),
      execution_count: 3,
      outputs: [
        { output_type: "stream", name: "stderr", text: ["a\n"] },
        { output_type: "display_data", data: { "image/png": "iVBO" }, metadata: { a: { b: 1 } } },
      ],
    },
  );
  deepStrictEqual(parseNotebook(formatNotebook(book), "a.ipynb"), book);
});

Deno.test("formatNotebook() ignores file metadata and the order of keys", () => {
  const cell = { id: "x", source: ["1"], outputs: [], execution_count: null, cell_type: "code" };
  const first = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: [{ ...cell, metadata: { b: 1, a: 2 } }],
  };
  const second = {
    cells: [{ metadata: { a: 2, b: 1 }, ...cell, source: "1" }],
    metadata: { language_info: { version: "6.0.3" }, widgets: {} },
    nbformat: 4,
  };
  strictEqual(
    formatNotebook(parseNotebook(JSON.stringify(first), "first")),
    formatNotebook(parseNotebook(JSON.stringify(second), "second")),
  );
});

Deno.test("parseNotebook() explains what is wrong with a file", () => {
  const message = (message: string) => ({ name: "SyntaxError", message });
  throws(
    () => parseNotebook("[1, 2]", "a.ipynb"),
    message(
      "notebook a.ipynb: needs nbformat 4 and a list of cells; its nbformat is undefined",
    ),
  );
  throws(
    () => parseNotebook('{ "nbformat": 3, "cells": [] }', "a.ipynb"),
    message(
      "notebook a.ipynb: needs nbformat 4 and a list of cells; its nbformat is 3",
    ),
  );
  throws(
    () => parseNotebook('{ "nbformat": 4, "cells": [{ "cell_type": "heading" }] }', "a.ipynb"),
    message("notebook a.ipynb: cell 1 is not a markdown, raw or code cell"),
  );
  throws(
    () => parseNotebook("{", "a.ipynb"),
    /^SyntaxError: notebook a\.ipynb: not valid JSON: /,
  );
});

Deno.test("encodeMessage() writes flags and lengths as in ZMTP 3.0", () => {
  // flag "more" (1), length 2; then the last frame (0), empty
  deepStrictEqual([...encodeMessage([Uint8Array.of(7, 8), new Uint8Array(0)])], [1, 2, 7, 8, 0, 0]);
  // flag "long" (2): a length of 8 bytes, 256 = 0x0100
  const long = encodeMessage([new Uint8Array(256).fill(9)]);
  deepStrictEqual([...long.subarray(0, 10)], [2, 0, 0, 0, 0, 0, 0, 1, 0, 9]);
  strictEqual(long.length, 9 + 256);
});
