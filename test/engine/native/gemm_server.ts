/** Compiles the matrix products of the native runtime and runs them in a separate process. @module */
import { fileURLToPath } from "node:url";
import { describeRuntime } from "@/engine/native/runtime.ts";
import { startProcess } from "./byte_process.ts";
import { AARCH64, canRun } from "./emulation.ts";

const SOURCES = fileURLToPath(new URL("../../../lib/engine/native/c/", import.meta.url));
const HERE = fileURLToPath(new URL(".", import.meta.url));
const FLAGS = [
  "-D_GNU_SOURCE",
  "-fno-strict-aliasing",
  "-ffp-contract=fast",
  "-fno-math-errno",
  "-Wall",
  "-Wextra",
];
const AVX512 = ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma"];
/** Uses pairs of bfloat16 even on processors on which they are slower. */
const PAIRS = [...AVX512, "-mavx512bf16", "-DGEMM_ALWAYS_PAIRS"];

/** A build of the matrix products; `needs` is a CPU flag in Linux, `compiler` one other than the system's. */
export type Build = {
  readonly name: string;
  readonly flags: readonly string[];
  readonly needs?: string;
  readonly compiler?: string;
  readonly emulator?: string;
};

export const BUILDS: readonly Build[] = [
  { name: "this CPU", flags: ["-O3", "-march=native"] },
  { name: "avx512", flags: ["-O2", ...AVX512], needs: "avx512bw" },
  { name: "avx512_bf16", flags: ["-O2", ...PAIRS], needs: "avx512_bf16" },
  {
    name: "avx512_bf16, clang",
    flags: ["-O2", ...PAIRS],
    needs: "avx512_bf16",
    compiler: "clang",
  },
  {
    name: "amx where permitted, else avx512_bf16",
    flags: ["-O2", ...PAIRS, "-mamx-tile", "-mamx-bf16"],
    needs: "avx512_bf16",
  },
  {
    name: "amx, emulated tiles",
    flags: [
      "-O2",
      ...PAIRS,
      "-DGEMM_EMULATE_TILES",
      "-include",
      `${HERE}tile_emulation.h`,
    ],
    needs: "avx512_bf16",
  },
  { name: "avx2", flags: ["-O2", "-mavx2", "-mfma"], needs: "avx2" },
  { name: "no extensions", flags: ["-O2"] },
  {
    name: "neon",
    flags: ["-O2", "-static"],
    ...AARCH64,
  },
  {
    name: "this CPU, address sanitizer",
    flags: [
      ...["-O1", "-g", "-march=native", "-DGEMM_ALWAYS_PAIRS"],
      ...["-fsanitize=address,undefined", "-fno-sanitize-recover"],
    ],
  },
  {
    name: "this CPU, thread sanitizer",
    flags: ["-O1", "-g", "-march=native", "-DGEMM_ALWAYS_PAIRS", "-fsanitize=thread"],
  },
];

const systemCompiler = [Deno.env.get("CC"), "cc", "clang", "gcc"].find((c) => c && canRun(c));

/** Reason why a build cannot be tested on this machine, or null. */
export function missing({ needs, compiler, emulator }: Build): string | null {
  if (!compiler && !systemCompiler) return "no C compiler";
  if (compiler && !canRun(compiler)) return `no ${compiler}`;
  if (emulator && !canRun(emulator)) return `no ${emulator}`;
  if (needs === undefined) return null;
  const flags = Deno.build.os === "linux" ? Deno.readTextFileSync("/proc/cpuinfo") : "";
  return new RegExp(`\\b${needs}\\b`).test(flags) ? null : `no ${needs} in this CPU`;
}

/**
 * Answer to a request. Status: 0 success, 1 not planned, 2 equal products differed, 3 a delayed thread still found work,
 * 4 an epilogue did not get every row exactly once, complete, and every chunk exactly once.
 */
export type Answer = { readonly status: number; readonly c: Uint8Array };

/** Points at which the first thread can be delayed until the others have returned, by number. */
export const DELAYS = ["none", "before products", "after barrier"] as const;

/** Options of a multiplication. */
export type MultiplyOptions = {
  readonly threads: number;
  /** Number of equal consecutive products; default 1. */
  readonly times?: number;
  /** `after barrier` requires products with one barrier. */
  readonly delay?: typeof DELAYS[number];
  /** True to run an epilogue; default false. */
  readonly follows?: boolean;
};

/** A server process; close it when done. */
export type Server = {
  readonly multiply: (
    numbers: readonly number[],
    operands: { a: Uint8Array; b: Uint8Array; c: Uint8Array; bias: Uint8Array | null },
    options: MultiplyOptions,
  ) => Promise<Answer>;
  readonly close: () => Promise<void>;
};

/** Builds the matrix products and starts a server process. */
export async function startServer(build: Build): Promise<Server> {
  const dir = await Deno.makeTempDir();
  const program = `${dir}/server`;
  const sources = describeRuntime().sources.map(({ name }) => name)
    .filter((name) => name.startsWith("matmul/")).map((name) => SOURCES + name);
  const compiler = build.compiler ?? systemCompiler ?? "cc";
  const { success, stderr } = await new Deno.Command(compiler, {
    args: [...build.flags, ...FLAGS, `-I${SOURCES}`, `${HERE}gemm_server.c`, ...sources]
      .concat(["-o", program, "-lpthread", "-lm"]),
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stderr);
  if (!success || said !== "") throw new Error(`Cannot build ${build.name}: ${said}`);
  const command = build.emulator === undefined ? [program] : [build.emulator, program];
  const process = startProcess(build.name, command);
  return {
    async multiply(numbers, { a, b, c, bias }, options) {
      const { threads, times = 1, delay = "none", follows = false } = options;
      const operands = [a.length, b.length, c.length, bias?.length ?? 0];
      const how = [threads, times, DELAYS.indexOf(delay), Number(follows)];
      const head = [...how, ...operands, ...numbers];
      await process.write(new Uint8Array(BigInt64Array.from(head, BigInt).buffer));
      for (const operand of [a, b, c, bias]) if (operand) await process.write(operand);
      const status = new BigInt64Array((await process.read(8)).buffer)[0];
      return { status: Number(status), c: await process.read(c.length) };
    },
    async close() {
      try {
        await process.close();
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  };
}
