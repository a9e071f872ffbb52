/**
 * Loads TensorFlow's library and its binding into this process. Both stay loaded until the process ends, so a process
 * has one library and one number of threads.
 * @module
 */
import { createRequire } from "node:module";
import process from "node:process";
import type { TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { TensorflowLibrary } from "@/engine/tensorflow/find_library.ts";

/**
 * Environment variables that TensorFlow reads when it is loaded, with the values used unless the user has set them: log
 * warnings and errors only, allocate GPU memory on demand, and do not use TF32 for float32 products.
 */
const SETTINGS = {
  TF_CPP_MIN_LOG_LEVEL: "1",
  TF_FORCE_GPU_ALLOW_GROWTH: "true",
  NVIDIA_TF32_OVERRIDE: "0",
} as const;

/** Sets the variables that TensorFlow reads when it is loaded. `threads` is the number of threads of one operation. */
export function applySettings(threads: number): void {
  const all = Object.entries({ ...SETTINGS, TF_NUM_INTRAOP_THREADS: String(threads) });
  for (const [name, value] of all) {
    if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
  }
}

/** Functions of the C library in use. */
const SYSTEM = {
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  dlerror: { parameters: [], result: "pointer" },
  dup: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

type System = Deno.DynamicLibrary<typeof SYSTEM>["symbols"];

/** Flags of `dlopen`: RTLD_NOW and RTLD_NODELETE, since the library's threads outlive all handles. */
const NOW = 2, NEVER_UNLOAD = 0x1000;
const WRITE_ONLY = 1;

const encode = (text: string) => new TextEncoder().encode(`${text}\0`);
const decode = (pointer: Deno.PointerValue) =>
  pointer === null ? "" : new Deno.UnsafePointerView(pointer).getCString();

/** Loads the library, which takes about a second, and returns its version. */
export function loadLibrary({ api, framework }: TensorflowLibrary): string {
  const { symbols: system } = Deno.dlopen("libdl.so.2", SYSTEM); // also resolves symbols of libc
  muteStderr(system, () => {
    // The framework first: some libraries have no path to it.
    for (const path of [framework, api]) {
      if (system.dlopen(encode(path), NOW | NEVER_UNLOAD) !== null) continue;
      throw new Error(
        `Cannot load TensorFlow from ${path}: ${decode(system.dlerror())}`,
      );
    }
  });
  const { symbols } = Deno.dlopen(api, { TF_Version: { parameters: [], result: "pointer" } });
  return decode(symbols.TF_Version());
}

/** Runs `load` with stderr redirected: TensorFlow logs there before it has read the log level. */
function muteStderr<T>(system: System, load: () => T): T {
  const kept = system.dup(2);
  const nowhere = system.open(encode("/dev/null"), WRITE_ONLY);
  system.dup2(nowhere, 2);
  try {
    return load();
  } finally {
    system.dup2(kept, 2);
    for (const file of [kept, nowhere]) system.close(file);
  }
}

/** Loads a built binding. */
export function loadBinding(path: string): TFJSBinding {
  restoreUtilities();
  const module: { exports: TFJSBinding | Record<string, never> } = { exports: {} };
  process.dlopen(module, path);
  const { exports } = module;
  if (!isBinding(exports)) throw new TypeError(`internal: ${path} is not a binding of TensorFlow`);
  return exports;
}

function isBinding(exports: TFJSBinding | Record<string, never>): exports is TFJSBinding {
  return typeof exports.executeOp === "function";
}

/** Restores functions of Node.js that the package uses and newer versions lack. */
function restoreUtilities(): void {
  const utilities: Record<string, unknown> = createRequire(import.meta.url)("node:util");
  utilities.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  utilities.isArray ??= Array.isArray;
}
