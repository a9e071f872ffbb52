/**
 * The report as one HTML page that needs nothing else: figures inside, light and dark, phone to print.
 * @module
 */

import { Marked } from "marked";
import type { Report } from "./markdown.ts";
import { escapeXml } from "./frame.ts";

/** The page of a report. Raw HTML in its Markdown is shown, never run. */
export function renderPage(
  { markdown, figures }: Report,
  { title }: { readonly title: string },
): string {
  const unknown: string[] = [];
  const marked = new Marked({
    gfm: true,
    renderer: {
      html: ({ text }) => escapeXml(text),
      link({ tokens }) {
        return this.parser.parseInline(tokens); // labels that look like addresses lead nowhere
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
            cells.map(({ tokens, align }) =>
              `<${tag}${align === "right" ? ' class="number"' : ""}>${
                this.parser.parseInline(tokens)
              }</${tag}>`
            ).join("")
          }</tr>`;
        return `<div class="table-frame"><table><thead>${row(token.header, "th")}</thead><tbody>${
          token.rows.map((cells) => row(cells, "td")).join("\n")
        }</tbody></table></div>\n`;
      },
    },
  });
  const body = marked.parse(markdown, { async: false });
  if (unknown.length > 0) {
    throw new RangeError(
      `Cannot render report as its images must be among its figures: current image is ${
        unknown.join(", ")
      }`,
    );
  }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(title)}</title>
<style>
${STYLE}</style>
</head>
<body>
<main>
${body}</main>
</body>
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
h1, h2, h3 { line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 2rem; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 1rem; padding-bottom: .35rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2rem 0 .75rem; }
p, li { max-width: 42rem; overflow-wrap: anywhere; }
p:has(.figure-frame) { max-width: none; }
ul { padding-left: 1.25rem; color: var(--quiet); }
a { color: var(--link); }
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
.figure-frame { display: block; width: fit-content; max-width: 100%; overflow-x: auto; margin: 1rem 0; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); }
.figure-frame svg { display: block; color: var(--ink); max-width: 100%; min-width: 34rem; height: auto; }
.figure-frame svg[width="460"] { min-width: 0; }
.figure-frame .paper { fill: var(--raised); }
code { font: .85em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
:not(pre) > code { background: var(--raised); padding: .1em .35em; border-radius: 4px; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; overflow-x: auto; }
@media (max-width: 40rem) {
  body { font-size: 15px; }
  main { padding: 1.5rem 1rem 3rem; }
  th, td { padding: .4rem .55rem; }
}
@media print {
  main { max-width: none; padding: 0; }
  .figure-frame, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
`;
