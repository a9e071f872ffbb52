import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { Marked } from "marked";
import {
  formatCount,
  formatDuration,
  formatInterval,
  formatPercent,
  formatRate,
} from "@/report/format.ts";
import { renderPage } from "@/report/html.ts";
import { escapeMarkdown, formatTable } from "@/report/tables.ts";

Deno.test("number formats match hand-written examples", () => {
  deepStrictEqual([0.93391, 0, 1].map(formatPercent), ["93.39", "0.00", "100.00"]);
  strictEqual(formatInterval([0.9, 0.95]), "90.00 – 95.00");
  deepStrictEqual([0, 999, 1000, 22_713_216].map(formatCount), ["0", "999", "1,000", "22,713,216"]);
  deepStrictEqual([0, 1e-4, 5.314e-5, 0.0005, 2, 1e-10].map(formatRate), [
    "0",
    "1e-4",
    "5.31e-5",
    "5e-4",
    "2e0",
    "1e-10",
  ]);
  deepStrictEqual([9.26, 59.96, 65, 3599.6, 7380].map(formatDuration), [
    "9.3 s",
    "1 min 00 s",
    "1 min 05 s",
    "1 h 00 min",
    "2 h 03 min",
  ]);
});

Deno.test("formatTable() aligns columns and escapes cells", () => {
  strictEqual(
    formatTable([{ head: "A|b", align: "left" }, { head: "N", align: "right" }], [["x|y\nz", "1"]]),
    "| A\\|b | N |\n| :--- | ---: |\n| x\\|y z | 1 |",
  );
});

/** Renders Markdown that contains only text, and returns the visible text. */
function readBack(markdown: string): string {
  const entities: Record<string, string> = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&quot;": '"',
    "&#39;": "'",
  };
  const html = new Marked({ gfm: true }).parse(markdown, { async: false });
  return html.replace(/^<p>|<\/p>\s*$/g, "").replace(/&[#\w]+;/g, (name) => entities[name] ?? name);
}

Deno.test("escapeMarkdown() preserves any text when rendered", () => {
  const piece = fc.constantFrom(
    ..."ab1 <>&*_`[]()#|~!\\+-=.{}\"'$",
    "1. ",
    "- ",
    "<b>",
    "&amp;",
    "__",
    "```",
  );
  const line = fc.array(piece, { minLength: 1, maxLength: 12 }).map((parts) => `${parts.join("")}`)
    .map((text) => text.trim()).filter((text) => text !== "");
  fc.assert(fc.property(line, (text) => {
    strictEqual(readBack(escapeMarkdown(text)), text.replace(/\s+/g, " "));
  }));
});

Deno.test("renderPage() escapes raw HTML and refuses unknown images", () => {
  const page = renderPage({
    markdown: "a <b>c</b> www.e.org\n\n<script>d</script>\n",
    figures: new Map(),
  }, {
    title: "<t>",
  });
  deepStrictEqual(page.match(/<(script|b|a)[ >]/g), null);
  deepStrictEqual(page.includes("<title>&lt;t&gt;</title>"), true);
  throws(
    () => renderPage({ markdown: "![x](https://a.b/c.png)", figures: new Map() }, { title: "" }),
    {
      name: "RangeError",
      message: "Cannot render report: it has no figure https://a.b/c.png",
    },
  );
});
