/**
 * The frame of a report in Markdown: title, a lead, contents with anchors, sections, folded parts.
 * @module
 */
import { escapeXml } from "./frame.ts";
import { escapeMarkdown } from "./tables.ts";

/** A section: its heading as plain text, and paragraphs, tables and figures in Markdown. */
export type Section = { readonly heading: string; readonly parts: readonly string[] };

/** Writes a report: the lead comes before the contents. */
export function composeDocument(
  { title, lead, sections }: {
    readonly title: string;
    readonly lead: readonly string[];
    readonly sections: readonly Section[];
  },
): string {
  const head = [`# ${escapeMarkdown(title)}`, ...lead].join("\n\n");
  const body = sections.flatMap(({ heading, parts }) => [
    `## ${escapeMarkdown(heading)}`,
    ...parts,
  ]).join("\n\n");
  const slugOf = createSlugger();
  listHeadings(head).forEach(({ text }) => slugOf(text));
  const entries = listHeadings(body).map((heading) => ({ ...heading, slug: slugOf(heading.text) }))
    .map(({ depth, text, slug }) => `${"  ".repeat(depth - 2)}- [${text}](#${slug})`);
  return [head, entries.join("\n"), body].join("\n\n") + "\n";
}

/** Parts behind a line that opens them. */
export function fold(summary: string, parts: readonly string[]): string[] {
  return [`<details><summary>${escapeXml(summary)}</summary>`, ...parts, "</details>"];
}

/** The lines of raw HTML that {@link fold} writes; a report has no others. */
export const FOLD = /^(<details><summary>[^<>]*<\/summary>|<\/details>)$/;

/** Headings of a text in Markdown, outside its code blocks. */
function listHeadings(markdown: string): { readonly depth: number; readonly text: string }[] {
  const prose = markdown.replace(/^(`{3,})[^]*?^\1$/gm, "");
  return [...prose.matchAll(/^(#{1,3}) (.+)$/gm)]
    .map(([, marks = "", text = ""]) => ({ depth: marks.length, text }));
}

/** Names the anchor of each heading in turn as GitHub does; equal headings are numbered. */
export function createSlugger(): (heading: string) => string {
  const met = new Map<string, number>();
  return (heading) => {
    const plain = heading.replace(/&[#\w]+;/g, "").toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    const count = met.get(plain) ?? 0;
    met.set(plain, count + 1);
    return count === 0 ? plain : `${plain}-${count}`;
  };
}
