/**
 * `deno task notebooks`: executes notebooks without a browser and saves their outputs, or checks them.
 * @module
 */

import { dirname, join, relative, resolve } from "node:path";
import { checkNotebooks, formatProblem, type Problem } from "@/notebook/check_notebook.ts";
import { findRuleBreaks, findUnformatted, formatCells } from "@/notebook/notebook_rules.ts";
import { readNotebook, writeNotebook } from "@/notebook/nbformat.ts";
import { runNotebook } from "@/notebook/run_notebook.ts";
import { runTask, TaskInterrupted } from "./run_task.ts";
import { createTerminalProgress } from "./terminal_progress.ts";

const FOLDER = "notebooks";

/** Notebooks of the project, sorted by name. */
async function listNotebooks(): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(FOLDER));
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith(".ipynb")).sort();
  return names.map((name) => join(FOLDER, name));
}

function report(problems: readonly Problem[]): boolean {
  for (const problem of problems) {
    console.error(formatProblem({ ...problem, path: relative(Deno.cwd(), problem.path) }));
  }
  return problems.length === 0;
}

/** Executes one notebook and shows the progress; saves it formatted if `write` is true. */
async function execute(
  path: string,
  options: { readonly write: boolean; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const startMs = performance.now();
  const folder = dirname(resolve(path));
  const given = await readNotebook(path);
  const view = createTerminalProgress();
  const { notebook, cells, failure } = await runNotebook(
    options.write ? await formatCells(given, folder) : given,
    {
      folder,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      onCell: (cell, total) => view.update({ done: cell - 1, total, label: path }),
    },
  );
  view.finish();
  if (failure !== null) {
    console.error(`${path} cell ${failure.cell}: ${failure.message}`);
    return false;
  }
  if (options.write) await writeNotebook(path, notebook);
  const kept = options.write
    ? report(findRuleBreaks(notebook, path))
    : report([...findRuleBreaks(given, path), ...await findUnformatted(given, { path, folder })]);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${kept ? "ok  " : "FAIL"} ${path}  ${cells} cells  ${seconds} s`);
  return kept;
}

if (import.meta.main) {
  await runTask({
    name: "notebooks",
    summary: "Executes notebooks without a browser and saves their outputs.",
    usage: "[FILE …] [--check] [--timeout SECONDS]",
    options: {
      check: {
        type: "boolean",
        help: "type-check, lint and execute without writing",
      },
      timeout: {
        type: "string",
        value: "SECONDS",
        default: "600",
        help: "time limit per cell",
      },
    },
    positionals: { names: ["FILE"], min: 0, max: Infinity },
    stopsItself: true,
    async run({ values, positionals, signal, command }) {
      const seconds = Number(values.timeout);
      if (!(seconds > 0)) {
        throw new RangeError(
          `Cannot run notebooks: --timeout must be a positive number, not ${values.timeout}`,
        );
      }
      const paths = positionals.length > 0 ? positionals : await listNotebooks();
      let good = report(await checkNotebooks(paths));
      for (const path of paths) {
        const options = { write: !values.check, timeoutMs: seconds * 1000, signal };
        good = await execute(path, options) && good;
        if (signal.aborted) {
          throw new TaskInterrupted(
            `The notebooks were interrupted at ${path}. To restart:`,
            command,
          );
        }
      }
      return good;
    },
  });
}
