/**
 * The compiler's AddressSanitizer and UndefinedBehaviorSanitizer, and what a process needs so that a
 * library built with them can be loaded into Deno, which was not.
 * @module
 */
import { isAbsolute } from "node:path";
import {
  type Compiler,
  explainMissingCompiler,
  findCompiler,
} from "@/engine/native/find_compiler.ts";

/** Sanitizers that were found. */
export type Sanitizers = {
  readonly compiler: Compiler;
  /** Flags of a build. */
  readonly flags: readonly string[];
  /** Libraries that must be in the process before all others, by path. */
  readonly libraries: readonly string[];
  /** Of AddressSanitizer, for its environment variable. */
  readonly options: string;
};

/**
 * Compilers by what their sanitizers are called; clang also finds gcc's, so that its own come first. What is
 * reported ends the process: gcc is told so as it compiles. Told so, clang 14 takes minutes for each file of
 * products; without, ten seconds, and UBSAN_OPTIONS say it. Names of places would be asked of a program that
 * clang's runtime starts, and for which a process of Deno waited for ever.
 */
const FAMILIES = [
  {
    libraries: [`libclang_rt.asan-${Deno.build.arch}.so`],
    flags: ["-shared-libasan"],
    options: "symbolize=0",
  },
  {
    libraries: ["libasan.so", "libubsan.so"],
    flags: ["-fno-sanitize-recover=undefined"],
    options: "symbolize=1",
  },
] as const;

/** What to look for and how. */
const FLAGS = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined"] as const;

/** The path of a compiler's own library, or null where it has none of this name. */
function findLibrary({ command, arguments: first }: Compiler, name: string): string | null {
  const { stdout } = new Deno.Command(command, {
    args: [...first, `-print-file-name=${name}`],
    stdin: "null",
    stderr: "null",
  }).outputSync();
  const path = new TextDecoder().decode(stdout).trim();
  return isAbsolute(path) ? path : null; // a name that is not found is printed as it is
}

/** The sanitizers of the system's compiler; throws where it has none, and says how to get them. */
export function findSanitizers(): Sanitizers {
  const compiler = findCompiler();
  if (compiler === null) throw new Deno.errors.NotFound(explainMissingCompiler());
  for (const { libraries, flags, options } of FAMILIES) {
    const paths = libraries.map((name) => findLibrary(compiler, name));
    if (paths.includes(null)) continue;
    return {
      compiler,
      flags: [...FLAGS, ...flags],
      libraries: paths.filter((path) => path !== null),
      options,
    };
  }
  throw new Deno.errors.NotFound(
    `Cannot sanitize as the compiler must have AddressSanitizer: ${compiler.version} has neither ` +
      `${FAMILIES.map(({ libraries }) => libraries.join(" and ")).join(" nor ")}; on Debian and ` +
      "Ubuntu they come with gcc, else try `sudo dnf install libasan libubsan`, or clang's compiler-rt",
  );
}

/** Settings of a process whose programs are built with the sanitizers. */
export function sanitizedEnvironment(
  { compiler, flags, libraries, options }: Sanitizers,
): Record<string, string> {
  return {
    LD_PRELOAD: libraries.join(":"),
    STX_NATIVE_FLAGS: flags.join(" "),
    // the compiler is no part of what is looked at
    CC: ["env", "-u", "LD_PRELOAD", compiler.command, ...compiler.arguments].join(" "),
    ASAN_OPTIONS: `detect_leaks=0:${options}`, // Deno keeps what it has at its end
    UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
  };
}
