/**
 * Finds Deno's Jupyter kernel and a program that opens notebooks, and makes an installed kernel permanent.
 *
 * Kernel folders: https://docs.jupyter.org/en/stable/use/jupyter-directories.html#data-files
 * @module
 */

import { delimiter, dirname, join } from "node:path";
import { isFile, readJson, writeFileAtomic } from "@/system/files.ts";
import { isRecord } from "./nbformat.ts";

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

/** An installed kernel. */
export type InstalledKernel = {
  /** Path of its `kernel.json`. */
  readonly file: string;
  /** Path of the program that it starts. */
  readonly program: string;
  /** Why the program may disappear; null if it is permanent. */
  readonly problem: string | null;
};

/** True if the program is in a cache that npm may clean. */
export function isInNpmCache(program: string): boolean {
  return /[\\/]node_modules[\\/]|[\\/]_npx[\\/]/.test(program);
}

/** The kernel that Jupyter finds; null if there is none. */
export async function readKernel(place: JupyterPlace): Promise<InstalledKernel | null> {
  const file = await findKernel(place);
  if (file === null) return null;
  const content = await readJson(file, "kernel of Jupyter");
  const [program] = isRecord(content) && Array.isArray(content.argv)
    ? content.argv.map(String)
    : [];
  if (program === undefined) return { file, program: "", problem: "it names no program" };
  const problem = isInNpmCache(program)
    ? `${program} lies in a cache that npm cleans`
    : /[\\/]/.test(program) && !await isFile(program)
    ? `there is no ${program}`
    : null;
  return { file, program, problem };
}

/**
 * Copies `program` next to the `kernel.json` in `file` and lets the kernel start that copy, because
 * `deno jupyter --install` writes the path of the running program, which under `npx` is in a cache that npm may clean. The copy is a hard link
 * if the file system supports it.
 */
export async function keepProgram(file: string, program: string): Promise<void> {
  const content = await readJson(file, "kernel of Jupyter");
  if (!isRecord(content) || !Array.isArray(content.argv)) {
    throw new RangeError(
      `${file}: argv must be a list; install the kernel again with deno jupyter --install`,
    );
  }
  const copy = join(dirname(file), Deno.build.os === "windows" ? "deno.exe" : "deno");
  if (await isFile(copy)) await Deno.remove(copy); // a copy of an older version
  await Deno.link(program, copy).catch(() => Deno.copyFile(program, copy)); // hard links do not work across file systems
  const argv = [copy, ...content.argv.slice(1)];
  await writeFileAtomic(file, JSON.stringify({ ...content, argv }, null, 2) + "\n");
}
