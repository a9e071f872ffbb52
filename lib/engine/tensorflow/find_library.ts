/**
 * Finds TensorFlow's library: the C library unpacked under a prefix, or Python's tensorflow package. Both contain two
 * shared libraries and a folder of headers.
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { isSystemError } from "@/engine/system.ts";
import {
  type Environment,
  packageFolders,
  pythonFolders,
} from "@/engine/tensorflow/python_folders.ts";

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
export type LibrarySearch = {
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
export function inspectFolder(folder: string, source: string): TensorflowLibrary | string | null {
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
