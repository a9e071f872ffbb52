/**
 * Emulation of aarch64 processors: a cross compiler and an emulator. On Debian and Ubuntu the packages are
 * gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
 * @module
 */
import { dirname, isAbsolute } from "node:path";
import type { CompileOptions } from "@/engine/native/toolchain/compiler.ts";

/** Names of the compiler and of the emulator. */
export const AARCH64 = { compiler: "aarch64-linux-gnu-gcc", emulator: "qemu-aarch64" } as const;

/** Output of a command; null if it cannot be run. */
function ask(command: string, ...args: readonly string[]): string | null {
  try {
    const { success, stdout } = new Deno.Command(command, {
      args: [...args],
      stdout: "piped",
      stderr: "null",
    }).outputSync();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}

/** True if `command --version` succeeds. */
export function canRun(command: string): boolean {
  return ask(command, "--version") !== null;
}

/** Compile options for libraries, and the command line that precedes the path of a program. */
export type Emulation = {
  readonly compile: CompileOptions;
  readonly command: readonly string[];
};

/** The emulation, or a description of what is missing. */
export function findEmulation(): Emulation | { readonly missing: string } {
  const { compiler, emulator } = AARCH64;
  const version = ask(compiler, "--version")?.split("\n", 1)[0];
  if (version === undefined) return { missing: `no ${compiler}` };
  if (!canRun(emulator)) return { missing: `no ${emulator}` };
  const libc = ask(compiler, "-print-file-name=libc.so.6") ?? "";
  if (!isAbsolute(libc)) return { missing: `no C library for ${compiler}` }; // the compiler prints only the name if it finds no file
  const root = dirname(dirname(Deno.realPathSync(libc))); // the parent of the folder lib
  return {
    compile: {
      compiler: { command: compiler, arguments: [], version },
      target: { isa: "native", flags: [], processor: "aarch64, emulated" },
    },
    command: [emulator, "-L", root],
  };
}
