/**
 * The generated functions of a program, each with a comment that says what it computes.
 *
 * Equal texts are one function in all programs of a process, and one library on disk for all processes; only arguments
 * differ. A text therefore depends on nothing that differs between programs with equal kernels: values are numbered
 * within their kernel, sizes that differ from batch to batch are arguments, and the name ends in a digest of the text. The
 * nodes of a kernel and the instructions that call it are beside the text, in {@link ProgramKernel}.
 * @module
 */
import { createHash } from "node:crypto";
import type { Node } from "../../ir.ts";
import type { Instruction } from "../lowering/instruction.ts";
import { block, joinLines } from "./c_layout.ts";

/** A kernel before it has its name. */
export type KernelDraft = {
  /** What it computes, as an identifier. */
  readonly title: string;
  /** Lines of the comment, and of the body. */
  readonly comment: readonly string[];
  readonly body: readonly string[];
  /** The operation and the name of each value. */
  readonly operations: readonly string[];
  readonly values: readonly string[];
};

/** A generated function. */
export type KernelText = {
  /** The C of the whole function. */
  readonly text: string;
  /** What it computes, in order, such as `row sum` or `mul`. */
  readonly operations: readonly string[];
  /** Names of the values in the C, one for each operation. */
  readonly values: readonly string[];
};

/** A kernel of a program with the instructions that call it. */
export type ProgramKernel = KernelText & {
  readonly name: string;
  /** Positions of instructions, and the nodes that the kernel computes there: one for each value. */
  readonly uses: readonly { readonly instruction: number; readonly nodes: readonly Node[] }[];
};

/** Digits of a kernel's digest. With the title before it, names of different kernels do not collide. */
const DIGITS = 10;

/** Collects the functions of a program by name. */
export class KernelTexts {
  readonly all = new Map<string, KernelText>();

  /** The name of the function with this body; equal functions of all programs have the same name. */
  add({ title, comment, body, operations, values }: KernelDraft): string {
    const digest = createHash("sha256").update([...comment, ...body].join("\n")).digest("hex");
    const name = `${title}_${digest.slice(0, DIGITS)}`;
    const head = `void ${name}(char *const *P, const int64_t *N, long r0, long r1, char *T)`;
    const text = joinLines([...printComment(comment), ...block(head, body)]);
    this.all.set(name, { text, operations, values });
    return name;
  }
}

/** Lines as a comment. */
function printComment(lines: readonly string[]): readonly string[] {
  return ["/*", ...lines.map((line) => line === "" ? " *" : ` * ${line}`), " */"];
}

/** The kernels of a program, in the order of their first use. */
export function listKernels(
  { kernels, instructions }: {
    readonly kernels: ReadonlyMap<string, KernelText>;
    readonly instructions: readonly Pick<Instruction, "kernel" | "kernelNodes">[];
  },
): ProgramKernel[] {
  return [...kernels].map(([name, kernel]) => ({
    ...{ name, ...kernel },
    uses: instructions.flatMap(({ kernel, kernelNodes }, instruction) =>
      kernel === name ? [{ instruction, nodes: kernelNodes }] : []
    ),
  }));
}

/** Helpers of all kernels. */
const HEAD = `/*
 * Generated kernels. One call computes rows r0 to r1 - 1 of its values, or elements r0 to r1 - 1 if it has no rows:
 *
 *   P  pointers to operands and results    N  numbers that differ from call to call
 *   C  columns                             T  the thread's scratch memory, rows of CP floats after 64 bytes
 *   r  row    c  column                    m  mask of the columns that are left at the end of a row
 *
 * A vector has LANES columns; vec.h has its operations.
 */
#include "vectors/vec.h"

static inline float bits2f(uint32_t u) {
  union { uint32_t u; float f; } b = { u };
  return b.f;
}

/* Rows are fewer than 2^32, and 32-bit divisions are several times as fast. */
static inline long row_divide(long a, long b) { return (uint32_t)a / (uint32_t)b; }

static inline long row_remainder(long a, long b) { return (uint32_t)a % (uint32_t)b; }

static inline long row_index(int32_t i, long rows, char *T) {
  if (i >= 0 && i < rows) return i;
  set_fault(T);
  return 0;
}`;

/** C source of functions. */
export function printSource(kernels: Iterable<Pick<KernelText, "text">>): string {
  return [HEAD, ...[...kernels].map(({ text }) => text)].join("\n\n") + "\n";
}

/** A comment that says which nodes of a program its kernels compute, for a build to debug. */
export function describeUses(program: string, { name, values, uses }: ProgramKernel): string {
  const lines = uses.map(({ instruction, nodes }) =>
    `instruction ${instruction}: ` +
    nodes.map(({ id }, i) => `${values[i]} is node ${id}`).join(", ")
  );
  return joinLines(printComment([`${name} in ${program.replaceAll("*/", "* /")}`, "", ...lines]));
}
