/**
 * Builds the native binding of `@tensorflow/tfjs-node-gpu` for the installed TensorFlow library. The package's own
 * installer requires a TensorFlow of 2022 and fails on current systems. The build is one call of the C++ compiler on
 * the package's sources. The result is cached on disk, keyed by everything that it depends on.
 * @module
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  digestParts,
  findLibrary as findBuilt,
  libraryIn,
  openBuildFolder,
  publish,
  removeFolder,
} from "../native/toolchain/compile_cache.ts";
import { checkOutput } from "../native/toolchain/compiler.ts";
import { explainMissingCompiler, findCompiler } from "../native/toolchain/find_compiler.ts";
import type { TensorflowLibrary } from "@/engine/tensorflow/find_library.ts";

/** Increment this when a change of the flags below changes the binary. */
const CACHE_VERSION = 1;

/** Version of Node-API: that of Deno, and the newest that the package supports. */
const NODE_API = 8;

const SOURCES = ["tfjs_backend.cc", "tfjs_binding.cc"] as const;

const FLAGS = ["-std=c++17", "-O2", "-fPIC", "-shared", `-DNAPI_VERSION=${NODE_API}`] as const;

/** A binding on disk. */
export type BuiltBinding = {
  readonly path: string;
  /** Version of the compiler that built it; null if it was already in the cache. */
  readonly builtBy: string | null;
};

const require = createRequire(import.meta.url);
/** The folder of an installed package. */
const packageFolder = (name: string) => dirname(require.resolve(`${name}/package.json`));

/** Identifies the shared library by size and modification time, since it is too large to hash at each start. */
function describeFile(path: string): readonly unknown[] {
  const { size, mtime } = Deno.statSync(path);
  return [path, size, mtime?.getTime()];
}

/**
 * Builds the binding unless it is cached.
 *
 * @param options.version Version of the TensorFlow library.
 * @param options.onBuild Called before the compiler runs, which takes about ten seconds.
 */
export async function buildBinding(
  library: TensorflowLibrary,
  { version, onBuild = () => {} }: {
    readonly version: string;
    readonly onBuild?: (compiler: string) => void;
  },
): Promise<BuiltBinding> {
  const binding = join(packageFolder("@tensorflow/tfjs-node-gpu"), "binding");
  const nodeApi = join(packageFolder("node-api-headers"), "include");
  const compiler = findCompiler("cxx");
  if (compiler === null) {
    throw new Deno.errors.NotFound(explainMissingCompiler(Deno.build.os, "cxx"));
  }
  const texts = [binding, nodeApi].flatMap((folder) =>
    [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name)).sort()
  ).map((path) => Deno.readTextFileSync(path));
  const { command, arguments: first, version: compilerVersion } = compiler;
  const entry = `tensorflow-${
    digestParts([
      ...[CACHE_VERSION, FLAGS, texts, version, command, first, compilerVersion, Deno.build.arch],
      ...[library.headers, describeFile(library.api), describeFile(library.framework)],
    ])
  }`;
  const known = findBuilt(entry);
  if (known !== null) return { path: known, builtBy: null };
  onBuild(compilerVersion);
  const buildFolder = openBuildFolder();
  try {
    const args = [
      ...first,
      ...FLAGS,
      ...[nodeApi, library.headers].map((folder) => `-I${folder}`),
      ...SOURCES.map((name) => join(binding, name)),
      ...["-o", libraryIn(buildFolder), library.api, library.framework],
      `-Wl,-rpath,${dirname(library.api)}`,
    ];
    const output = await new Deno.Command(command, {
      ...{ args, env: { LC_ALL: "C" }, stdin: "null", stdout: "null", stderr: "piped" },
    }).output();
    checkOutput("the binding of TensorFlow", [command, ...args].join(" "), output);
    return { path: publish(buildFolder, entry), builtBy: compilerVersion };
  } finally {
    removeFolder(buildFolder);
  }
}
