/**
 * What there is to open notebooks with: Deno's kernel among Jupyter's kernels, and JupyterLab.
 *
 * Folders of kernels: https://docs.jupyter.org/en/stable/use/jupyter-directories.html#data-files
 * @module
 */

import { delimiter, join } from "node:path";
import { isFile } from "@/files.ts";

/** What the search depends on. */
export type JupyterPlace = {
  readonly os: typeof Deno.build.os;
  /** Reads a variable of the environment. */
  readonly read: (name: string) => string | undefined;
};

/** The place of this process. */
export const HERE: JupyterPlace = { os: Deno.build.os, read: (name) => Deno.env.get(name) };

/** Folders in which Jupyter looks for kernels, in its order. */
export function listKernelFolders({ os, read }: JupyterPlace): readonly string[] {
  const home = read("HOME") ?? read("USERPROFILE") ?? "";
  const user = os === "darwin"
    ? join(home, "Library", "Jupyter")
    : os === "windows"
    ? join(read("APPDATA") ?? home, "jupyter")
    : join(read("XDG_DATA_HOME") || join(home, ".local", "share"), "jupyter");
  const system = os === "windows"
    ? [join(read("PROGRAMDATA") ?? "C:\\ProgramData", "jupyter")]
    : ["/usr/local/share/jupyter", "/usr/share/jupyter"];
  const given = (read("JUPYTER_PATH") ?? "").split(delimiter).filter((folder) => folder !== "");
  const data = [...given, read("JUPYTER_DATA_DIR") || user, user, ...system];
  return [...new Set(data)].map((folder) => join(folder, "kernels"));
}

/** The file of Deno's kernel; null where it is not installed. */
export async function findKernel(place: JupyterPlace): Promise<string | null> {
  for (const folder of listKernelFolders(place)) {
    const file = join(folder, "deno", "kernel.json");
    if (await isFile(file)) return file;
  }
  return null;
}

/** Programs that show notebooks, the best first, each with what opens a folder in it. */
export const FRONT_ENDS = [
  { program: "jupyter-lab", args: [] },
  { program: "jupyter", args: ["lab"] },
  { program: "jupyter-notebook", args: [] },
] as const satisfies readonly { readonly program: string; readonly args: readonly string[] }[];

/** A program and its arguments. */
export type FrontEnd = { readonly path: string; readonly args: readonly string[] };

/** The first front end on the PATH; null where there is none. */
export async function findFrontEnd({ os, read }: JupyterPlace): Promise<FrontEnd | null> {
  const folders = (read("PATH") ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const { program, args } of FRONT_ENDS) {
    for (const folder of folders) {
      const path = join(folder, os === "windows" ? `${program}.exe` : program);
      if (await isFile(path)) return { path, args };
    }
  }
  return null;
}
