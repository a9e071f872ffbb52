/**
 * `deno task lab`: opens the notebooks in JupyterLab, or explains what is missing. With `--install`, it only installs
 * the kernel.
 * @module
 */

import {
  findFrontEnd,
  type FrontEnd,
  HERE,
  type InstalledKernel,
  isInNpmCache,
  type JupyterPlace,
  keepProgram,
  readKernel,
} from "@/notebook/jupyter.ts";
import type { Options } from "./arguments.ts";
import { runTask, type Task } from "./run_task.ts";

/** Folder of the notebooks, relative to the project. */
const FOLDER = "notebooks";

const OPTIONS = {
  install: { type: "boolean", help: "only install Deno's kernel for Jupyter" },
  check: { type: "boolean", help: "only show what is installed" },
} as const satisfies Options;

/** Installed kernel and front end; null if not found. */
type LabState = {
  readonly kernel: InstalledKernel | null;
  readonly frontEnd: FrontEnd | null;
};

/** Describes the installation and how to complete it, one line per entry. */
function explainLab({ kernel, frontEnd }: LabState): readonly string[] {
  return [
    kernel === null
      ? "kernel   not installed: run `deno task lab --install`"
      : kernel.problem === null
      ? `kernel   ${kernel.file}`
      : `kernel   ${kernel.file}: ${kernel.problem}; run \`deno task lab --install\` to repair it`,
    frontEnd === null
      ? "jupyter  not found on the PATH: run `pip install jupyterlab`"
      : `jupyter  ${[frontEnd.path, ...frontEnd.args].join(" ")}`,
    "",
    "In JupyterLab: open notebooks/00_tour.ipynb, select the kernel Deno, and choose Run All Cells.",
    "In VS Code: install the extensions Jupyter and Deno, open the notebook, and choose Select Kernel,",
    "Jupyter Kernel, Deno. VS Code needs the kernel, but no Jupyter on the PATH.",
    "Without either: `deno task notebooks` executes the notebooks, and GitHub shows the committed outputs.",
    "With real data: set PRESET=minilm and DATA_DIR=FOLDER before starting JupyterLab or VS Code.",
  ];
}

/** Runs a program in the task's terminal; when `signal` is aborted, the program is asked to stop. */
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
  const stop = () => child.kill("SIGTERM"); // JupyterLab asks for confirmation at SIGINT, but not at SIGTERM
  signal.addEventListener("abort", stop, { once: true });
  const { success } = await child.status;
  signal.removeEventListener("abort", stop);
  return success || signal.aborted;
}

const look = async (place: JupyterPlace): Promise<LabState> => ({
  kernel: await readKernel(place),
  frontEnd: await findFrontEnd(place),
});

/** Installs the kernel unless a working one is installed; returns false if that fails. */
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
const LAB = {
  name: "lab",
  summary: "Opens the notebooks in JupyterLab, or explains what is missing.",
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
    console.log(`\nOpening ${FOLDER} in ${frontEnd.path}; press Ctrl+C to stop.`);
    return await runAttached(frontEnd.path, { args: [...frontEnd.args, FOLDER, ...args], signal });
  },
} as const satisfies Task<typeof OPTIONS>;

if (import.meta.main) await runTask(LAB);
