/**
 * Finds Deno's Jupyter kernel and a program that opens notebooks.
 *
 * Kernel folders: https://docs.jupyter.org/en/stable/use/jupyter-directories.html#data-files
 * @module
 */

import { delimiter, join } from "node:path";
import { isFile } from "@/system/files.ts";

/** Operating system and environment variables, which determine where to search. */
export type JupyterPlace = {
  readonly os: typeof Deno.build.os;
  /** Reads an environment variable. */
  readonly read: (name: string) => string | undefined;
};

/** Operating system and environment of this process. */
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

/** Path of the `kernel.json` of Deno's kernel; null if it is not installed. */
export async function findKernel(place: JupyterPlace): Promise<string | null> {
  for (const folder of listKernelFolders(place)) {
    const file = join(folder, "deno", "kernel.json");
    if (await isFile(file)) return file;
  }
  return null;
}

/** Programs that open notebooks, preferred first, each with the arguments that open a folder. */
const FRONT_ENDS = [
  { program: "jupyter-lab", args: [] },
  { program: "jupyter", args: ["lab"] },
  { program: "jupyter-notebook", args: [] },
] as const satisfies readonly { readonly program: string; readonly args: readonly string[] }[];

/** A program and its arguments. */
export type FrontEnd = { readonly path: string; readonly args: readonly string[] };

/** The first front end on the PATH; null if there is none. */
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
