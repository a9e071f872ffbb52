/**
 * Types and lint of notebooks: `deno check` and `deno lint` do not read .ipynb, so a notebook's cells
 * are joined into one module beside it (where its imports resolve) and what is found there is led back
 * to cell and line.
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cellTags, isRecord, type Notebook, readNotebook } from "./nbformat.ts";

/** Something wrong in a notebook. */
export type Problem = {
  readonly path: string;
  /** Number of the code cell, from 1; null: the notebook as a whole. */
  readonly cell: number | null;
  /** Line and column in the cell, from 1; null: the cell as a whole. */
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
};

/** A notebook's code cells as one module, and where each begins in it. */
export type JoinedCells = {
  readonly source: string;
  readonly starts: readonly { readonly cell: number; readonly line: number }[];
};

/** Rules that a module must keep and a cell need not: names are used by later cells, or by nobody. */
const LINT_EXCLUDED = ["no-unused-vars", "prefer-const", "no-extra-semi"];

/** A problem in one line: `notebooks/00_tour.ipynb cell 3 line 2:7: …`. */
export function formatProblem({ path, cell, line, column, message }: Problem): string {
  const place = cell === null
    ? ""
    : ` cell ${cell}${line === null ? "" : ` line ${line}:${column}`}`;
  return `${path}${place}: ${message}`;
}

/** Joins the code cells; those with the tag `no-check` are left out. */
export function joinCells({ cells }: Notebook): JoinedCells {
  const starts: { cell: number; line: number }[] = [];
  let source = "", line = 1, count = 0;
  for (const cell of cells) {
    if (cell.cell_type !== "code") continue;
    count++;
    if (cellTags(cell).includes("no-check") || cell.source.trim() === "") continue;
    starts.push({ cell: count, line });
    const text = `${cell.source.trimEnd()}\n;\n`; // so that no cell goes on in the next one
    source += text;
    line += text.split("\n").length - 1;
  }
  return { source: `${source}export {};\n`, starts };
}

/** Type-checks and lints notebooks, each by the `deno.json` above it; gives what is wrong, in order. */
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
    for (const { file } of modules) await Deno.remove(file).catch(() => {}); // if it was written
  }
}

/** File or URL, line, column and message. */
type Found = readonly [file: string, line: number, column: number, message: string];

type DenoRun = { readonly success: boolean; readonly stdout: string; readonly stderr: string };

async function runDeno(folder: string, args: readonly string[]): Promise<DenoRun> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: folder, // whose configuration counts
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** `TS2322 [ERROR]: message, code, marks, at URL:line:column`, and `error: … at URL:line:column`. */
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
    // told below
  }
  if (!isRecord(report)) return [["notebooks", 1, 1, stderr.trim()]];
  const list = (value: unknown) => Array.isArray(value) ? value.filter(isRecord) : [];
  // a module that does not parse is told by the type check, with its place
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
