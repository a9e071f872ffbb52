/**
 * Installs Deno's Jupyter kernel permanently. `deno jupyter --install` writes the path of the running program into
 * `kernel.json`. Under `npx` that path is in a cache that npm may clean.
 * @module
 */
import { dirname, join } from "node:path";
import { isRecord } from "./nbformat.ts";
import { findKernel, type JupyterPlace } from "./find_jupyter.ts";
import { isFile, readJson, writeFileAtomic } from "@/system/files.ts";

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
 * Copies `program` next to the `kernel.json` in `file` and lets the kernel start that copy. The copy is a hard link
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
