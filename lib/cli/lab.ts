/**
 * `deno task lab`: helps to open the notebooks: says what is there and what is missing, installs the kernel
 * where asked, and opens JupyterLab where there is one.
 * @module
 */

import {
  findFrontEnd,
  findKernel,
  type FrontEnd,
  HERE,
  type JupyterPlace,
} from "@/notebook/find_jupyter.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";

/** Where the notebooks are, seen from the project. */
const FOLDER = "notebooks";

const OPTIONS = {
  install: { type: "boolean", help: "install Deno's kernel for Jupyter, where it is missing" },
  check: { type: "boolean", help: "say what is there and open nothing" },
} as const satisfies Options;

/** What was found. */
export type LabState = { readonly kernel: string | null; readonly frontEnd: FrontEnd | null };

/** What is there, and how to come to what is not, a line each. */
export function explainLab({ kernel, frontEnd }: LabState): readonly string[] {
  return [
    kernel === null
      ? "kernel   not installed: `deno task lab --install` does it (`deno jupyter --install`)"
      : `kernel   ${kernel}`,
    frontEnd === null
      ? "jupyter  not found on the PATH: `pip install jupyterlab` brings it"
      : `jupyter  ${[frontEnd.path, ...frontEnd.args].join(" ")}`,
    "",
    "In JupyterLab: open notebooks/00_tour.ipynb, kernel Deno, Run All Cells.",
    "In VS Code: install the extensions Jupyter and Deno, open the notebook, Select Kernel, Jupyter",
    "Kernel, Deno. VS Code needs the kernel and no Jupyter on the PATH.",
    "Without either: `deno task notebooks` executes them headless, and GitHub shows them as committed.",
    "On real data: set PRESET=minilm and DATA_DIR=FOLDER before the front end starts.",
  ];
}

/** Runs a program in the terminal that this task has. */
async function runAttached(path: string, args: readonly string[]): Promise<boolean> {
  const { success } = await new Deno.Command(path, {
    args: [...args],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return success;
}

const look = async (place: JupyterPlace): Promise<LabState> => ({
  kernel: await findKernel(place),
  frontEnd: await findFrontEnd(place),
});

/** The task `lab`. */
export const LAB = {
  name: "lab",
  summary: "Helps to open the notebooks in Jupyter or VS Code.",
  usage: "[--install] [--check]",
  options: OPTIONS,
  async run({ values: { install, check } }) {
    let state = await look(HERE);
    if (install && state.kernel === null) {
      if (!await runAttached(Deno.execPath(), ["jupyter", "--install"])) return false;
      state = await look(HERE);
    }
    for (const line of explainLab(state)) console.log(line);
    const { kernel, frontEnd } = state;
    if (check || kernel === null || frontEnd === null) return;
    console.log(`\nOpening ${FOLDER} in ${frontEnd.path}; Ctrl+C ends it.`);
    return await runAttached(frontEnd.path, [...frontEnd.args, FOLDER]);
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(LAB);
