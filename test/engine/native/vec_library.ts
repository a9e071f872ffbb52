/**
 * The vector operations of `vec.h` as functions on arrays, compiled for every instruction set of this processor and for
 * aarch64 on an emulated one.
 */
import { compileLibrary, type CompileOptions } from "@/engine/native/toolchain/compiler.ts";
import { describeKernels } from "@/engine/native/runtime.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { chooseTarget } from "@/engine/native/toolchain/target.ts";
import { startEmulatedProcess } from "./emulated_process.ts";
import { findEmulation } from "./emulation.ts";

/** C expressions of a vector `a`. */
export const UNARY = {
  exp: "v_exp(a)",
  log: "v_log(a)",
  erf: "v_erf(a)",
  tanh: "v_tanh(a)",
  sin: "v_sin(a)",
  cos: "v_cos(a)",
  sqrt: "v_sqrt(a)",
  rsqrt: "v_rsqrt(a)",
  rcp: "v_rcp(a)",
  neg: "v_neg(a)",
  abs: "v_abs(a)",
  sign: "v_sign(a)",
  floor: "v_floor(a)",
  ceil: "v_ceil(a)",
  round: "v_round(a)",
  rbf: "v_rbf(a)",
  rhf: "v_rhf(a)",
  truth: "m2f(f2m(a))",
  identity: "a",
} as const;

/** C expressions of vectors `a` and `b`. */
export const BINARY = {
  add: "a + b",
  subtract: "a - b",
  multiply: "a * b",
  divide: "a / b",
  max: "v_max(a, b)",
  min: "v_min(a, b)",
  pow: "v_pow(a, b)",
  copysign: "v_copysign(a, b)",
  fma: "v_fma(a, b, S(1))",
  gt: "m2f(v_gt(a, b))",
  ge: "m2f(v_ge(a, b))",
  lt: "m2f(v_lt(a, b))",
  le: "m2f(v_le(a, b))",
  eq: "m2f(v_eq(a, b))",
  ne: "m2f(v_ne(a, b))",
  sel: "sel(v_lt(a, b), a, b)",
  keep: "keep(v_lt(a, b), b)",
  and: "m2f(m_and(v_lt(a, b), f2m(a)))",
  or: "m2f(m_or(v_lt(a, b), f2m(a)))",
  not: "m2f(m_not(v_lt(a, b)))",
} as const;

/** Reductions of a vector `a` to a float. */
export const FOLDS = {
  lane0: "lane0(a)",
  hsum: "hsum(a)",
  hmax: "hmax(a)",
  hmin: "hmin(a)",
} as const;

/** C expressions of integer vectors `a` and `b`. */
export const INTEGER = {
  add: "w_add(a, b)",
  sub: "w_sub(a, b)",
  mul: "w_mul(a, b)",
  div: "w_div(a, b)",
  pow: "w_pow(a, b)",
  max: "w_max(a, b)",
  min: "w_min(a, b)",
  neg: "w_neg(a)",
  abs: "w_abs(a)",
  sign: "w_sign(a)",
  lt: "w_integer(m2f(w_lt(a, b)))",
  le: "w_integer(m2f(w_le(a, b)))",
  gt: "w_integer(m2f(w_gt(a, b)))",
  ge: "w_integer(m2f(w_ge(a, b)))",
  eq: "w_integer(m2f(w_eq(a, b)))",
  ne: "w_integer(m2f(w_ne(a, b)))",
  sum: "w_set((uint32_t)w_hsum(a))",
  largest: "w_set((uint32_t)w_hmax(a))",
  smallest: "w_set((uint32_t)w_hmin(a))",
  first: "w_set((uint32_t)w_lane0(a))",
} as const;

/** Storage types in C, with the suffixes of their load and store functions and their conversion from floats. */
export const STORAGE = {
  float: ["float", "", "", ""],
  bf16: ["bf16", "b", "", ""],
  int32: ["int32_t", "w", "w_float", "w_integer"],
  uint8: ["uint8_t", "q", "", ""],
} as const;

/** A loop over n elements: full vectors, then a masked tail. `@` is replaced by the `m` of masked functions. */
const loop = (body: string) => `
  long i = 0;
  for (; i + LANES <= n; i += LANES) { ${body.replaceAll("@(", "(")} }
  if (i < n) { B rest = tail(n - i); ${body.replaceAll("@(", "m(rest, ")} }
`;

const define = (name: string, body: string) =>
  `void on_${name}(const void *x, const void *y, void *z, long n) { (void)y; ${body} }\n`;

const at = (type: string, pointer: string) => `(${type} *)${pointer} + i`;

function printText(): string {
  const parts = [
    '#include "vectors/vec.h"\n',
    define("lanes", "*(int32_t *)z = LANES; (void)x; (void)n;"),
  ];
  for (const [name, expression] of Object.entries(UNARY)) {
    const body = `V a = ld@(${at("float", "x")}); st@(${at("float", "z")}, ${expression});`;
    parts.push(define(name, loop(body)));
  }
  for (const [name, expression] of Object.entries(BINARY)) {
    const load = `V a = ld@(${at("float", "x")}), b = ld@(${at("float", "y")});`;
    parts.push(define(name, loop(`${load} st@(${at("float", "z")}, ${expression});`)));
  }
  for (const [name, expression] of Object.entries(FOLDS)) {
    const body = `V a = ld((float *)x + i); ((float *)z)[i / LANES] = ${expression};`;
    parts.push(define(name, `for (long i = 0; i < n; i += LANES) { ${body} }`));
  }
  for (const [name, expression] of Object.entries(INTEGER)) {
    const load = `V a = ldw@(${at("int32_t", "x")}), b = ldw@(${at("int32_t", "y")}); (void)b;`;
    const store = `stw@(${at("int32_t", "z")}, ${expression});`;
    parts.push(define(`integer_${name}`, loop(`${load} ${store}`)));
  }
  for (const [name, [type, ending, from, to]] of Object.entries(STORAGE)) {
    const load = `st@(${at("float", "z")}, ${from}(ld${ending}@(${at(type, "x")})));`;
    const store = `st${ending}@(${at(type, "z")}, ${to}(ld@(${at("float", "x")})));`;
    parts.push(define(`load_${name}`, loop(load)), define(`store_${name}`, loop(store)));
  }
  parts.push(
    define("iota_from", "st((float *)z, iota(n)); (void)x;"),
    define("scalar_f2b", "for (long i = 0; i < n; i++) ((bf16 *)z)[i] = f2b(((float *)x)[i]);"),
    define("scalar_b2f", "for (long i = 0; i < n; i++) ((float *)z)[i] = b2f(((bf16 *)x)[i]);"),
    // x: starts of the row and column hashes, row, threshold; y: scale; z: n masks, n hashes
    define(
      "dropout",
      `const uint32_t *k = x; int32_t *hashes = (int32_t *)z + n;
      hash_indices(hashes, k[1], n);
      uint32_t rho = mix32(k[0] + k[2]);
      float scale = *(float *)y;
      for (long i = 0; i + LANES <= n; i += LANES)
        st((float *)z + i, v_dropmask(ldI(hashes + i), rho, (int32_t)k[3], scale));`,
    ),
  );
  return parts.join("\n");
}

const SIGNATURE = { parameters: ["buffer", "buffer", "buffer", "i64"], result: "void" } as const;

type Elements = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
type Storage = Elements | Uint8Array<ArrayBuffer>;

export type VecLibrary = {
  readonly variant: string;
  readonly lanes: number;
  /** Calls a function by name on arrays x, y, z (z is filled) and a count; one call at a time. */
  call(name: string, x: Storage, y: Storage, z: Storage, count: number): Promise<void>;
  /** Ends its process, if any. */
  close(): Promise<void>;
};

/** Instruction sets, and the flags with which the portable header uses the processor's features. */
const VARIANTS = [
  { name: "avx512", isa: "avx512", flags: [] },
  { name: "avx2", isa: "avx2", flags: [] },
  { name: "generic", isa: "generic", flags: [] },
  { name: "generic, fused", isa: "native", flags: ["-DVEC_GENERIC"] },
] as const;

/** Compiles the functions and returns the path of the library. */
async function compileVec(flags: readonly string[], options: CompileOptions): Promise<string> {
  return await compileLibrary({
    name: "vec",
    sources: [{ name: "vec_test.c", text: printText() }],
    headers: describeKernels("").headers,
    flags: ["-O2", "-Wall", "-Wextra", "-Werror", ...flags],
  }, options);
}

/** Creates a library whose functions are called by `call`. */
async function makeLibrary(
  variant: string,
  { call, close }: Pick<VecLibrary, "call" | "close">,
): Promise<VecLibrary> {
  const lanes = new Int32Array(1);
  await call("lanes", lanes, lanes, lanes, 0);
  return { variant, lanes: lanes[0] ?? 0, call, close };
}

async function openVariant({ name, isa, flags }: typeof VARIANTS[number]): Promise<VecLibrary> {
  const compiler = findCompiler();
  if (compiler === null) throw new Error("premise: a C compiler is installed");
  const path = await compileVec(flags, { compiler, target: chooseTarget(isa) });
  const conversions = Object.keys(STORAGE).flatMap((type) => [`load_${type}`, `store_${type}`]);
  const functions = [...Object.keys(UNARY), ...Object.keys(BINARY), ...Object.keys(FOLDS)];
  const integer = Object.keys(INTEGER).map((name) => `integer_${name}`);
  const others = [...integer, "lanes", "iota_from", "scalar_f2b", "scalar_b2f", "dropout"];
  const names = [...functions, ...conversions, ...others];
  const { symbols } = Deno.dlopen(
    path,
    Object.fromEntries(names.map((n) => [`on_${n}`, SIGNATURE])),
  );
  return await makeLibrary(name, {
    call: (name, x, y, z, count) =>
      Promise.resolve(symbols[`on_${name}`]?.(x, y, z, BigInt(count))),
    close: () => Promise.resolve(), // its code stays loaded in the process
  });
}

/** Opens the variants that this processor can run. */
export async function openVecLibraries(): Promise<readonly VecLibrary[]> {
  const able = VARIANTS.filter(({ isa }) => {
    try {
      chooseTarget(isa);
      return true;
    } catch {
      return false;
    }
  });
  return await Promise.all(able.map(openVariant));
}

/** Opens the aarch64 build (with NEON) on an emulated processor, or describes what is missing. */
export async function openEmulatedVecLibrary(): Promise<VecLibrary | { readonly missing: string }> {
  const emulation = findEmulation();
  if ("missing" in emulation) return emulation;
  const path = await compileVec([], emulation.compile);
  const process = await startEmulatedProcess(emulation);
  const library = await process.load(path);
  return await makeLibrary("on NEON, emulated", {
    async call(name, x, y, z, count) {
      const address = await process.find(library, `on_${name}`);
      await process.lend([x, y, z], (at) => process.call(address, ...at, BigInt(count)));
    },
    close: () => process.close(),
  });
}
