/**
 * The executor `native`: graphs as C, built by the system's compiler for this processor and run in one call.
 * @module
 */
import { NotGenericError } from "../dynamic_dimensions.ts";
import type { Isa } from "@/engine/options.ts";
import { RefusalError, UnsupportedError } from "@/engine/errors.ts";
import type { Program, SizedGraph, TracedExecutor } from "../executor.ts";
import { type Fallback, recordFallback } from "../fallbacks.ts";
import type { Graph } from "../graph.ts";
import type { Memory } from "../memory.ts";
import { compileGraph } from "./compile_graph.ts";
import { addTerms } from "./lowering/count_work.ts";
import { generalizeCode, type GenericCode } from "./codegen/generic_code.ts";
import { PersistentOperands } from "./lowering/persistent_operands.ts";
import { inspectProgram } from "./inspect_program.ts";
import type { NativeCode } from "./lowering/lay_out.ts";
import { describeUses, listKernels, printSource } from "./codegen/kernel_texts.ts";
import { type NativeBlock, type NativeRuntime, openNativeRuntime } from "./runtime.ts";
import type { Instruction } from "./lowering/instruction.ts";
import { isDebugBuild } from "./toolchain/compiler.ts";
import { encodeTable } from "./lowering/instruction_table.ts";
import { type Pass, watchProgram } from "../profile.ts";

/** Kernels that are loaded, and the arena that all programs share: one runs at a time. */
type SharedState = {
  readonly runtime: NativeRuntime;
  readonly addresses: Map<string, bigint>;
  readonly persistent: PersistentOperands;
  arena: NativeBlock | null;
};

/** Runs graphs as C; can compile at once too, for callers that cannot wait. */
type NativeExecutor = TracedExecutor & {
  /** The program of a graph, the compiler's work done before it returns; throws {@link UnsupportedError}. */
  compileSync(graph: Graph): Program;
};

type NativeOptions = {
  readonly threads: number;
  /** Instruction set; null for that of this processor. */
  readonly isa: Isa | null;
  /** Runs graphs that cannot be compiled. */
  readonly fallback: TracedExecutor;
  /** Called for each graph that cannot be compiled. */
  readonly onFallback?: (fallback: Fallback) => void;
  /** Called before the compiler builds the runtime for the first program, which takes seconds. */
  readonly onCompile?: (name: string) => void;
};

/** Starts the runtime (compiled on the first use of a machine) and makes the executor. */
export async function createNativeExecutor(options: NativeOptions): Promise<NativeExecutor> {
  const { threads, isa, fallback, onFallback, onCompile } = options;
  const onLibrary = (library: string) => {
    if (library === "runtime") onCompile?.("the runtime");
  };
  const runtime = await openNativeRuntime({ threads, isa, onCompile: onLibrary });
  const persistent = new PersistentOperands(runtime);
  const shared: SharedState = { runtime, addresses: new Map(), persistent, arena: null };
  const load = async (name: string, code: LoadedCode) => {
    const fresh = findFresh(name, code, shared);
    if (fresh !== null) fresh.take(await runtime.loadKernels(fresh.text, fresh.names));
  };
  return {
    name: "native",
    version: runtime.version,
    threads: runtime.threads,
    async compile(graph) {
      let code: NativeCode;
      try {
        code = compileGraph(graph, runtime.threads).code;
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
        const reason = `native cannot compile ${error.message}`;
        const fallen = { subject: graph.name, to: fallback.name, reason };
        recordFallback(fallen);
        onFallback?.(fallen);
        return await fallback.compile(graph);
      }
      await load(graph.name, code);
      return buildProgram(graph, code, shared);
    },
    async compileGeneric([one, other]) {
      const generic = compileSamples(one, other, runtime.threads);
      await load(one.graph.name, generic);
      return {
        at(sizes) {
          const code = generic.at(sizes);
          return code === null ? null : () => buildProgram(one.graph, code, shared);
        },
      };
    },
    compileSync(graph) {
      const { code } = compileGraph(graph, runtime.threads);
      const fresh = findFresh(graph.name, code, shared);
      if (fresh !== null) fresh.take(runtime.loadKernelsSync(fresh.text, fresh.names));
      return buildProgram(graph, code, shared);
    },
  };
}

/** The generic code of a function that was traced at two samples; throws a {@link NotGenericError}. */
function compileSamples(one: SizedGraph, other: SizedGraph, threads: number): GenericCode {
  const sample = ({ graph, sizes }: SizedGraph) => ({
    draft: compileGraph(graph, threads).draft,
    sizes,
  });
  try {
    return generalizeCode([sample(one), sample(other)]);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    throw new NotGenericError(`native cannot compile ${error.message}`);
  }
}

type LoadedCode = Pick<NativeCode, "kernels" | "instructions">;

/**
 * Kernels of the program `program` that are not yet loaded: their source, and `take` to record their addresses. For
 * debugging, the source says which nodes of the program they compute.
 */
function findFresh(program: string, code: LoadedCode, { addresses }: SharedState) {
  const { kernels } = code;
  const fresh = new Map([...kernels].filter(([name]) => !addresses.has(name)));
  if (fresh.size === 0) return null;
  const names = [...fresh.keys()];
  return {
    names,
    text: printSource(
      isDebugBuild()
        ? listKernels(code).filter(({ name }) => fresh.has(name))
          .map((kernel) => ({ text: `${describeUses(program, kernel)}\n${kernel.text}` }))
        : fresh.values(),
    ),
    take: (loaded: readonly bigint[]) =>
      names.forEach((name, i) => addresses.set(name, loaded[i] as bigint)),
  };
}

/** A program whose kernels are loaded. */
function buildProgram(graph: Graph, code: NativeCode, shared: SharedState): Program {
  const { runtime, addresses } = shared;
  const { words } = encodeTable(code.instructions, addresses);
  const program = runtime.program(words, code.scratchBytes);
  let constants: NativeBlock;
  try {
    growArena(shared, code.arenaBytes);
    constants = runtime.allocate(Math.max(64, code.constantBytes));
  } catch (error) {
    program.release();
    throw error;
  }
  for (const { data, offset } of code.constants) constants.bytes.set(data, offset);
  const own = graph.outputs.flatMap(({ target }, i) => target === null ? [i] : []);
  const addressOf = ({ bytes }: Memory) =>
    bytes.byteLength === 0 ? 0n : Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  let finalTimes: ReturnType<typeof program.times> | null = null; // of a released program
  let runs = 0; // since the profile was last read
  const persistent = code.persistent.map(({ input, numbers, key }) => ({
    ...{ input, key, bytes: runtime.persistentBytes(numbers) },
  }));
  /** The slots of a run, and `settle` to call after a successful run. */
  const bind = (inputs: readonly Memory[], outputs: readonly Memory[]) => {
    for (const { input, rows } of code.lookups) {
      checkRows((inputs[input] as Memory).elements("int32"), rows, graph.name);
    }
    const weights = persistent.map(({ input, key, bytes }) => {
      const weight = inputs[input] as Memory;
      const form = shared.persistent.blockOf(weight, key, bytes);
      shared.persistent.announce(form, weight);
      return { form, writes: weight.writes };
    });
    const slots = BigUint64Array.from([
      Deno.UnsafePointer.value(shared.arena?.pointer ?? null),
      Deno.UnsafePointer.value(constants.pointer),
      ...inputs.map(addressOf),
      ...own.map((i) => addressOf(outputs[i] as Memory)),
      ...weights.map(({ form }) => Deno.UnsafePointer.value(form.block.pointer)),
    ]);
    const settle = () => {
      runs++;
      for (const { form, writes } of weights) form.packed = writes;
    };
    return { slots, settle };
  };
  const forget = watchProgram(graph.name, () => {
    const times = program.times(true), count = runs;
    runs = 0;
    const pass = (
      kernel: string | null,
      { kind, countWork }: Pick<Instruction, "kind" | "countWork">,
      seconds: number,
    ) => {
      const { flops, bytes } = addTerms(countWork());
      return { kernel, kind, seconds, flops: count * flops, bytes: count * bytes } satisfies Pass;
    };
    return code.instructions.flatMap((instruction, i): Pass[] => {
      const { kernel, epilogue } = instruction;
      const all = times.instructions[i] ?? NaN, behind = times.epilogues[i] ?? NaN;
      return epilogue === null ? [pass(kernel, instruction, all)] : [
        pass(null, instruction, all - behind),
        pass(kernel, epilogue, behind),
      ];
    });
  });
  return {
    async run(inputs, outputs) {
      const { slots, settle } = bind(inputs, outputs);
      await program.run(slots);
      settle();
    },
    runSync(inputs, outputs) {
      const { slots, settle } = bind(inputs, outputs);
      program.runSync(slots);
      settle();
    },
    inspect: (names) =>
      inspectProgram({
        ...{ graph, names, code, runs, threads: runtime.threads },
        times: finalTimes ?? program.times(false),
      }),
    release() {
      finalTimes ??= program.times(false);
      forget();
      program.release();
      runtime.free(constants);
    },
  };
}

/** Grows the arena if a program needs more memory; it is unchanged if memory is short. */
function growArena(shared: SharedState, bytes: number): void {
  const { runtime, arena } = shared;
  if (arena !== null && arena.bytes.byteLength >= bytes) return;
  shared.arena = arena === null ? runtime.allocate(bytes) : runtime.grow(arena, bytes);
}

/** Throws if an index is out of range for a table of `rows` rows. */
function checkRows(indices: ArrayLike<number>, rows: number, name: string): void {
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i] as number;
    if (!(row >= 0 && row < rows)) {
      throw new RefusalError(
        `Cannot run ${name} as indices must be from 0 to ${rows - 1}: index ${i} is ${row}`,
      );
    }
  }
}
