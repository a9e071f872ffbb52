/**
 * The system's C compiler: `CC` where it is set (arguments may follow the name), else the first of cc,
 * clang and gcc that answers.
 * @module
 */

/** A C compiler that answers to `--version`. */
export type Compiler = {
  /** Program to call, as found by the system's search path. */
  readonly command: string;
  /** Arguments that always come first: what `CC` has after the program's name. */
  readonly arguments: readonly string[];
  /** First line of what `--version` prints. */
  readonly version: string;
};

/** Names that are tried in turn where `CC` is not set. */
const NAMES = ["cc", "clang", "gcc"] as const;

const found = new Map<string, Compiler | null>();

/** The words of `CC`, or null where it is unset or blank. */
function readSetting(): readonly string[] | null {
  const words = (Deno.env.get("CC") ?? "").split(/\s+/).filter((word) => word !== "");
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
  } catch {
    return null;
  }
}

/** Finds the C compiler; null where there is none. Asks each only once for a `CC` and search path. */
export function findCompiler(): Compiler | null {
  const setting = readSetting();
  const key = JSON.stringify([setting, Deno.env.get("PATH") ?? ""]);
  const known = found.get(key);
  if (known !== undefined) return known;
  const candidates = setting === null ? NAMES.map((name) => [name]) : [setting];
  let compiler: Compiler | null = null;
  for (const [command, ...rest] of candidates) {
    if (command === undefined || compiler !== null) continue;
    const version = askVersion(command, rest);
    if (version !== null) compiler = { command, arguments: rest, version };
  }
  found.set(key, compiler);
  return compiler;
}

/** How to get a compiler on a system. */
const ADVICE: Readonly<Record<string, string>> = {
  linux: "`sudo apt install gcc libc6-dev` or `sudo dnf install gcc` installs one",
  darwin: "`xcode-select --install` installs one",
};

/** What is missed where {@link findCompiler} gives null, and how to get it, in one line. */
export function explainMissingCompiler(system: string = Deno.build.os): string {
  const setting = readSetting();
  const present = setting === null
    ? `${NAMES.slice(0, -1).join(", ")} and ${NAMES.at(-1)} are not found`
    : `CC is "${setting.join(" ")}", which cannot be run`;
  const advice = ADVICE[system] ?? "install gcc or clang";
  return `Cannot compile for this processor as there must be a C compiler: ${present}; ${advice}`;
}
