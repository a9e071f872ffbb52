/**
 * Error message with instructions if TensorFlow's library is missing.
 * @module
 */
import { isSystemError } from "@/engine/system.ts";
import type { LibraryFound } from "@/engine/tensorflow/find_library.ts";

/** The version of TensorFlow with which this project is tested. */
export const TESTED_VERSION = "2.21.0";

/** The properties of a system that determine which library it needs. */
export type System = {
  /** Values of `Deno.build`. */
  readonly os: string;
  readonly arch: string;
  /** True if NVIDIA's driver is loaded. */
  readonly hasNvidiaGpu: boolean;
};

/** Describes the current system. */
export function describeSystem(): System {
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
export function installCommand({ arch, hasNvidiaGpu }: System): string {
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
  system: System,
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
