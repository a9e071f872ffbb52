/**
 * Finds the system's compilers: the one in `CC` or `CXX` if set (the name may be followed by arguments), else the first
 * of the usual ones that runs.
 * @module
 */

import { isSystemError } from "@/engine/system.ts";
import { describeSystem } from "../../system.ts";

/** A compiler that answers to `--version`. */
export type Compiler = {
  /** Program to call, as found by the system's search path. */
  readonly command: string;
  /** Arguments that come first: those after the program's name in the variable. */
  readonly arguments: readonly string[];
  /** First line of the output of `--version`. */
  readonly version: string;
};

/** Languages by the variable that names their compiler. */
const LANGUAGES = {
  c: {
    variable: "CC",
    names: ["cc", "clang", "gcc"], // tried in turn
    missing: "Cannot compile for this processor without a C compiler",
    other: "install gcc or clang",
  },
  cxx: {
    variable: "CXX",
    names: ["c++", "clang++", "g++"],
    missing: "Cannot build TensorFlow's binding without a C++ compiler",
    other: "install g++ or clang++",
  },
} as const;

/** One of {@link LANGUAGES}. */
type Language = keyof typeof LANGUAGES;

const found = new Map<string, Compiler | null>();

/** The words of the variable, or null if it is unset or blank. */
function readSetting(language: Language): readonly string[] | null {
  const { variable } = LANGUAGES[language];
  const words = (Deno.env.get(variable) ?? "").split(/\s+/).filter((word) => word !== "");
  return words.length > 0 ? words : null;
}

/** Asks a compiler for its version; null when it cannot be run. */
function askVersion(command: string, first: readonly string[]): string | null {
  try {
    const { success, stdout } = new Deno.Command(command, {
      ...{ args: [...first, "--version"], env: { LC_ALL: "C" } },
      ...{ stdin: "null", stdout: "piped", stderr: "null" },
    }).outputSync();
    const line = new TextDecoder().decode(stdout).split("\n", 1)[0]?.trim() ?? "";
    return success && line !== "" ? line : null;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return null;
  }
}

/** Finds a compiler; null if there is none. The result is cached by setting and search path. */
export function findCompiler(language: Language = "c"): Compiler | null {
  const setting = readSetting(language);
  const key = JSON.stringify([language, setting, Deno.env.get("PATH") ?? ""]);
  const known = found.get(key);
  if (known !== undefined) return known;
  const candidates = setting === null ? LANGUAGES[language].names.map((name) => [name]) : [setting];
  let compiler: Compiler | null = null;
  for (const [command, ...rest] of candidates) {
    if (command === undefined || compiler !== null) continue;
    const version = askVersion(command, rest);
    if (version !== null) compiler = { command, arguments: rest, version };
  }
  found.set(key, compiler);
  return compiler;
}

/** A sentence that says which compiler is missing and how to install it, used if {@link findCompiler} returns null. */
export function explainMissingCompiler(
  system: string = Deno.build.os,
  language: Language = "c",
): string {
  const { variable, names, missing, other } = LANGUAGES[language];
  const setting = readSetting(language);
  const present = setting === null
    ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are not found`
    : `${variable} is "${setting.join(" ")}", which does not run`;
  return `${missing}: ${present}; ${describeSystem(system).compilerAdvice[language] ?? other}`;
}
