/**
 * Runs programs of `jit` like the executor `native`, but on an emulated processor: the same graphs, instruction tables, C
 * and runtime, built by another compiler.
 * @module
 */
import type { TracedExecutor } from "@/engine/executor.ts";
import type { Graph } from "@/engine/graph.ts";
import type { Memory } from "@/engine/memory.ts";
import { compileGraph } from "@/engine/native/compile_graph.ts";
import { compileLibrary } from "@/engine/native/toolchain/compiler.ts";
import { type KernelText, printSource } from "@/engine/native/codegen/kernel_texts.ts";
import { describeKernels, describeRuntime } from "@/engine/native/runtime.ts";
import type { SYMBOLS } from "@/engine/native/runtime_symbols.ts";
import { encodeTable } from "@/engine/native/lowering/instruction_table.ts";
import { startEmulatedProcess } from "./emulated_process.ts";
import type { Emulation } from "./emulation.ts";

/** An executor with a process that must be closed when done. Its programs run asynchronously only and end with it. */
export type EmulatedExecutor = TracedExecutor & {
  /** Features of matrix products, as bits returned by `gemm_setup`. */
  readonly features: number;
  close(): Promise<void>;
};

const encodeText = (text: string) => new TextEncoder().encode(`${text}\0`);

/** Builds the runtime unless it is cached, and starts it with a pool of `threads`. */
export async function startEmulatedExecutor(
  emulation: Emulation,
  threads: number,
): Promise<EmulatedExecutor> {
  const path = await compileLibrary(describeRuntime(), emulation.compile);
  const process = await startEmulatedProcess(emulation);
  const { lend } = process;
  const library = await process.load(path);
  const call = async (name: keyof typeof SYMBOLS, ...values: readonly bigint[]) =>
    await process.call(await process.find(library, name), ...values);
  await call("rt_start", BigInt(threads));
  const kernels = new Map<string, bigint>();

  /** Allocates memory of the runtime. */
  async function allocate(bytes: number): Promise<bigint> {
    const address = await call("rt_alloc", BigInt(bytes));
    if (address === 0n) throw new Error(`Cannot emulate as there must be ${bytes} bytes of memory`);
    return address;
  }

  /** Compiles and loads functions that are not yet loaded. */
  async function loadKernels(all: ReadonlyMap<string, KernelText>): Promise<void> {
    const fresh = new Map([...all].filter(([name]) => !kernels.has(name)));
    if (fresh.size === 0) return;
    const path = await compileLibrary(
      describeKernels(printSource(fresh.values())),
      emulation.compile,
    );
    const loaded = await lend([encodeText(path)], ([at = 0n]) => call("rt_load", at));
    if (loaded === 0n) throw new Error(`Cannot load ${path} in the emulated runtime`);
    for (const name of fresh.keys()) {
      const find = ([at = 0n]: readonly bigint[]) => call("rt_symbol", loaded, at);
      kernels.set(name, await lend([encodeText(name)], find));
    }
  }

  async function compile(graph: Graph) {
    const { code } = compileGraph(graph, threads);
    await loadKernels(code.kernels);
    const { words } = encodeTable(code.instructions, kernels);
    const scratch = BigInt(code.scratchBytes);
    const program = await lend(
      [words],
      ([at = 0n]) => call("rt_program", at, BigInt(words.length), scratch),
    );
    if (program === 0n) throw new Error(`Cannot decode ${graph.name} as it must be well formed`);
    const arena = await allocate(code.arenaBytes);
    const constants = await allocate(code.constantBytes);
    for (const { data, offset } of code.constants) {
      await process.write(constants + BigInt(offset), data);
    }
    const persistent: { input: number; block: bigint; packed: Memory | null; writes: number }[] =
      [];
    for (const { input, numbers } of code.persistent) {
      const words = BigInt64Array.from(numbers, BigInt);
      const bytes = await lend([words], ([at = 0n]) => call("rt_persistent_bytes", at));
      persistent.push({ input, block: await allocate(Number(bytes)), packed: null, writes: 0 });
    }
    const own = graph.outputs.flatMap(({ target }, i) => target === null ? [i] : []);
    return {
      async run(inputs: readonly Memory[], outputs: readonly Memory[]) {
        for (const form of persistent) {
          const weight = inputs[form.input] as Memory;
          const isPacked = form.packed === weight && form.writes === weight.writes;
          await process.write(form.block, Int32Array.of(Number(isPacked)));
          Object.assign(form, { packed: weight, writes: weight.writes });
        }
        const blocks = [...inputs, ...own.map((i) => outputs[i] as Memory)];
        const fault = await lend(blocks.map(({ bytes }) => bytes), (addresses) => {
          const slots = [arena, constants, ...addresses, ...persistent.map(({ block }) => block)];
          return lend([BigInt64Array.from(slots)], ([at = 0n]) => call("rt_run", program, at));
        });
        if (fault !== 0n) {
          throw new RangeError(`instruction ${fault - 1n} found an index out of range`);
        }
      },
      runSync() {
        throw new Error("internal: an emulated program cannot block");
      },
      release() {},
    };
  }

  return {
    ...{ name: "emulated", version: emulation.compile.compiler.version, threads, compile },
    features: Number(await call("rt_features")),
    close: () => process.close(),
  };
}
