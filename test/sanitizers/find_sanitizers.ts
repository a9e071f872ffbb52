/**
 * The compiler's AddressSanitizer and UndefinedBehaviorSanitizer, and the settings of a process that loads
 * sanitized libraries into Deno, which is not sanitized itself.
 * @module
 */
import { isAbsolute } from "node:path";
import {
  type Compiler,
  explainMissingCompiler,
  findCompiler,
} from "@/engine/native/toolchain/find_compiler.ts";

/** The sanitizers of a compiler. */
export type Sanitizers = {
  readonly compiler: Compiler;
  /** Flags of a build. */
  readonly flags: readonly string[];
  /** Paths of libraries that must be loaded before all others. */
  readonly libraries: readonly string[];
  /** Options of AddressSanitizer, for its environment variable. */
  readonly options: string;
};

/**
 * Compilers by the names of their sanitizers. clang also finds gcc's, so its own come first. A report must end the
 * process: gcc gets a flag for that at compile time. clang 14 with that flag takes minutes for each file of matrix
 * products instead of ten seconds, so there UBSAN_OPTIONS ends the process. Symbolizing is off for clang, because
 * its runtime starts a program for which a Deno process waits forever.
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

/** Flags of every sanitized build. */
const FLAGS = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined"] as const;

/** The path of a library that belongs to a compiler, or null if it has none of this name. */
function findLibrary({ command, arguments: first }: Compiler, name: string): string | null {
  const { stdout } = new Deno.Command(command, {
    args: [...first, `-print-file-name=${name}`],
    stdin: "null",
    stderr: "null",
  }).outputSync();
  const path = new TextDecoder().decode(stdout).trim();
  return isAbsolute(path) ? path : null; // the compiler prints a name that it does not find unchanged
}

/** The sanitizers of the system's compiler; throws if there are none, with how to install them. */
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

/** Environment of a process whose programs are built with the sanitizers. */
export function sanitizedEnvironment(
  { compiler, flags, libraries, options }: Sanitizers,
): Record<string, string> {
  return {
    LD_PRELOAD: libraries.join(":"),
    STX_NATIVE_FLAGS: flags.join(" "),
    // the compiler itself is not under test
    CC: ["env", "-u", "LD_PRELOAD", compiler.command, ...compiler.arguments].join(" "),
    ASAN_OPTIONS: `detect_leaks=0:${options}`, // Deno does not free its memory when it ends
    UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
  };
}
