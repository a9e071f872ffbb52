/**
 * The generated functions of a program. Equal texts share one function; only their arguments differ.
 * @module
 */
import { createHash } from "node:crypto";

/** Collects the functions of a program by name. */
export class KernelTexts {
  /** Bodies by name. */
  readonly bodies = new Map<string, string>();

  /** The name of the function with this body: a digest, so equal functions of all programs have the same name. */
  add(body: string): string {
    const name = `k_${createHash("sha256").update(body).digest("hex").slice(0, 20)}`;
    this.bodies.set(name, body);
    return name;
  }
}

/** C source of functions with given names. */
export function printSource(bodies: ReadonlyMap<string, string>): string {
  const parts = [
    '#include "vec.h"',
    "static inline float bits2f(uint32_t u) { union { uint32_t u; float f; } b = { u }; return b.f; }",
    // Rows are fewer than 2^32, and 32-bit divisions are several times as fast.
    "static inline long row_divide(long a, long b) { return (uint32_t)a / (uint32_t)b; }",
    "static inline long row_remainder(long a, long b) { return (uint32_t)a % (uint32_t)b; }",
    "static inline long row_index(int32_t i, long rows, char *T) {\n" +
    "if (i >= 0 && i < rows) return i;\nset_fault(T);\nreturn 0;\n}",
  ];
  for (const [name, body] of bodies) {
    parts.push(
      `void ${name}(char *const *P, const int64_t *N, long r0, long r1, char *T) {\n` +
        `(void)P; (void)N; (void)T;\n${body}\n}`,
    );
  }
  return parts.join("\n\n") + "\n";
}
