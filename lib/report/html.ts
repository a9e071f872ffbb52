/**
 * Renders a report as one self-contained HTML page with light and dark mode, for phones, screens and print.
 * @module
 */

import { Marked } from "marked";
import type { Report } from "./markdown.ts";
import { createSlugger, FOLD } from "./document.ts";
import { escapeXml } from "./figures/frame.ts";
import { HOVER_STYLE } from "./figures/hover_layer.ts";

/** Title and allowed links of a page. */
type PageOptions = {
  readonly title: string;
  /** Allowed link targets; other links are shown as plain text. */
  readonly links?: ReadonlySet<string>;
};

/** Minimum number of characters for a table cell to be treated as prose, which wraps. */
const PROSE = 48;

/** Renders the page of a report. Raw HTML in the Markdown is escaped, except for {@link fold} blocks. */
export function renderPage(
  { markdown, figures }: Report,
  { title, links = new Set() }: PageOptions,
): string {
  const unknown: string[] = [];
  const slugOf = createSlugger();
  const marked = new Marked({
    gfm: true,
    renderer: {
      html: ({ text }) => FOLD.test(text.trim()) ? `${text.trim()}\n` : escapeXml(text),
      heading({ tokens, depth }) {
        const plain = this.parser.parseInline(tokens, this.parser.textRenderer);
        return `<h${depth} id="${escapeXml(slugOf(plain))}">${
          this.parser.parseInline(tokens)
        }</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const label = this.parser.parseInline(tokens);
        return href.startsWith("#") || links.has(href)
          ? `<a href="${escapeXml(href)}">${label}</a>`
          : label;
      },
      image({ href }) {
        const figure = figures.get(href);
        if (figure === undefined) {
          unknown.push(href);
          return "";
        }
        return `<span class="figure-frame">${figure.svg.trim()}</span>`;
      },
      table(token) {
        const row = (cells: typeof token.header, tag: "th" | "td") =>
          `<tr>${
            cells.map(({ text, tokens, align }) => {
              const look = align === "right"
                ? ' class="number"'
                : text.length > PROSE
                ? ' class="prose" dir="auto"'
                : "";
              return `<${tag}${look}>${this.parser.parseInline(tokens)}</${tag}>`;
            }).join("")
          }</tr>`;
        return `<div class="table-frame"><table><thead>${row(token.header, "th")}</thead><tbody>${
          token.rows.map((cells) => row(cells, "td")).join("\n")
        }</tbody></table></div>\n`;
      },
    },
  });
  const tokens = marked.lexer(markdown);
  const contents = tokens.findIndex((token) =>
    token.type === "list" && token.raw.split("\n").every((line) => /^ *(- \[.*\]\(#|$)/.test(line))
  );
  const body = tokens.map((token, i) => {
    const part = marked.parser([token]);
    return i === contents ? `<nav aria-label="Contents">\n${part}</nav>\n` : part;
  }).join("");
  if (unknown.length > 0) {
    throw new RangeError(
      `Cannot render report: it has no figure ${unknown.join(", ")}`,
    );
  }
  return composePage({ title, body });
}

/** A self-contained page in the style of reports, around the HTML of its content. */
export function composePage(
  { title, body, style = "", script = "" }: {
    readonly title: string;
    readonly body: string;
    readonly style?: string;
    readonly script?: string;
  },
): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(title)}</title>
<style>
${STYLE}${HOVER_STYLE}${style}</style>
</head>
<body>
<main>
${body}</main>
${script === "" ? "" : `<script>\n${script}</script>\n`}</body>
</html>
`;
}

const STYLE = `:root {
  --ink: #1f2328; --quiet: #59636e; --paper: #ffffff; --raised: #f6f8fa; --line: #d1d9e0; --link: #0969da;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6edf3; --quiet: #9198a1; --paper: #0d1117; --raised: #151b23; --line: #3d444d; --link: #58a6ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 64rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1, h2, h3 { scroll-margin-top: 1rem; line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 2rem; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 1rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2rem 0 .75rem; }
p, li { max-width: 42rem; overflow-wrap: anywhere; }
p:has(.figure-frame) { display: flex; flex-wrap: wrap; gap: 1rem; max-width: none; margin: 1rem 0; }
ul { padding-left: 1.25rem; }
a { color: var(--link); }
nav { margin: 2rem 0; padding: .9rem 1.25rem; border: 1px solid var(--line); border-radius: 8px; font-size: .9rem; }
nav ul { margin: 0; padding-left: 0; list-style: none; columns: 16rem; }
nav ul ul { padding-left: 1rem; columns: auto; }
nav li { break-inside: avoid; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
details { margin: 1rem 0; }
summary { cursor: pointer; color: var(--link); }
h1 + .table-frame table { line-height: 1.2; }
h1 + .table-frame td { padding-top: .6rem; padding-bottom: .6rem; font-size: 1rem; }
h1 + .table-frame td:nth-child(3) { font-size: 1.7rem; font-weight: 600; }
.table-frame { /* a shade at a side with more to see there */
  overflow-x: auto; margin: 1rem 0;
  background:
    linear-gradient(to right, var(--paper) 40%, transparent) left / 2.5rem 100% no-repeat local,
    linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100% no-repeat local,
    linear-gradient(to right, var(--line), transparent) left / .6rem 100% no-repeat scroll,
    linear-gradient(to left, var(--line), transparent) right / .6rem 100% no-repeat scroll;
}
table { border-collapse: collapse; font-size: .9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .65rem; text-align: left; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--quiet); vertical-align: bottom; border-bottom-width: 2px; }
th:first-child, td:first-child { padding-left: 0; }
.number { text-align: right; }
table:has(.number) td { white-space: nowrap; }
table td.prose { min-width: 15rem; white-space: normal; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.figure-frame { display: block; width: fit-content; max-width: 100%; overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); }
.figure-frame svg { display: block; color: var(--ink); max-width: 100%; min-width: 34rem; height: auto; }
.figure-frame svg[width="460"] { min-width: 0; }
.figure-frame .paper { fill: var(--raised); }
code { font: .85em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
:not(pre) > code { background: var(--raised); padding: .1em .35em; border-radius: 4px; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; overflow-x: auto; }
@media (min-width: 84rem) { /* contents beside the report */
  main { margin-left: max(19rem, calc((100vw - 45rem) / 2)); margin-right: 1rem; }
  nav { position: fixed; top: 2.5rem; bottom: 2.5rem; left: max(1.5rem, calc((100vw - 80rem) / 2)); width: 16rem; margin: 0; padding: 0; border: 0; overflow-y: auto; }
  nav ul { columns: auto; }
}
@media (max-width: 40rem) {
  body { font-size: 15px; }
  main { padding: 1.5rem 1rem 3rem; }
  th, td { padding: .4rem .55rem; }
}
@media print {
  nav { position: static; width: auto; }
  main { max-width: none; padding: 0; }
  .figure-frame, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
`;
