/**
 * Folders of Python packages, found without running Python if possible: a prefix contains
 * `lib/python3.N/site-packages`, and a program is in the `bin` folder of its prefix.
 * @module
 */
import { delimiter, dirname, join } from "node:path";
import { isSystemError } from "@/engine/system.ts";

/** Reads an environment variable. */
export type Environment = (name: string) => string | undefined;

/** Package folders below a prefix such as `/usr` or a virtual environment, newest Python first. */
export function packageFolders(prefix: string): readonly string[] {
  const found: { readonly path: string; readonly minor: number }[] = [];
  for (const lib of ["lib", "lib64"]) {
    for (const name of listFolder(join(prefix, lib))) {
      const [matched, minor] = /^python3(?:\.(\d+))?$/.exec(name) ?? [];
      if (matched === undefined) continue;
      for (const packages of ["site-packages", "dist-packages"]) { // the latter is Debian's
        found.push({ path: join(prefix, lib, name, packages), minor: Number(minor ?? 0) });
      }
    }
  }
  return found.sort((a, b) => b.minor - a.minor).map(({ path }) => path);
}

/**
 * Package folders of the user's Pythons: of the active environment, of each `python3` on `PATH`, of `~/.local`, and
 * last of those that have to be run to find them.
 */
export function* pythonFolders(environment: Environment): Generator<string> {
  const own = ["VIRTUAL_ENV", "CONDA_PREFIX"].map(environment);
  for (const prefix of own) if (prefix) yield* packageFolders(prefix);
  const programs = (environment("PATH") ?? "").split(delimiter).filter((folder) => folder !== "")
    .map((folder) => join(folder, "python3"));
  const shims: string[] = [];
  for (const program of programs) {
    const real = realPath(program);
    if (real === null) continue;
    // In a virtual environment it is a link to the program of another prefix.
    const folders = [program, real].map((path) => packageFolders(dirname(dirname(path))));
    yield* folders.flat();
    if (folders.every((each) => each.length === 0)) shims.push(program);
  }
  const home = environment("HOME");
  if (home) yield* packageFolders(join(home, ".local"));
  yield* packageFolders("/usr/local"); // Debian's own Python
  for (const program of shims) yield* askPython(program);
}

/** Package folders of a `python3` that is a shim for another one (pyenv): only running it shows which. */
function askPython(program: string): readonly string[] {
  const question = "import site, sysconfig; " +
    "print('\\n'.join([sysconfig.get_path('platlib'), *site.getsitepackages()]))";
  try {
    const { success, stdout } = new Deno.Command(program, {
      ...{ args: ["-c", question], stdin: "null", stdout: "piped", stderr: "null" },
    }).outputSync();
    return success ? new TextDecoder().decode(stdout).split("\n").filter((line) => line) : [];
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return []; // not a program, or not one for this system
  }
}

function listFolder(path: string): readonly string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return [];
  }
}

function realPath(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return null;
  }
}
