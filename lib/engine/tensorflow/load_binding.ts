/**
 * Loads TensorFlow's library and the binding over it into this process. Both stay for its life: one library,
 * one number of threads.
 * @module
 */
import { createRequire } from "node:module";
import process from "node:process";
import type { TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { TensorflowLibrary } from "@/engine/tensorflow/find_library.ts";

/**
 * Settings of TensorFlow that are read when it is loaded, where the user has not set them: messages from
 * warnings on, memory of a GPU as it is needed, and float32 products that are float32 on a GPU too.
 */
const SETTINGS = {
  TF_CPP_MIN_LOG_LEVEL: "1",
  TF_FORCE_GPU_ALLOW_GROWTH: "true",
  NVIDIA_TF32_OVERRIDE: "0",
} as const;

/** Sets what TensorFlow reads when it is loaded; `threads`: those that one operation may use. */
export function applySettings(threads: number): void {
  const all = Object.entries({ ...SETTINGS, TF_NUM_INTRAOP_THREADS: String(threads) });
  for (const [name, value] of all) {
    if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
  }
}

/** What is used of the system's own libraries. */
const SYSTEM = {
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  dlerror: { parameters: [], result: "pointer" },
  dup: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

type System = Deno.DynamicLibrary<typeof SYSTEM>["symbols"];

/** Flags of `dlopen`: resolve all at once, and stay even when nothing holds it, for its threads do. */
const NOW = 2, NEVER_UNLOAD = 0x1000;
const WRITE_ONLY = 1;

const encode = (text: string) => new TextEncoder().encode(`${text}\0`);
const decode = (pointer: Deno.PointerValue) =>
  pointer === null ? "" : new Deno.UnsafePointerView(pointer).getCString();

/** Loads the library, which takes a moment, and gives its version. */
export function loadLibrary({ api, framework }: TensorflowLibrary): string {
  const { symbols: system } = Deno.dlopen("libdl.so.2", SYSTEM); // leads to libc as well
  muteStderr(system, () => {
    // The framework first, for a library that does not say where its other half is.
    for (const path of [framework, api]) {
      if (system.dlopen(encode(path), NOW | NEVER_UNLOAD) !== null) continue;
      throw new Error(
        `Cannot load TensorFlow as ${path} must be a library for this system: ` +
          decode(system.dlerror()),
      );
    }
  });
  const { symbols } = Deno.dlopen(api, { TF_Version: { parameters: [], result: "pointer" } });
  return decode(symbols.TF_Version());
}

/** Runs `load` with stderr shut: TensorFlow greets there before it has read how much it is to say. */
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

/** Puts back what the package uses of Node.js and newer ones lack. */
function restoreUtilities(): void {
  const utilities: Record<string, unknown> = createRequire(import.meta.url)("node:util");
  utilities.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  utilities.isArray ??= Array.isArray;
}
