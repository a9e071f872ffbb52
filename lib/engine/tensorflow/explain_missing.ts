/**
 * What to do where TensorFlow's library is not found.
 * @module
 */
import { isSystemError } from "@/files.ts";
import type { LibraryFound } from "@/engine/tensorflow/find_library.ts";

/** The version of TensorFlow that this project is tested on. */
export const TESTED_VERSION = "2.21.0";

/** What of a system decides which library suits it. */
export type System = {
  /** As `Deno.build` calls them. */
  readonly os: string;
  readonly arch: string;
  /** Whether NVIDIA's driver is loaded. */
  readonly hasNvidiaGpu: boolean;
};

/** This system. */
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

/** The command that installs a library that suits a system. */
export function installCommand({ arch, hasNvidiaGpu }: System): string {
  const name = hasNvidiaGpu
    ? "tensorflow[and-cuda]"
    : arch === "x86_64"
    ? "tensorflow-cpu"
    : "tensorflow";
  return `python3 -m pip install '${name}==${TESTED_VERSION}'`;
}

/** The error's text, in one line. */
export function explainMissingLibrary(
  { named, lacking }: Extract<LibraryFound, { readonly library: null }>,
  system: System,
): string {
  if (system.os !== "linux") {
    return `Cannot open device tensorflow as the system must be Linux: it is ${system.os}; ` +
      "device=cpu works there";
  }
  const seen = lacking.length > 0 ? ` (${lacking.join("; ")})` : "";
  const wanted = named === null
    ? "there must be a TensorFlow library: none is in LD_LIBRARY_PATH, /usr/local, /usr, /opt or the " +
      `packages of a python3 on PATH${seen}`
    : `${named.by} must name the folder of a TensorFlow library: there is none in ` +
      `${JSON.stringify(named.path)}${seen}`;
  const target = system.hasNvidiaGpu ? " with CUDA for this machine's NVIDIA GPU" : "";
  return `Cannot open device tensorflow as ${wanted}; \`${installCommand(system)}\` installs one` +
    `${target}, then \`deno task tensorflow\` finds it (TF_LIB or tensorflow.library name one ` +
    "elsewhere); device=cpu needs none";
}
