/**
 * Type check and lint of notebooks. `deno check` and `deno lint` do not read .ipynb files, so the code cells
 * are joined into one module next to the notebook, where its imports resolve. Errors in that module are
 * reported by cell and line.
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cellTags, isRecord, type Notebook, readNotebook } from "./nbformat.ts";

/** An error in a notebook. */
export type Problem = {
  readonly path: string;
  /** Number of the code cell, from 1; null if the error concerns the whole notebook. */
  readonly cell: number | null;
  /** Line and column in the cell, from 1; null if the error concerns the whole cell. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
};

/** The code cells as one module, with the line at which each of them begins. */
type JoinedCells = {
  readonly source: string;
  readonly starts: readonly { readonly cell: number; readonly line: number }[];
};

/** Lint rules for modules that do not apply to cells: a variable may be used only in later cells, or not at all. */
const LINT_EXCLUDED = ["no-unused-vars", "prefer-const", "no-extra-semi"];

/** Formats a problem as one line: `notebooks/00_tour.ipynb cell 3 line 2:7: …`. */
export function formatProblem({ path, cell, line, column, message }: Problem): string {
  const place = cell === null
    ? ""
    : ` cell ${cell}${line === null ? "" : ` line ${line}:${column}`}`;
  return `${path}${place}: ${message}`;
}

/** Joins the code cells, without those tagged `no-check`. */
export function joinCells({ cells }: Notebook): JoinedCells {
  const starts: { cell: number; line: number }[] = [];
  let source = "", line = 1, count = 0;
  for (const cell of cells) {
    if (cell.cell_type !== "code") continue;
    count++;
    if (cellTags(cell).includes("no-check") || cell.source.trim() === "") continue;
    starts.push({ cell: count, line });
    const text = `${cell.source.trimEnd()}\n;\n`; // ends the last statement of the cell
    source += text;
    line += text.split("\n").length - 1;
  }
  return { source: `${source}export {};\n`, starts };
}

/** Type-checks and lints notebooks, each with the `deno.json` above it. Returns the errors in order. */
export async function checkNotebooks(paths: readonly string[]): Promise<readonly Problem[]> {
  const folders = Map.groupBy(paths, (path) => dirname(resolve(path)));
  const problems: Problem[] = [];
  for (const [folder, inFolder] of folders) problems.push(...await checkFolder(folder, inFolder));
  const order = (problem: Problem) => paths.indexOf(problem.path);
  return problems.sort((a, b) =>
    order(a) - order(b) || (a.cell ?? 0) - (b.cell ?? 0) || (a.line ?? 0) - (b.line ?? 0)
  );
}

async function checkFolder(folder: string, paths: readonly string[]): Promise<readonly Problem[]> {
  const modules = await Promise.all(paths.map(async (path) => {
    const file = join(folder, `.check_${basename(path, ".ipynb")}_${Deno.pid}.ts`);
    return { path, file, url: pathToFileURL(file).href, ...joinCells(await readNotebook(path)) };
  }));
  const locate = ([file, line, column, message]: Found): Problem => {
    const module = modules.find((module) => module.file === file || module.url === file);
    const start = module?.starts.findLast((start) => start.line <= line);
    return module === undefined || start === undefined
      ? { path: file, cell: null, line: null, column: null, message }
      : { path: module.path, cell: start.cell, line: line - start.line + 1, column, message };
  };
  try {
    for (const { file, source } of modules) await Deno.writeTextFile(file, source);
    const files = modules.map(({ file }) => file);
    const rules = `--rules-exclude=${LINT_EXCLUDED.join(",")}`;
    return [
      ...readTypeErrors(await runDeno(folder, ["check", ...files])),
      ...readLintErrors(await runDeno(folder, ["lint", "--json", rules, ...files])),
    ].map(locate);
  } finally {
    for (const { file } of modules) await Deno.remove(file).catch(() => {}); // it may not exist
  }
}

/** File or URL, line, column and message. */
type Found = readonly [file: string, line: number, column: number, message: string];

type DenoRun = { readonly success: boolean; readonly stdout: string; readonly stderr: string };

async function runDeno(folder: string, args: readonly string[]): Promise<DenoRun> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: folder, // selects the deno.json
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Parses `TS2322 [ERROR]: message … at URL:line:column` and `error: message … at URL:line:column`. */
function readTypeErrors({ success, stderr }: DenoRun): readonly Found[] {
  if (success) return [];
  const pattern = /(TS\d+) \[ERROR\]: (.*)[^]*?\n\s+at (file:\S+?):(\d+):(\d+)/g;
  const found = [...stderr.matchAll(pattern)].map(([, code, message, file, line, column]) =>
    [String(file), Number(line), Number(column), `${code}: ${message}`] as const
  );
  if (found.length > 0) return found;
  const other = /error: (.*)[^]*?\bat (file:\S+?):(\d+):(\d+)/.exec(stderr);
  if (other) return [[String(other[2]), Number(other[3]), Number(other[4]), String(other[1])]];
  return [["notebooks", 1, 1, stderr.trim()]];
}

function readLintErrors({ success, stdout, stderr }: DenoRun): readonly Found[] {
  if (success) return [];
  let report: unknown = null;
  try {
    report = JSON.parse(stdout);
  } catch {
    // reported below
  }
  if (!isRecord(report)) return [["notebooks", 1, 1, stderr.trim()]];
  const list = (value: unknown) => Array.isArray(value) ? value.filter(isRecord) : [];
  // the type check reports modules that do not parse
  return list(report["diagnostics"]).map((diagnostic) => {
    const range = isRecord(diagnostic["range"]) ? diagnostic["range"] : {};
    const start = isRecord(range["start"]) ? range["start"] : {};
    const message = `${diagnostic["code"]}: ${diagnostic["message"]}`;
    return [
      String(diagnostic["filename"]),
      Number(start["line"]),
      Number(start["col"]) + 1,
      message,
    ] as const;
  });
}
