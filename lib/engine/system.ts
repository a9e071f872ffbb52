/**
 * Everything that differs between operating systems on the TypeScript side: names of
 * libraries, compiler flags, the user's cache folder, signals, advice; and how errors of the system are told from defects. Its
 * counterpart in C is `native/c/system.h`.
 * @module
 */
import { join } from "node:path";

/** The environment variables of a process; `Deno.env` is one. */
type Environment = { get(name: string): string | undefined };

/** An operating system as the engine sees it. */
export type System = {
  /** File name of a compiled library; its suffix is the one that the system's loader expects. */
  readonly libraryName: string;
  /** Compiler flags in addition to those of every system. */
  readonly compileFlags: readonly string[];
  /** Libraries that follow the object files when a library is linked. */
  readonly linkFlags: readonly string[];
  /** Names of ONNX Runtime's library in its npm package. */
  readonly onnxRuntime: RegExp;
  /** How to install a C and a C++ compiler; null if there is no simple command. */
  readonly compilerAdvice: { readonly c: string | null; readonly cxx: string | null };
  /** Signals that ask a process to end and that Deno supports there. Closing the terminal sends SIGHUP. */
  readonly interruptSignals: readonly ("SIGHUP" | "SIGINT" | "SIGTERM")[];
  /** The user's cache folder; undefined if the environment does not define one. */
  userCache(environment: Environment): string | undefined;
};

/** `XDG_CACHE_HOME`, or `.cache` in the home folder. */
function homeCache(environment: Environment): string | undefined {
  const home = environment.get("HOME");
  return environment.get("XDG_CACHE_HOME") || (home ? join(home, ".cache") : undefined);
}

/** Systems by the name that `Deno.build.os` has for them. */
const SYSTEMS = {
  linux: {
    libraryName: "library.so",
    compileFlags: ["-fPIC", "-pthread"],
    linkFlags: ["-lm", "-ldl"],
    onnxRuntime: /^libonnxruntime\.so\.1$/,
    compilerAdvice: {
      c: "install one with `sudo apt install gcc libc6-dev` or `sudo dnf install gcc`",
      cxx: "install one with `sudo apt install g++` or `sudo dnf install gcc-c++`",
    },
    interruptSignals: ["SIGINT", "SIGTERM", "SIGHUP"],
    userCache: homeCache,
  },
  darwin: {
    libraryName: "library.dylib",
    compileFlags: ["-fPIC", "-pthread"],
    linkFlags: ["-lm"],
    onnxRuntime: /^libonnxruntime.*\.dylib$/,
    compilerAdvice: { c: "install one with `xcode-select --install`", cxx: null },
    interruptSignals: ["SIGINT", "SIGTERM", "SIGHUP"],
    userCache: homeCache,
  },
  windows: {
    libraryName: "library.dll",
    compileFlags: ["-pthread"], // code of a DLL is always relocatable
    linkFlags: [],
    onnxRuntime: /^onnxruntime\.dll$/,
    compilerAdvice: {
      c: 'install Zig with `py -m pip install ziglang` and set CC="py -m ziglang cc"',
      cxx: null,
    },
    interruptSignals: ["SIGINT"],
    userCache: (environment) => environment.get("LOCALAPPDATA") || homeCache(environment),
  },
} as const satisfies Readonly<Record<string, System>>;

/** A system by its name in `Deno.build.os`. An unknown one is taken for a Unix whose C library has `dlopen`. */
export function describeSystem(name: string = Deno.build.os): System {
  const known: Readonly<Record<string, System>> = SYSTEMS;
  return known[name] ??
    { ...SYSTEMS.linux, linkFlags: ["-lm"], compilerAdvice: { c: null, cxx: null } };
}

/** True for errors of the operating system, such as a missing file, missing permission or a full disk. */
export function isSystemError(error: unknown): error is Error {
  return error instanceof Error &&
    (/\(os error \d+\)/.test(error.message) ||
      Object.values(Deno.errors).some((kind) => error instanceof kind));
}
