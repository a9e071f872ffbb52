/**
 * Rules for notebooks: short cells with text before each, all imports in one cell, outputs of one execution
 * from first to last cell, an assertion of what the text claims, and cells formatted as by `deno fmt`.
 * @module
 */

import { median } from "@/statistics.ts";
import type { Problem } from "./check_notebook.ts";
import {
  cellTags,
  type CodeCell,
  formatNotebook,
  isRecord,
  type Notebook,
  type Output,
  parseNotebook,
} from "./nbformat.ts";

/** Maximum number of lines of a cell and maximum median over all cells. Imports do not count. */
const LINES = { most: 15, median: 5 };

/** Maximum size of the outputs of a cell; the kernel loses outputs beyond it. */
const OUTPUT_BYTES = 2_000_000;

const DEFINITIONS = [
  /^\s*(export\s+)?(default\s+)?(async\s+)?function\b/m,
  /^\s*(export\s+)?(abstract\s+)?class\b/m,
  /^(export\s+)?(interface|enum|namespace|type)\s+\w/m,
  /^(export\s+)?(const|let|var)\s+\w+[^=\n]*=\s*(async\s*)?(function\b|\([^()]*\)[^=\n]*=>|\w+\s*=>)/m,
];
const IMPORT = /^import\s[^"']*["'][^"'\n]+["'];?[ \t]*$/gm;
const ASSERTION = /\bassert|\b(deep)?(s|S)trictEqual\(|\bok\(|\brejects\(|\bthrows\(/;
const ABSOLUTE_PATH = /(^|[\s"'`(=:])(file:\/\/)?\/(home|Users|root|work|tmp|mnt|opt|var|usr)\/\w/m;
const REMOTE_IMPORT = /(from|import)\s*\(?\s*["'](npm:|jsr:|https?:)/;

/** Lists the violations of the rules in a notebook; `path` is its name in the messages. */
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
      if (before !== "markdown") tell(codeCells.length, "each code cell needs text before it");
      for (const message of findCellBreaks(cell)) tell(codeCells.length, message);
    }
    before = cell.cell_type;
  }
  const middle = median(codeCells.map((cell) => countLines(cell.source)));
  if (middle > LINES.median) {
    tell(
      null,
      `the median number of lines per cell must be at most ${LINES.median}: it is ${middle}`,
    );
  }
  const importing = codeCells.flatMap(({ source }, i) =>
    (source.match(IMPORT) ?? []).length > 0 ? [i + 1] : []
  );
  if (importing.length > 1) {
    tell(null, `all imports must be in one cell: cells ${importing.join(", ")} have imports`);
  }
  const last = codeCells.at(-1);
  if (last === undefined || !ASSERTION.test(last.source)) {
    tell(codeCells.length || null, "the last code cell must assert what the text claims");
  }
  const counts = codeCells.flatMap((cell) => cell.execution_count ?? []);
  if (counts.some((count, i) => count !== i + 1)) {
    tell(
      null,
      `cells must be executed from first to last: the execution counts are ${counts.join(", ")}`,
    );
  }
  return problems;
}

function findCellBreaks(cell: CodeCell): readonly string[] {
  const messages: string[] = [];
  const tags = cellTags(cell);
  const lines = countLines(cell.source);
  if (lines > LINES.most) {
    messages.push(`a cell must have at most ${LINES.most} lines without imports: it has ${lines}`);
  }
  if (DEFINITIONS.some((pattern) => pattern.test(cell.source))) {
    messages.push(
      "a cell must not define functions, classes or types: move the definition to lib/",
    );
  }
  if (REMOTE_IMPORT.test(cell.source)) {
    messages.push(
      "imports must go through deno.json: the lock file does not see versions in cells",
    );
  }
  const outputs = JSON.stringify(cell.outputs);
  if (ABSOLUTE_PATH.test(cell.source) || ABSOLUTE_PATH.test(textOf(cell))) {
    messages.push("code and outputs must not contain absolute paths");
  }
  if (outputs.includes("\\u001b[")) messages.push("outputs must not contain terminal colors");
  if (outputs.length > OUTPUT_BYTES) {
    messages.push(
      `outputs must be smaller than ${OUTPUT_BYTES} bytes: they have ${outputs.length}`,
    );
  }
  if (cell.outputs.some(lacksSize)) {
    messages.push("pictures need their size in the metadata: run deno task notebooks");
  }
  const skipped = tags.includes("skip-execution") || cell.source.trim() === "";
  if (!skipped && cell.execution_count === null) {
    messages.push("the cell is not executed: run deno task notebooks");
  }
  const threw = cell.outputs.some((output) => output.output_type === "error");
  if (threw && !tags.includes("raises-exception")) messages.push("a cell must not end in an error");
  return messages;
}

/** True for a picture without a width in CSS pixels; front ends would use one CSS pixel per image pixel. */
function lacksSize(output: Output): boolean {
  if (!("data" in output) || output.data["image/png"] === undefined) return false;
  const size = output.metadata["image/png"];
  return !isRecord(size) || typeof size["width"] !== "number";
}

/** Text of the outputs of a cell, without pictures. */
function textOf(cell: CodeCell): string {
  return cell.outputs.map((output) => {
    if (output.output_type === "stream") return output.text.join("");
    if (output.output_type === "error") return [output.evalue, ...output.traceback].join("\n");
    return Object.entries(output.data)
      .filter(([type]) => type.startsWith("text/"))
      .map(([, value]) => Array.isArray(value) ? value.join("") : String(value)).join("\n");
  }).join("\n");
}

/** Number of lines that are neither blank nor part of an import. */
function countLines(source: string): number {
  return source.replace(IMPORT, "").split("\n").filter((line) => line.trim() !== "").length;
}

/**
 * Formats the cells with the `deno.json` above `folder`; leaves outputs unchanged. Deno 2.9.6 reports a notebook as
 * unformatted, and does not change it, if its cells do not end with a newline. Therefore a newline is added to each cell
 * first.
 */
export async function formatCells(notebook: Notebook, folder: string): Promise<Notebook> {
  const ended = notebook.cells.map((cell) => ({
    ...cell,
    source: `${cell.source.trimEnd()}\n`,
    ...cell.cell_type === "code" && { outputs: [] },
  }));
  const formatter = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=ipynb", "-"],
    cwd: folder,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = formatter.stdin.getWriter();
  await writer.write(new TextEncoder().encode(formatNotebook({ cells: ended })));
  await writer.close();
  const { success, stdout, stderr } = await formatter.output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`notebook cells cannot be formatted: ${decoder.decode(stderr).trim()}`);
  }
  const formatted = parseNotebook(decoder.decode(stdout), "from deno fmt");
  const cells = notebook.cells.map((cell, i) => ({
    ...cell,
    source: (formatted.cells[i]?.source ?? cell.source).trimEnd(),
  }));
  return { cells };
}

/** Reports cells that are not formatted, text cells included; `path` is the notebook's name in the message. */
export async function findUnformatted(
  notebook: Notebook,
  { path, folder }: { readonly path: string; readonly folder: string },
): Promise<readonly Problem[]> {
  const formatted = await formatCells(notebook, folder);
  const wrong = notebook.cells.flatMap(({ source }, i) =>
    source === formatted.cells[i]?.source ? [] : [i + 1]
  );
  if (wrong.length === 0) return [];
  const message = `cells ${
    wrong.join(", ")
  } (of all cells) are not formatted: run deno task notebooks`;
  return [{ path, cell: null, line: null, column: null, message }];
}
