/**
 * `deno task lab`: opens the notebooks in JupyterLab, or says what is missing; `--install` installs the
 * kernel and opens nothing.
 * @module
 */

import { findFrontEnd, type FrontEnd, HERE, type JupyterPlace } from "@/notebook/find_jupyter.ts";
import {
  type InstalledKernel,
  isInNpmCache,
  keepProgram,
  readKernel,
} from "@/notebook/install_kernel.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./frame.ts";

/** Where the notebooks are, seen from the project. */
const FOLDER = "notebooks";

const OPTIONS = {
  install: { type: "boolean", help: "install Deno's kernel for Jupyter, and open nothing" },
  check: { type: "boolean", help: "say what is there and open nothing" },
} as const satisfies Options;

/** What was found. */
export type LabState = {
  readonly kernel: InstalledKernel | null;
  readonly frontEnd: FrontEnd | null;
};

/** What is there, and how to come to what is not, a line each. */
export function explainLab({ kernel, frontEnd }: LabState): readonly string[] {
  return [
    kernel === null
      ? "kernel   not installed: `deno task lab --install` installs it"
      : kernel.problem === null
      ? `kernel   ${kernel.file}`
      : `kernel   ${kernel.file}: ${kernel.problem}; \`deno task lab --install\` repairs it`,
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

/** Runs a program in the terminal that this task has; an aborted `signal` ends it in good order. */
async function runAttached(
  path: string,
  { args, signal }: { readonly args: readonly string[]; readonly signal: AbortSignal },
): Promise<boolean> {
  const child = new Deno.Command(path, {
    args: [...args],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const stop = () => child.kill("SIGTERM"); // by which JupyterLab ends without a question
  signal.addEventListener("abort", stop, { once: true });
  const { success } = await child.status;
  signal.removeEventListener("abort", stop);
  return success || signal.aborted;
}

const look = async (place: JupyterPlace): Promise<LabState> => ({
  kernel: await readKernel(place),
  frontEnd: await findFrontEnd(place),
});

/** Installs the kernel, unless one is there that lasts; false where Deno could not. */
async function install({ kernel }: LabState, signal: AbortSignal): Promise<boolean> {
  if (kernel?.problem === null) return true;
  const program = Deno.execPath();
  const args = ["jupyter", "--install", "--force"];
  if (!await runAttached(program, { args, signal })) return false;
  const installed = await readKernel(HERE);
  if (installed === null) return false;
  if (isInNpmCache(program)) await keepProgram(installed.file, program);
  return true;
}

/** The task `lab`. */
export const LAB = {
  name: "lab",
  summary: "Opens the notebooks in JupyterLab, or says what is missing.",
  usage: "[--install] [--check] [-- ARGUMENT …]",
  options: OPTIONS,
  positionals: { names: ["ARGUMENT"], min: 0, max: Infinity },
  stopsItself: true,
  async run({ values, positionals: args, signal }) {
    const state = await look(HERE);
    if (values.install) {
      if (!await install(state, signal)) return false;
      for (const line of explainLab(await look(HERE))) console.log(line);
      return;
    }
    for (const line of explainLab(state)) console.log(line);
    const { kernel, frontEnd } = state;
    if (values.check || kernel?.problem !== null || frontEnd === null) return;
    console.log(`\nOpening ${FOLDER} in ${frontEnd.path}; Ctrl+C ends it.`);
    return await runAttached(frontEnd.path, { args: [...frontEnd.args, FOLDER, ...args], signal });
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(LAB);
