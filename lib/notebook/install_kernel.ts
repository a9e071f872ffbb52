/**
 * Installs Deno's kernel for Jupyter so that it lasts: `deno jupyter --install` writes the path of the running
 * program into `kernel.json`, and under `npx` that path lies in a cache that npm cleans.
 * @module
 */
import { dirname, join } from "node:path";
import { isRecord } from "./nbformat.ts";
import { findKernel, type JupyterPlace } from "./find_jupyter.ts";
import { isFile, readJson, writeFileAtomic } from "@/files.ts";

/** An installed kernel. */
export type InstalledKernel = {
  /** Its `kernel.json`. */
  readonly file: string;
  /** The program that it starts. */
  readonly program: string;
  /** Why the program does not last; null if it does. */
  readonly problem: string | null;
};

/** True if npm may remove a program at any time. */
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
 * Lets the kernel of `file` start a copy of `program` beside it, which stays as long as the kernel does.
 * The copy is a hard link where the file system allows one.
 */
export async function keepProgram(file: string, program: string): Promise<void> {
  const content = await readJson(file, "kernel of Jupyter");
  if (!isRecord(content) || !Array.isArray(content.argv)) {
    throw new RangeError(`Cannot install the kernel: ${file} must hold a list argv`);
  }
  const copy = join(dirname(file), Deno.build.os === "windows" ? "deno.exe" : "deno");
  if (await isFile(copy)) await Deno.remove(copy); // of an older version
  await Deno.link(program, copy).catch(() => Deno.copyFile(program, copy)); // on another file system
  const argv = [copy, ...content.argv.slice(1)];
  await writeFileAtomic(file, JSON.stringify({ ...content, argv }, null, 2) + "\n");
}
