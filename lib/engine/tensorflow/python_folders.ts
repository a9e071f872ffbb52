/**
 * Where Python's packages may lie, found without running Python where that is possible: a prefix holds
 * `lib/python3.N/site-packages`, and a program is in its prefix's `bin`.
 * @module
 */
import { delimiter, dirname, join } from "node:path";
import { isSystemError } from "@/files.ts";

/** Reads a variable of the environment. */
export type Environment = (name: string) => string | undefined;

/** Folders of packages below a prefix such as `/usr` or a virtual environment, newest Python first. */
export function packageFolders(prefix: string): readonly string[] {
  const found: { readonly path: string; readonly minor: number }[] = [];
  for (const lib of ["lib", "lib64"]) {
    for (const name of listFolder(join(prefix, lib))) {
      const [whole, minor] = /^python3(?:\.(\d+))?$/.exec(name) ?? [];
      if (whole === undefined) continue;
      for (const packages of ["site-packages", "dist-packages"]) { // the latter is Debian's
        found.push({ path: join(prefix, lib, name, packages), minor: Number(minor ?? 0) });
      }
    }
  }
  return found.sort((a, b) => b.minor - a.minor).map(({ path }) => path);
}

/**
 * Folders of packages of the Pythons that a user would get: of the active environment, of each `python3`
 * on `PATH`, of the user's own, one after the other.
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
    // A virtual environment's is a link to another prefix's.
    const folders = [program, real].map((path) => packageFolders(dirname(dirname(path))));
    yield* folders.flat();
    if (folders.every((each) => each.length === 0)) shims.push(program);
  }
  const home = environment("HOME");
  if (home) yield* packageFolders(join(home, ".local"));
  yield* packageFolders("/usr/local"); // of Debian's own Python
  for (const program of shims) yield* askPython(program);
}

/** What a `python3` says that starts another one (pyenv's): only running it tells which. */
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
    return []; // not a program, or none for this system
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
