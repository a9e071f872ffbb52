/**
 * Names and numbers that TypeScript and C share: opcodes, words of an instruction, flags, processor features and sizes.
 * `c/abi.h` is printed from them: run `deno run -A lib/engine/native/abi.ts` after a change.
 * @module
 */
import { join } from "node:path";

/** Names with numbers, an `enum` in C. */
type Enumeration = {
  readonly comment: string;
  /** Begins the names in C. */
  readonly prefix: string;
  /** Members are numbered from 0, or are one bit each. */
  readonly numbering: "index" | "bit";
  /** Name in C of the number of members. */
  readonly count?: string;
  /** The comment of each member. */
  readonly members: Readonly<Record<string, string>>;
};

const ENUMERATIONS = {
  opcodes: {
    comment: "Operations of the runtime; operations.h says what each does.",
    ...{ prefix: "OP_", numbering: "index", count: "OPCODES" },
    members: {
      kernel: "a generated kernel",
      matmul: "a matrix product of floats, which may have an epilogue",
      ...{ scatter: "", pad: "", combine: "", copy: "", reduce: "", argReduce: "", concat: "" },
      ...{ integerMatmul: "", top: "" },
    },
  },
  head: {
    comment:
      "Words at the start of an instruction. Its pointers follow (slot << SLOT_SHIFT plus byte offset, or -1 for NULL), " +
      "then its numbers. If a matrix product has a kernel, the kernel is its epilogue: HEAD_ROWS is then the number of rows " +
      "of C, HEAD_UNIT the kernel's iterations per row, and the kernel's pointers and numbers follow those of the product.",
    ...{ prefix: "HEAD_", numbering: "index", count: "HEAD_WORDS" },
    members: {
      length: "number of words of the instruction",
      opcode: "",
      barrier: "1: all threads wait for each other before the instruction",
      pointers: "number of pointers",
      numbers: "number of numbers",
      rows: "iterations of a kernel, partitioned among threads",
      unit: "row ranges are cut at multiples of it",
      kernel: "address, or 0",
      flags: "of the kernel",
    },
  },
  kernelFlags: {
    comment: "Flags of a kernel.",
    ...{ prefix: "", numbering: "bit" },
    members: {
      everyChunk:
        "it runs for all MAX_CHUNKS chunks of every thread, also for those without rows, and has one result for each",
    },
  },
  matmulNumbers: {
    comment:
      "Numbers of a matrix product. Its pointers are A, B, C, the bias or NULL, and the memory of a persistent B.",
    ...{ prefix: "GEMM_", numbering: "index", count: "GEMM_NUMBERS" },
    members: {
      ...{ m: "rows of C", n: "columns of C", k: "elements of a sum", flags: "" },
      rowA:
        "strides in elements of the operand's type; of the two strides of A, and of B, one is 1",
      ...{ columnA: "", rowB: "", columnB: "" },
      rowC: "rows of C are contiguous",
      outerItems: "batch items, in two dimensions",
      innerItems: "",
      outerStrideA: "strides from one batch item to the next",
      ...{
        innerStrideA: "",
        outerStrideB: "",
        innerStrideB: "",
        outerStrideC: "",
        innerStrideC: "",
      },
    },
  },
  matmulFlags: {
    comment: "Flags of a matrix product.",
    ...{ prefix: "GEMM_", numbering: "bit" },
    members: {
      ...{ aBf16: "A, B and C are bfloat16", bBf16: "", cBf16: "" },
      accumulate: "C += A * B (+ bias)",
      inBf16: "round float32 operands to bfloat16 (nearest even); sums stay float32",
      roundBf16: "A * B (+ bias) is rounded before it is added to a float32 C",
      roundF16: "as GEMM_ROUND_BF16, to float16",
      persistentB: "B is packed once, into memory that outlives the run",
    },
  },
  features: {
    comment: "Features of the processor that matrix products use.",
    ...{ prefix: "GEMM_HAS_", numbering: "bit" },
    members: {
      avx512: "",
      avx512Bfloat16:
        "pairs of bfloat16; only if they are faster than float32, into which bfloat16 is converted otherwise",
      amx: "matrix units for bfloat16, if the system permits them",
      avx2: "",
      neon: "",
    },
  },
  reductions: {
    comment: "Kinds of OP_REDUCE; int32 instead of float32: plus REDUCE_KINDS.",
    ...{ prefix: "REDUCE_", numbering: "index", count: "REDUCE_KINDS" },
    members: { sum: "", max: "", min: "", prod: "" },
  },
  argReductions: {
    comment: "Kinds of OP_ARG_REDUCE; int32 instead of float32: plus ARG_REDUCE_KINDS.",
    ...{ prefix: "ARG_REDUCE_", numbering: "index", count: "ARG_REDUCE_KINDS" },
    members: { argmax: "", argmin: "" },
  },
  scatterFlags: {
    comment: "Flags of OP_SCATTER.",
    ...{ prefix: "SCATTER_", numbering: "bit" },
    members: {
      accumulate: "onto the table, which is cleared otherwise",
      int32: "instead of float32",
    },
  },
} as const satisfies Readonly<Record<string, Enumeration>>;

/** Sizes, and their comments. */
const SIZE_TABLE = {
  slotShift: [48, "a pointer in a table is a slot, shifted by so many bits, plus a byte offset"],
  matmulPointers: [4, "pointers of a matrix product, without that of a persistent B"],
  scratchHead: [
    64,
    "bytes of a thread's scratch memory before its rows; the struct Scratch is at their start",
  ],
  maxLanes: [
    16,
    "floats of the widest vector of any processor; rows of scratch memory are padded to it",
  ],
  maxChunks: [9, "most chunks of a thread's range of rows"],
  maxRank: [6, "axes of a padded array"],
  maxDigits: [16, "digits of a copied view"],
} as const satisfies Readonly<Record<string, readonly [size: number, comment: string]>>;

function numberMembers<Member extends string>(
  { members, numbering }: {
    readonly members: Readonly<Record<Member, string>>;
    readonly numbering: Enumeration["numbering"];
  },
): Readonly<Record<Member, number>> {
  const names = Object.keys(members) as Member[];
  const numbers = names.map((name, i) => [name, numbering === "bit" ? 1 << i : i] as const);
  return Object.fromEntries(numbers) as Record<Member, number>;
}

/** Operation codes of the runtime. */
export const OPCODES = numberMembers(ENUMERATIONS.opcodes);
/** Name of an operation of the runtime. */
export type Opcode = keyof typeof OPCODES;
/** Indices of the words at the start of an instruction. */
export const HEAD = numberMembers(ENUMERATIONS.head);
/** Number of these words. */
export const HEAD_WORDS = Object.keys(HEAD).length;
/** Flags of a kernel. */
export const KERNEL_FLAGS = numberMembers(ENUMERATIONS.kernelFlags);
/** Indices of the numbers of a matrix product. */
export const MATMUL_NUMBERS = numberMembers(ENUMERATIONS.matmulNumbers);
/** Flags of a matrix product. */
export const MATMUL_FLAGS = numberMembers(ENUMERATIONS.matmulFlags);
/** Processor features. */
export const FEATURES = numberMembers(ENUMERATIONS.features);
/** Kinds of reductions, and of reductions to an index. */
export const REDUCTIONS = numberMembers(ENUMERATIONS.reductions);
export const ARG_REDUCTIONS = numberMembers(ENUMERATIONS.argReductions);
/** Flags of a scatter. */
export const SCATTER_FLAGS = numberMembers(ENUMERATIONS.scatterFlags);

/** Sizes by name. */
export const SIZES = Object.fromEntries(
  Object.entries(SIZE_TABLE).map(([name, [size]]) => [name, size]),
) as Readonly<Record<keyof typeof SIZE_TABLE, number>>;

const nameInC = (prefix: string, name: string) =>
  prefix + name.replace(/[A-Z]/g, "_$&").toUpperCase();

/** A comment above a declaration, in lines of at most 100 columns. */
function printComment(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    if (`${lines.at(-1)} ${word}`.length > 96) lines.push("");
    lines.push(`${lines.pop()} ${word}`);
  }
  return lines.length === 1
    ? `/**${lines[0]} */`
    : `/**\n${lines.map((line) => ` *${line}\n`).join("")} */`;
}

function printMember(name: string, value: number | null, comment: string): string {
  const member = `  ${name}${value === null ? "" : ` = ${value}`},`;
  return comment === "" ? member : `  /* ${comment} */\n${member}`;
}

function printEnumeration({ comment, prefix, members, numbering, count }: Enumeration): string {
  const numbers = numberMembers({ members, numbering });
  const lines = Object.entries(members).map(([name, text]) =>
    printMember(nameInC(prefix, name), numbers[name] ?? null, text)
  );
  if (count !== undefined) lines.push(printMember(count, null, ""));
  return `${printComment(comment)}\nenum {\n${lines.join("\n")}\n};`;
}

/** The text of `c/abi.h`. */
export function printAbi(): string {
  const sizes = Object.entries(SIZE_TABLE).map(([name, [size, comment]]) =>
    printMember(nameInC("", name), size, comment)
  );
  return [
    "/** Names and numbers that C and TypeScript share. Generated by abi.ts: change the tables there. */",
    "#ifndef ABI_H\n#define ABI_H\n#include <stdint.h>",
    ...Object.values(ENUMERATIONS).map(printEnumeration),
    `${printComment("Sizes.")}\nenum {\n${sizes.join("\n")}\n};`,
    printComment("The start of a thread's scratch memory."),
  ].join("\n\n") + `
typedef struct {
  int32_t chunk; /* index of the current chunk, independent of the thread that runs it */
  int32_t fault; /* set by a kernel that found an index out of range */
} Scratch;

#endif
`;
}

if (import.meta.main) {
  Deno.writeTextFileSync(join(import.meta.dirname ?? ".", "c", "abi.h"), printAbi());
}
