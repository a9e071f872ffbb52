/**
 * Layout of generated C: blocks with their bodies indented, and no line longer than {@link WIDTH}.
 * @module
 */

/** Columns of a line. */
const WIDTH = 100;
/** The indentation of a block's body; a line that continues another one has twice as much. */
const INDENT = "  ";

/** Lines that are indented once. */
const indent = (lines: readonly string[]) =>
  lines.map((line) => line === "" ? "" : `${INDENT}${line}`);

/** A statement with a body: `head { … }`. An empty head gives a bare block. */
export function block(head: string, body: readonly string[]): readonly string[] {
  return [head === "" ? "{" : `${head} {`, ...indent(body), "}"];
}

/** Paragraphs, separated by blank lines; empty ones are left out. */
export function paragraphs(...parts: readonly (readonly string[])[]): readonly string[] {
  return parts.filter(({ length }) => length > 0)
    .flatMap((part, i) => i === 0 ? part : ["", ...part]);
}

/** Text of lines, long ones broken after a comma or before a plus. */
export function joinLines(lines: readonly string[]): string {
  return lines.flatMap(breakLine).join("\n");
}

function breakLine(line: string): string[] {
  if (line.length <= WIDTH) return [line];
  const margin = /^(?: \*)? */.exec(line)?.[0] ?? "";
  const head = line.slice(0, WIDTH);
  const at = Math.max(head.lastIndexOf(", ") + 1, head.lastIndexOf(" + "));
  if (at <= margin.length) return [line];
  const deeper = margin.startsWith(" *") ? margin : `${margin}${INDENT}${INDENT}`;
  const rest = line.slice(at).trimStart();
  // the continuation keeps its own indentation when it is broken again
  const [second = "", ...more] = breakLine(`${deeper}${rest}`);
  return [line.slice(0, at), second, ...more];
}
