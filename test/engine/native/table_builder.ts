/**
 * Instruction tables and runtimes with several numbers of threads, for tests of the runtime.
 */
import type { Isa } from "@/engine/options.ts";
import { basename, dirname, join } from "node:path";
import { compileLibrary } from "@/engine/native/toolchain/compiler.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import type { Opcode } from "@/engine/native/abi.ts";
import { encodeInstruction } from "@/engine/native/lowering/instruction_table.ts";
import { describeRuntime, type NativeRuntime, openNativeRuntime } from "@/engine/native/runtime.ts";
import { chooseTarget } from "@/engine/native/toolchain/target.ts";

export type TestInstruction = {
  readonly opcode: Opcode;
  readonly barrier?: boolean;
  /** Slot and byte offset; null for a NULL pointer. */
  readonly pointers: readonly (readonly [slot: number, offset: number] | null)[];
  readonly numbers: readonly (number | bigint)[];
  readonly rows?: number;
  readonly unit?: number;
  readonly kernel?: bigint;
  readonly everyChunk?: boolean;
};

/** The words of a table. */
export function encode(instructions: readonly TestInstruction[]): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(instructions.flatMap((instruction) => {
    const { opcode, barrier = true, pointers, numbers } = instruction;
    const { rows = 0, unit = 1, kernel = 0n, everyChunk = false } = instruction;
    const places = pointers.map((place) =>
      place === null ? null : { slot: place[0], offset: place[1] }
    );
    return encodeInstruction({
      ...{ opcode, barrier, rows, cut: unit, everyChunk, address: kernel, places, numbers },
    });
  }));
}

/**
 * Opens a runtime with a separate pool. A process has one pool per library file, so the compiled library is copied. Kernels
 * are compiled into a separate cache too.
 */
async function openWithThreads(threads: number, isa: Isa): Promise<NativeRuntime> {
  const compiler = findCompiler();
  if (compiler === null) throw new Error("premise: a C compiler is installed");
  const library = await compileLibrary(describeRuntime(), { compiler, target: chooseTarget(isa) });
  const entry = dirname(library), folder = Deno.makeTempDirSync({ prefix: "pool-" });
  Deno.mkdirSync(join(folder, "native", basename(entry)), { recursive: true });
  for (const { name, isFile } of Deno.readDirSync(entry)) {
    if (!isFile) continue; // sources
    Deno.copyFileSync(join(entry, name), join(folder, "native", basename(entry), name));
  }
  try {
    return await withCache(folder, () => openNativeRuntime({ threads, isa }));
  } finally {
    Deno.removeSync(folder, { recursive: true }); // the library stays open
  }
}

/** Runs `body` with another cache folder for compiled libraries. */
export async function withCache<T>(folder: string, body: () => Promise<T>): Promise<T> {
  const before = Deno.env.get("STX_CACHE");
  Deno.env.set("STX_CACHE", folder);
  try {
    return await body();
  } finally {
    if (before === undefined) Deno.env.delete("STX_CACHE");
    else Deno.env.set("STX_CACHE", before);
  }
}

/** Runtimes with one to four threads, and one with the portable instruction set. */
export async function openRuntimes(): Promise<readonly { name: string; runtime: NativeRuntime }[]> {
  const kinds = [[1, "native"], [2, "native"], [3, "native"], [4, "native"], [
    2,
    "generic",
  ]] as const;
  const opened = [];
  for (const [threads, isa] of kinds) {
    const name = `${threads} thread${threads > 1 ? "s" : ""}, ${isa}`;
    opened.push({ name, runtime: await openWithThreads(threads, isa) });
  }
  return opened;
}

/** Head of the kernels of tests; KERNEL(name) { … } defines one. */
export const KERNEL_HEAD = `#include "vectors/vec.h"
#define KERNEL(name) void name(char *const *P, const int64_t *N, long r0, long r1, char *T)
`;

/** Addresses of kernels by name. */
export type KernelAddresses<Name extends string> = Readonly<Record<Name, bigint>>;

/** Returns a function that defines a test for all `runtimes`, with the kernels `names` of the C source `text`. */
export function makeTestEach<const Name extends string>(
  runtimes: Awaited<ReturnType<typeof openRuntimes>>,
  { text, names }: { readonly text: string; readonly names: readonly Name[] },
) {
  return (
    name: string,
    body: (runtime: NativeRuntime, kernels: KernelAddresses<Name>) => Promise<void>,
  ): void => {
    for (const { name: kind, runtime } of runtimes) {
      Deno.test(`${name} (${kind})`, async () => {
        const addresses = await runtime.loadKernels(text, names);
        const kernels = Object.fromEntries(names.map((kernel, i) => [kernel, addresses[i]]));
        await body(runtime, kernels as KernelAddresses<Name>);
      });
    }
  };
}

/** An array that is copied to memory outside JavaScript for instructions to read and write. */
export type Slot = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Runs a table once on copies of arrays and returns their contents afterwards. */
export async function runTable<Slots extends readonly Slot[]>(
  runtime: NativeRuntime,
  words: BigInt64Array<ArrayBuffer>,
  ...arrays: Slots
): Promise<Slots> {
  const program = runtime.program(words, 4096);
  const blocks = arrays.map((array) => {
    const block = runtime.allocate(array.byteLength);
    block.bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return block;
  });
  const addresses = blocks.map(({ pointer }) => Deno.UnsafePointer.value(pointer));
  try {
    await program.run(BigUint64Array.from(addresses));
    return arrays.map((array, i) => {
      const bytes = blocks[i]?.bytes.slice() ?? new Uint8Array();
      if (array instanceof Float32Array) return new Float32Array(bytes.buffer);
      return array instanceof Int32Array ? new Int32Array(bytes.buffer) : bytes;
    }) as unknown as Slots;
  } finally {
    program.release();
    for (const block of blocks) runtime.free(block);
  }
}

/** Runs one operation with pointers to the arrays, in order, and returns their contents afterwards. */
export async function runOperation<Slots extends readonly Slot[]>(
  runtime: NativeRuntime,
  opcode: TestInstruction["opcode"],
  numbers: readonly (number | bigint)[],
  ...arrays: Slots
): Promise<Slots> {
  const pointers = arrays.map((_, slot) => [slot, 0] as const);
  return await runTable(runtime, encode([{ opcode, pointers, numbers }]), ...arrays);
}

/** Runs `body` with an empty cache folder for compiled libraries, whose path contains no links. */
export async function withEmptyCache<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "cache-" }));
  try {
    return await withCache(folder, () => body(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
