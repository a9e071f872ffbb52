/**
 * Structure of a Markdown report: title, lead, table of contents, sections, collapsible parts.
 * @module
 */
import { escapeXml } from "./figures/frame.ts";
import { escapeMarkdown } from "./tables.ts";

/** A section: a plain-text heading, and paragraphs, tables and figures in Markdown. */
export type Section = { readonly heading: string; readonly parts: readonly string[] };

/** Composes a report. The lead precedes the table of contents. */
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

/** Wraps parts in a collapsible block with a summary line. */
export function fold(summary: string, parts: readonly string[]): string[] {
  return [`<details><summary>${escapeXml(summary)}</summary>`, ...parts, "</details>"];
}

/** Matches the only raw HTML lines in a report: those that {@link fold} writes. */
export const FOLD = /^(<details><summary>[^<>]*<\/summary>|<\/details>)$/;

/** Headings of a Markdown text, except in code blocks. */
function listHeadings(markdown: string): { readonly depth: number; readonly text: string }[] {
  const prose = markdown.replace(/^(`{3,})[^]*?^\1$/gm, "");
  return [...prose.matchAll(/^(#{1,3}) (.+)$/gm)]
    .map(([, marks = "", text = ""]) => ({ depth: marks.length, text }));
}

/** Returns a function that assigns anchors to successive headings as GitHub does; repeated ones are numbered. */
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
