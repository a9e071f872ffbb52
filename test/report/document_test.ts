import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { composeDocument, createSlugger, fold } from "@/report/document.ts";
import { renderPage } from "@/report/html.ts";

const DOCUMENT = composeDocument({
  title: "Scores",
  lead: ["**Good.**"],
  sections: [
    { heading: "Scores", parts: ["### <b>Ünïted_ & *co*", "```\n# no heading\n```"] },
    { heading: "Scores", parts: fold("More <than> this", ["| a |\n| --- |\n| b |"]) },
  ],
});

Deno.test("createSlugger() returns anchors as GitHub does and numbers repeated ones", () => {
  const slugOf = createSlugger();
  const headings = ["ag_news: classes, test", "Scores", "Scores", "95 % of Sci/Tech", "Zürich"];
  deepStrictEqual(headings.map(slugOf), [
    "ag_news-classes-test",
    "scores",
    "scores-1",
    "95--of-scitech",
    "zürich",
  ]);
});

Deno.test("composeDocument() puts the table of contents after the lead, with a link to each heading", () => {
  const [lead, contents] = DOCUMENT.split(/\n\n(?=- |## )/);
  strictEqual(lead, "# Scores\n\n**Good.**");
  strictEqual(
    contents,
    // the title has taken the anchor "scores"; the line in the code block is no heading
    "- [Scores](#scores-1)\n  - [<b>Ünïted_ & *co*](#bünïted_--co)\n- [Scores](#scores-2)",
  );
});

Deno.test("renderPage() renders the table of contents as navigation with links to headings", () => {
  const page = renderPage({ markdown: DOCUMENT, figures: new Map() }, { title: "t" });
  const links = [...page.matchAll(/<a href="#([^"]+)">/g)].map(([, slug = ""]) => slug);
  strictEqual(links.length, 3);
  for (const slug of links) ok(page.includes(` id="${slug}"`), slug);
  strictEqual(page.match(/<nav /g)?.length, 1);
});

Deno.test("renderPage() renders fold() blocks, and other HTML as text", () => {
  const page = renderPage({ markdown: DOCUMENT, figures: new Map() }, { title: "t" });
  ok(page.includes("<details><summary>More &lt;than&gt; this</summary>"), page);
  ok(page.includes("</details>"));
  const raw = "<details open><summary>x</summary>\n\n<details><summary><b>x</b></summary>\n";
  const shown = renderPage({ markdown: raw, figures: new Map() }, { title: "t" });
  ok(!shown.includes("<details"), shown);
});

Deno.test("renderPage() renders only allowed links", () => {
  const markdown = "[a](b/report.html) [c](javascript:d) www.example.org";
  const links = new Set(["b/report.html"]);
  const page = renderPage({ markdown, figures: new Map() }, { title: "t", links });
  deepStrictEqual(page.match(/<a [^>]*>/g), ['<a href="b/report.html">']);
});
