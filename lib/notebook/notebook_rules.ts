/**
 * Rules that notebooks keep so that they can be read and trusted: thin cells, text before each, run in
 * order, and an assertion of what is claimed.
 * @module
 */

import type { Problem } from "./check_notebook.ts";
import { cellTags, type CodeCell, isRecord, type Notebook, type Output } from "./nbformat.ts";

/** Most lines of a cell, and most of the middle one of all cells. */
export const LINES = { most: 15, median: 5 };

/** Most bytes of a cell's outputs: beyond, the kernel loses some. */
export const OUTPUT_BYTES = 2_000_000;

const DEFINITIONS = [
  /^\s*(export\s+)?(default\s+)?(async\s+)?function\b/m,
  /^\s*(export\s+)?(abstract\s+)?class\b/m,
  /^(export\s+)?(interface|enum|namespace|type)\s+\w/m,
  /^(export\s+)?(const|let|var)\s+\w+[^=\n]*=\s*(async\s*)?(function\b|\([^()]*\)[^=\n]*=>|\w+\s*=>)/m,
];
const ASSERTION = /\bassert|\b(deep)?(s|S)trictEqual\(|\bok\(|\brejects\(|\bthrows\(/;
const ABSOLUTE_PATH = /(^|[\s"'`(=:])(file:\/\/)?\/(home|Users|root|work|tmp|mnt|opt|var|usr)\/\w/m;
const REMOTE_IMPORT = /(from|import)\s*\(?\s*["'](npm:|jsr:|https?:)/;

/** What breaks the rules in a notebook that is named `path`. */
export function findRuleBreaks(notebook: Notebook, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const tell = (cell: number | null, message: string) =>
    problems.push({ path, cell, line: null, column: null, message });

  const [first] = notebook.cells;
  if (first?.cell_type !== "markdown" || !/^# \S/.test(first.source)) {
    tell(null, "the first cell must be text that begins with a title");
  }
  const codeCells: CodeCell[] = [];
  let before: string | null = null;
  for (const cell of notebook.cells) {
    if (cell.cell_type === "code") {
      codeCells.push(cell);
      if (before !== "markdown") tell(codeCells.length, "text must stand before each code cell");
      for (const message of findCellBreaks(cell)) tell(codeCells.length, message);
    }
    before = cell.cell_type;
  }
  const lengths = codeCells.map((cell) => countLines(cell.source)).sort((a, b) => a - b);
  const median = lengths[(lengths.length - 1) >> 1] ?? 0;
  if (median > LINES.median) {
    tell(
      null,
      `half of the cells must have at most ${LINES.median} lines: the median is ${median}`,
    );
  }
  const last = codeCells.at(-1);
  if (last === undefined || !ASSERTION.test(last.source)) {
    tell(codeCells.length || null, "the last code cell must assert what the text claims");
  }
  const counts = codeCells.flatMap((cell) => cell.execution_count ?? []);
  if (counts.some((count, i) => count !== i + 1)) {
    tell(null, `cells must have run from first to last: current counts are ${counts.join(", ")}`);
  }
  return problems;
}

function findCellBreaks(cell: CodeCell): readonly string[] {
  const messages: string[] = [];
  const tags = cellTags(cell);
  const lines = countLines(cell.source);
  if (lines > LINES.most) {
    messages.push(`a cell must have at most ${LINES.most} lines: current number is ${lines}`);
  }
  if (DEFINITIONS.some((pattern) => pattern.test(cell.source))) {
    messages.push("a cell must call and not define: move the definition to lib/");
  }
  if (REMOTE_IMPORT.test(cell.source)) {
    messages.push(
      "imports must go through deno.json: a version in a cell is missed by the lock file",
    );
  }
  const outputs = JSON.stringify(cell.outputs);
  if (ABSOLUTE_PATH.test(cell.source) || ABSOLUTE_PATH.test(textOf(cell))) {
    messages.push("code and outputs must not hold absolute paths");
  }
  if (outputs.includes("\\u001b[")) messages.push("outputs must not hold terminal colors");
  if (outputs.length > OUTPUT_BYTES) {
    messages.push(`outputs must be under ${OUTPUT_BYTES} bytes: current size is ${outputs.length}`);
  }
  if (cell.outputs.some(lacksSize)) {
    messages.push("pictures must have their size in the metadata: run deno task notebooks");
  }
  const skipped = tags.includes("skip-execution") || cell.source.trim() === "";
  if (!skipped && cell.execution_count === null) {
    messages.push("a cell must be committed executed: run deno task notebooks");
  }
  const threw = cell.outputs.some((output) => output.output_type === "error");
  if (threw && !tags.includes("raises-exception")) messages.push("a cell must not end in an error");
  return messages;
}

/** True for a picture without its width in CSS pixels: front ends would show each of its pixels as one. */
function lacksSize(output: Output): boolean {
  if (!("data" in output) || output.data["image/png"] === undefined) return false;
  const size = output.metadata["image/png"];
  return !isRecord(size) || typeof size["width"] !== "number";
}

/** The readable text of a cell's outputs; pictures are left out. */
function textOf(cell: CodeCell): string {
  return cell.outputs.map((output) => {
    if (output.output_type === "stream") return output.text.join("");
    if (output.output_type === "error") return [output.evalue, ...output.traceback].join("\n");
    return Object.entries(output.data)
      .filter(([type]) => type.startsWith("text/"))
      .map(([, value]) => Array.isArray(value) ? value.join("") : String(value)).join("\n");
  }).join("\n");
}

function countLines(source: string): number {
  return source.split("\n").filter((line) => line.trim() !== "").length;
}
