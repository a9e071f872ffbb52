/**
 * Functions exported by the runtime's library.
 * @module
 */
import { ToolchainError } from "./toolchain/compiler.ts";

/** Types of the functions for `Deno.dlopen`. */
export const SYMBOLS = {
  rt_pin: { parameters: [], result: "i32" },
  rt_start: { parameters: ["i32"], result: "i32" },
  rt_features: { parameters: [], result: "i64" },
  rt_alloc: { parameters: ["i64"], result: "pointer" },
  rt_grow: { parameters: ["pointer", "i64", "i64"], result: "pointer" },
  rt_free: { parameters: ["pointer", "i64"], result: "void" },
  rt_load: { parameters: ["buffer"], result: "pointer" },
  rt_symbol: { parameters: ["pointer", "buffer"], result: "pointer" },
  rt_error: { parameters: [], result: "pointer" },
  rt_program: { parameters: ["buffer", "i64", "i64"], result: "pointer" },
  rt_persistent_bytes: { parameters: ["buffer"], result: "i64" },
  rt_run: { parameters: ["pointer", "buffer"], result: "i64" },
  /** As rt_run, but off the main thread. */
  rt_run_beside: {
    name: "rt_run",
    nonblocking: true,
    parameters: ["pointer", "buffer"],
    result: "i64",
  },
  rt_release: { parameters: ["pointer"], result: "void" },
  rt_times: { parameters: ["pointer", "buffer", "i64"], result: "void" },
} as const;

/** The callable functions. */
export type RuntimeSymbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/**
 * Opens the runtime's library. It stays loaded even when Deno closes it, because threads of the pool sleep in its code.
 */
export function openSymbols(path: string): RuntimeSymbols {
  let library: Deno.DynamicLibrary<typeof SYMBOLS>;
  try {
    library = Deno.dlopen(path, SYMBOLS);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error; // a wrong table of symbols
    throw new ToolchainError(`Cannot load the compiled runtime ${path}: ${error.message}`);
  }
  const { symbols } = library;
  if (symbols.rt_pin() === 0) throw new Error("internal: cannot keep the runtime's library loaded");
  return symbols;
}
