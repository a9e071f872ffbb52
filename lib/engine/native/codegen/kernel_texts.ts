/**
 * The generated functions of a program. Equal texts share one function; only their arguments differ.
 * @module
 */
import { createHash } from "node:crypto";
import type { Node } from "../../ir.ts";
import type { Instruction } from "../lowering/instruction.ts";

/** A generated function. */
export type KernelText = {
  /** The C of the whole function. */
  readonly text: string;
  /** What it computes, in order, such as `row sum` or `mul`. */
  readonly operations: readonly string[];
};

/** A kernel of a program with the instructions that call it. */
export type ProgramKernel = KernelText & {
  readonly name: string;
  /** Positions of instructions, and the nodes that the kernel computes there: one for each operation. */
  readonly uses: readonly { readonly instruction: number; readonly nodes: readonly Node[] }[];
};

/** Collects the functions of a program by name. */
export class KernelTexts {
  readonly all = new Map<string, KernelText>();

  /** The name of the function with this body: a digest, so equal functions of all programs have the same name. */
  add(
    { body, operations }: {
      readonly body: string;
      readonly operations: readonly string[];
    },
  ): string {
    const name = `k_${createHash("sha256").update(body).digest("hex").slice(0, 20)}`;
    const text = `void ${name}(char *const *P, const int64_t *N, long r0, long r1, char *T) {\n` +
      `(void)P; (void)N; (void)T;\n${body}\n}`;
    this.all.set(name, { text, operations });
    return name;
  }
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

/** C source of functions. */
export function printSource(kernels: Iterable<KernelText>): string {
  const parts = [
    '#include "vec.h"',
    "static inline float bits2f(uint32_t u) { union { uint32_t u; float f; } b = { u }; return b.f; }",
    // Rows are fewer than 2^32, and 32-bit divisions are several times as fast.
    "static inline long row_divide(long a, long b) { return (uint32_t)a / (uint32_t)b; }",
    "static inline long row_remainder(long a, long b) { return (uint32_t)a % (uint32_t)b; }",
    "static inline long row_index(int32_t i, long rows, char *T) {\n" +
    "if (i >= 0 && i < rows) return i;\nset_fault(T);\nreturn 0;\n}",
  ];
  for (const { text } of kernels) parts.push(text);
  return parts.join("\n\n") + "\n";
}
