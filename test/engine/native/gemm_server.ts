/** Compiles the products of the native runtime and runs them in a process of their own. @module */
import { fileURLToPath } from "node:url";
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
/** Pairs of bfloat16 even on processors where they do not pay. */
const PAIRS = [...AVX512, "-mavx512bf16", "-DGEMM_ALWAYS_PAIRS"];

/** A way to build the products; `needs` is a CPU flag of Linux, `compiler` one other than the system's. */
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

/** Why a build cannot be tried here, or null. */
export function missing({ needs, compiler, emulator }: Build): string | null {
  if (!compiler && !systemCompiler) return "no C compiler";
  if (compiler && !canRun(compiler)) return `no ${compiler}`;
  if (emulator && !canRun(emulator)) return `no ${emulator}`;
  if (needs === undefined) return null;
  const flags = Deno.build.os === "linux" ? Deno.readTextFileSync("/proc/cpuinfo") : "";
  return new RegExp(`\\b${needs}\\b`).test(flags) ? null : `no ${needs} in this CPU`;
}

/**
 * Answer to a request: status 0 done, 1 not planned, 2 equal products differed, 3 a thread that was held up
 * still found something to do, 4 an epilogue was not given every row once, whole, and every part once.
 */
export type Answer = { readonly status: number; readonly c: Uint8Array };

/** Where the first thread can be held up until the others have returned, by number. */
export const HOLD_UPS = ["nowhere", "before products", "behind barrier"] as const;

/** How a server multiplies. */
export type MultiplyOptions = {
  readonly threads: number;
  /** Equal products in a row; 1 by default. */
  readonly times?: number;
  /** `behind barrier` is for products with one barrier each. */
  readonly heldUp?: typeof HOLD_UPS[number];
  /** An epilogue follows; by default none. */
  readonly follows?: boolean;
};

/** A process that multiplies; close it when done. */
export type Server = {
  readonly multiply: (
    numbers: readonly number[],
    operands: { a: Uint8Array; b: Uint8Array; c: Uint8Array; bias: Uint8Array | null },
    options: MultiplyOptions,
  ) => Promise<Answer>;
  readonly close: () => Promise<void>;
};

/** Builds the products and starts a process for them. */
export async function startServer(build: Build): Promise<Server> {
  const dir = await Deno.makeTempDir();
  const program = `${dir}/server`;
  const sources = [...Deno.readDirSync(SOURCES)]
    .filter(({ name }) => /^gemm.*\.c$/.test(name)).map(({ name }) => SOURCES + name);
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
      const { threads, times = 1, heldUp = "nowhere", follows = false } = options;
      const operands = [a.length, b.length, c.length, bias?.length ?? 0];
      const how = [threads, times, HOLD_UPS.indexOf(heldUp), Number(follows)];
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
