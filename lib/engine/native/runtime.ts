/**
 * The native runtime: its library, compiled on a machine's first use, its memory, its programs, and libraries of
 * generated kernels. The library is the C in the folder `c`.
 * @module
 */
import type { Isa } from "@/engine/options.ts";
import { join } from "node:path";
import {
  compileLibrary,
  compileLibrarySync,
  type CompileOptions,
  type Library,
  type SourceFile,
  ToolchainError,
} from "./toolchain/compiler.ts";
import { explainMissingCompiler, findCompiler } from "./toolchain/find_compiler.ts";
import { FEATURES } from "./abi.ts";
import { createProgram, type NativeProgram } from "./lowering/program.ts";
import { openSymbols, type RuntimeSymbols } from "@/engine/native/runtime_symbols.ts";
import { chooseTarget } from "./toolchain/target.ts";

/** Page-aligned memory outside the JavaScript heap. */
export type NativeBlock = {
  readonly pointer: Deno.PointerObject;
  /** The memory, initially zero; must not be used after `free`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
};

/** Processor features that matrix products use; `FEATURES` of `abi.ts` describes them. */
export type NativeFeatures = { readonly [Feature in keyof typeof FEATURES]: boolean };

/** The runtime's interface. */
export type NativeRuntime = {
  /** Compiler and instruction set, for records. */
  readonly version: string;
  /** Threads of the pool, set by the first opening in this process. */
  readonly threads: number;
  readonly features: NativeFeatures;
  /** Zeroed memory; throws a RangeError if the system has none. */
  allocate(bytes: number): NativeBlock;
  /**
   * Replaces a block by one of at least as many bytes; the content is lost. Throws if memory is short; the old block then
   * remains valid.
   */
  grow(block: NativeBlock, bytes: number): NativeBlock;
  free(block: NativeBlock): void;
  /** Bytes of the persistent second operand of a matrix product with these numbers; 0: it has none. */
  persistentBytes(numbers: readonly number[]): number;
  /** Addresses of C functions (`vectors/vec.h` may be included), compiled unless they are cached. */
  loadKernels(text: string, names: readonly string[]): Promise<readonly bigint[]>;
  /** {@link loadKernels} for synchronous callers. */
  loadKernelsSync(text: string, names: readonly string[]): readonly bigint[];
  /** Decodes an instruction table; `scratchBytes` is the scratch memory of each thread, including its head. */
  program(words: BigInt64Array<ArrayBuffer>, scratchBytes: number): NativeProgram;
};

/** Options of {@link openNativeRuntime}. */
type NativeRuntimeOptions = {
  /** Threads of the pool, if this process has none yet; null: one for each processor. */
  readonly threads: number | null;
  /** One of `ISAS`; null: all that this processor has. */
  readonly isa: Isa | null;
  /** Called before a library is compiled. */
  readonly onCompile?: (library: string) => void;
};

const FOLDER = join(import.meta.dirname ?? ".", "c");

/** Names of the files in the folder of C and below it, with their folders. */
function listFiles(folder = ""): readonly string[] {
  return [...Deno.readDirSync(join(FOLDER, folder))].flatMap(({ name, isDirectory }) =>
    isDirectory ? listFiles(`${folder}${name}/`) : [folder + name]
  ).sort();
}

/** Files in the folder of C whose names, with their folders, match. */
function readFiles(pattern: RegExp): readonly SourceFile[] {
  return listFiles().filter((name) => pattern.test(name))
    .map((name) => ({ name, text: Deno.readTextFileSync(join(FOLDER, name)) }));
}

/** The library of the runtime. */
export function describeRuntime(): Library {
  return {
    name: "runtime",
    sources: readFiles(/\.c$/),
    headers: readFiles(/\.h$/),
    flags: ["-O3", "-fvisibility=hidden"],
  };
}

/** A library of generated functions with the C source `text`. */
export function describeKernels(text: string): Library {
  return {
    name: "kernels",
    sources: [{ name: "kernels.c", text }],
    headers: readFiles(/^(abi|vectors\/.*)\.h$/),
    flags: ["-O2"],
  };
}

/** Opens the runtime: compiles it unless it is cached, and starts the thread pool once. */
export async function openNativeRuntime(options: NativeRuntimeOptions): Promise<NativeRuntime> {
  const compiler = findCompiler();
  if (compiler === null) throw new Error(explainMissingCompiler());
  const target = chooseTarget(options.isa);
  const compile: CompileOptions = { compiler, target, onCompile: options.onCompile };
  const symbols = openSymbols(await compileLibrary(describeRuntime(), compile));
  const threads = symbols.rt_start(options.threads ?? navigator.hardwareConcurrency);
  return {
    version: `${compiler.version}, ${target.isa}`,
    threads,
    features: readFeatures(symbols),
    ...createMemory(symbols),
    persistentBytes: (numbers) => {
      const words = BigInt64Array.from(numbers, BigInt);
      return Number(symbols.rt_persistent_bytes(new Uint8Array(words.buffer)));
    },
    ...createLoader(symbols, compile),
    program: (words, scratchBytes) => createProgram(symbols, words, { scratchBytes, threads }),
  };
}

function readFeatures(symbols: RuntimeSymbols): NativeFeatures {
  const bits = Number(symbols.rt_features());
  const has = Object.entries(FEATURES).map(([name, bit]) => [name, (bits & bit) !== 0]);
  return Object.fromEntries(has) as NativeFeatures;
}

function createMemory(symbols: RuntimeSymbols): Pick<NativeRuntime, "allocate" | "grow" | "free"> {
  const blockAt = (pointer: Deno.PointerValue, bytes: number): NativeBlock => {
    if (pointer === null) {
      throw new RangeError(`Cannot allocate ${bytes} bytes: out of memory`);
    }
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, bytes);
    return { pointer, bytes: new Uint8Array(buffer) };
  };
  return {
    allocate: (bytes) => blockAt(symbols.rt_alloc(BigInt(bytes)), bytes),
    grow: ({ pointer, bytes: { byteLength } }, bytes) =>
      blockAt(symbols.rt_grow(pointer, BigInt(byteLength), BigInt(bytes)), bytes),
    free({ pointer, bytes }) {
      symbols.rt_free(pointer, BigInt(bytes.byteLength));
    },
  };
}

/** Loads libraries of kernels, which stay loaded because programs hold their addresses. */
function createLoader(
  symbols: RuntimeSymbols,
  compile: CompileOptions,
): Pick<NativeRuntime, "loadKernels" | "loadKernelsSync"> {
  const load = (path: string, names: readonly string[]) => {
    const library = symbols.rt_load(encodeText(path));
    if (library === null) {
      const reason = readText(symbols.rt_error());
      throw new ToolchainError(`Cannot load the compiled kernels ${path}: ${reason}`);
    }
    return names.map((name) => {
      const address = symbols.rt_symbol(library, encodeText(name));
      if (address === null) {
        throw new RangeError(`Cannot load kernels as their source does not define ${name}`);
      }
      return Deno.UnsafePointer.value(address);
    });
  };
  return {
    loadKernels: async (text, names) =>
      load(await compileLibrary(describeKernels(text), compile), names),
    loadKernelsSync: (text, names) =>
      load(compileLibrarySync(describeKernels(text), compile), names),
  };
}

const encodeText = (text: string) => new TextEncoder().encode(`${text}\0`);

const readText = (pointer: Deno.PointerValue) =>
  pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
