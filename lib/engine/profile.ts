/**
 * Time of compiled programs by pass, for benchmarks. Programs compiled after {@link startProfile} are
 * profiled; before, nothing is recorded.
 * @module
 */

/** The kind under which a pass is counted; see `PASS_KINDS`. */
export type PassKind = keyof typeof PASS_KINDS;

/** Kinds of passes over data. */
export const PASS_KINDS = {
  products: "matrix products",
  attention: "batched matrix products of small matrices, such as attention heads",
  rows: "loop nests that reduce rows (softmax, layer norm, their gradients)",
  columns: "loop nests that sum columns (gradients of biases and gains), elementwise work included",
  elements: "loop nests of elementwise work alone",
  lookups: "gathers and scatters by index (embeddings), with the operations fused to them",
  other: "copies, padding, concatenation, reductions of other axes",
} as const;

/** The work that a pass has to do, independent of its implementation. */
export type Work = {
  /** Multiplications and additions of matrix products; 0 for other passes. */
  readonly flops: number;
  /** Bytes of the values that it reads and writes, each counted once. */
  readonly bytes: number;
};

/** One pass with its time over all runs of its program since the last reading. */
export type Pass = Work & {
  /** The name of its generated kernel; null for an operation of the runtime, such as a matrix product. */
  readonly kernel: string | null;
  readonly kind: PassKind;
  /** Includes waiting for other threads. */
  readonly seconds: number;
};

/** The passes of a program. */
export type ProgramProfile = { readonly name: string; readonly passes: readonly Pass[] };

type Watched = { readonly name: string; readonly take: () => readonly Pass[] };

let watched: Set<Watched> | null = null;

/** Profiles programs compiled from now on. */
export function startProfile(): void {
  watched ??= new Set();
}

/** The passes of all profiled programs since the last reading. */
export function takeProfile(): readonly ProgramProfile[] {
  return [...watched ?? []].map(({ name, take }) => ({ name, passes: take() }));
}

/** Ends profiling. */
export function stopProfile(): void {
  watched = null;
}

/**
 * Registers a program; called by executors. `take` returns its passes since the last call. Returns a function to
 * call before the program is released.
 */
export function watchProgram(name: string, take: () => readonly Pass[]): () => void {
  const program = { name, take };
  watched?.add(program);
  return () => watched?.delete(program);
}
