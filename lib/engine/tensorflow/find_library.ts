/**
 * Finds TensorFlow's library: the C library unpacked under a prefix, or Python's tensorflow package. Both contain two
 * shared libraries and a folder of headers. Python's package is found without running Python if possible: a prefix
 * contains `lib/python3.N/site-packages`, and a program is in the `bin` folder of its prefix. If there is no library, the
 * error says how to install one.
 * @module
 */
import { delimiter, dirname, join, resolve } from "node:path";
import { isSystemError } from "@/engine/system.ts";

/** A TensorFlow library on disk. */
export type TensorflowLibrary = {
  /** Path of the shared library with the C API. */
  readonly api: string;
  /** Path of the shared library that it depends on. */
  readonly framework: string;
  /** Include folder, the parent of `tensorflow/c`. */
  readonly headers: string;
  /** The setting that named it, such as `TF_LIB`, or where it was found. */
  readonly source: string;
};

/** Search options. */
type LibrarySearch = {
  /** `tensorflow.library` of the configuration; null if not set. */
  readonly configured?: string | null;
  readonly environment?: Environment;
  /** Prefixes under which the C library is usually installed. */
  readonly prefixes?: readonly string[];
};

const PREFIXES = ["/usr/local", "/usr", "/opt/tensorflow", "/opt/libtensorflow"] as const;

const API_NAMES = ["libtensorflow.so.2", "libtensorflow_cc.so.2", "libtensorflow.so"] as const;
const FRAMEWORK_NAMES = ["libtensorflow_framework.so.2", "libtensorflow_framework.so"] as const;
/** A header that only complete installations have. */
const HEADER = "tensorflow/c/eager/c_api.h";
/** Include folders relative to the libraries: in Python's package, under a prefix, above Debian's triplet. */
const HEADER_PLACES = ["include", "../include", "../../include"] as const;

function firstOf(folder: string, names: readonly string[]): string | null {
  return names.map((name) => join(folder, name)).find(isThere) ?? null;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** The library in a folder; a message about missing parts if it is incomplete; null if there is none. */
function inspectFolder(folder: string, source: string): TensorflowLibrary | string | null {
  const api = firstOf(folder, API_NAMES);
  if (api === null) return null;
  const framework = firstOf(folder, FRAMEWORK_NAMES);
  if (framework === null) return `${api} exists, but not ${FRAMEWORK_NAMES[0]}`;
  const headers = HEADER_PLACES.map((place) => join(folder, place))
    .find((place) => isThere(join(place, HEADER)));
  if (headers === undefined) return `${api} exists, but not its headers (include/${HEADER})`;
  return { api, framework, headers, source };
}

/** Folders in which the library may be, given a folder or file that the user named. */
function placesIn(named: string): readonly string[] {
  const path = resolve(named);
  const folder = /\.so(\.\d+)*$/.test(path) ? dirname(path) : path;
  return [
    folder,
    join(folder, "lib"),
    join(folder, "tensorflow"),
    ...packageFolders(folder).map((packages) => join(packages, "tensorflow")),
  ];
}

/** Result of a search: the library, or the reason why there is none. */
export type LibraryFound =
  | { readonly library: TensorflowLibrary }
  /** `named`: the location that the user named, or null; `lacking`: messages about incomplete libraries. */
  | {
    readonly library: null;
    readonly named: { readonly by: string; readonly path: string } | null;
    readonly lacking: readonly string[];
  };

/** Searches only the location that the user named, if any; else the usual locations and Python's packages. */
export function findLibrary(search: LibrarySearch = {}): LibraryFound {
  const {
    configured = null,
    environment = (name) => Deno.env.get(name),
    prefixes = PREFIXES,
  } = search;
  const named = configured !== null
    ? { by: "tensorflow.library", path: configured }
    : environment("TF_LIB")
    ? { by: "TF_LIB", path: environment("TF_LIB") ?? "" }
    : null;
  const lacking = new Set<string>();
  const inspect = (folder: string, source: string): TensorflowLibrary | null => {
    const found = inspectFolder(folder, source);
    if (typeof found === "string") lacking.add(found);
    return typeof found === "object" ? found : null;
  };
  for (const [folder, source] of listPlaces(named, environment, prefixes)) {
    const library = inspect(folder, source);
    if (library !== null) return { library };
  }
  return { library: null, named, lacking: [...lacking] };
}

function* listPlaces(
  named: { readonly by: string; readonly path: string } | null,
  environment: Environment,
  prefixes: readonly string[],
): Generator<readonly [folder: string, source: string]> {
  if (named !== null) {
    for (const folder of placesIn(named.path)) yield [folder, named.by];
    return;
  }
  for (const folder of (environment("LD_LIBRARY_PATH") ?? "").split(":")) {
    if (folder !== "") yield [folder, "LD_LIBRARY_PATH"];
  }
  for (const prefix of prefixes) {
    for (const lib of ["lib", "lib64", `lib/${Deno.build.arch}-linux-gnu`]) {
      yield [join(prefix, lib), "the usual places"];
    }
  }
  for (const packages of pythonFolders(environment)) {
    yield [join(packages, "tensorflow"), "Python's packages"];
  }
}

/** The version of TensorFlow with which this project is tested. */
const TESTED_VERSION = "2.21.0";

/** The properties of a system that determine which library it needs. */
export type LibrarySystem = {
  /** Values of `Deno.build`. */
  readonly os: string;
  readonly arch: string;
  /** True if NVIDIA's driver is loaded. */
  readonly hasNvidiaGpu: boolean;
};

/** Describes the current system. */
export function describeLibrarySystem(): LibrarySystem {
  let hasNvidiaGpu = true;
  try {
    Deno.statSync("/proc/driver/nvidia/version");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    hasNvidiaGpu = false;
  }
  return { os: Deno.build.os, arch: Deno.build.arch, hasNvidiaGpu };
}

/** The command that installs a suitable library. */
export function installCommand({ arch, hasNvidiaGpu }: LibrarySystem): string {
  const name = hasNvidiaGpu
    ? "tensorflow[and-cuda]"
    : arch === "x86_64"
    ? "tensorflow-cpu"
    : "tensorflow";
  return `python3 -m pip install '${name}==${TESTED_VERSION}'`;
}

/** The error message, in one line. */
export function explainMissingLibrary(
  { named, lacking }: Extract<LibraryFound, { readonly library: null }>,
  system: LibrarySystem,
): string {
  if (system.os !== "linux") {
    return `Cannot open device tensorflow: it requires Linux, but this system is ${system.os}; ` +
      "use device=cpu instead";
  }
  const seen = lacking.length > 0 ? ` (${lacking.join("; ")})` : "";
  const wanted = named === null
    ? "no TensorFlow library was found in LD_LIBRARY_PATH, /usr/local, /usr, /opt or the " +
      `packages of any python3 on PATH${seen}`
    : `${named.by} must be the folder of a TensorFlow library, but none was found in ` +
      `${JSON.stringify(named.path)}${seen}`;
  const target = system.hasNvidiaGpu ? " with CUDA for this machine's NVIDIA GPU" : "";
  const command = `\`${installCommand(system)}\``;
  return `Cannot open device tensorflow: ${wanted}; install one${target} with ${command} and check it ` +
    "with `deno task tensorflow` (to use one in another folder, set TF_LIB or tensorflow.library to it), " +
    "or use device=cpu";
}

/** Reads an environment variable. */
type Environment = (name: string) => string | undefined;

/** Package folders below a prefix such as `/usr` or a virtual environment, newest Python first. */
function packageFolders(prefix: string): readonly string[] {
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
function* pythonFolders(environment: Environment): Generator<string> {
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
