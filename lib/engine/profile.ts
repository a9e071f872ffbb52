/**
 * What compiled programs spend their time on, pass by pass, for benchmarks. Programs are watched from
 * {@link startProfile} on; until then none is, and nothing is kept.
 * @module
 */

/** What passes are counted under; see `PASS_KINDS`. */
export type PassKind = keyof typeof PASS_KINDS;

/** What each kind of pass over data is. */
export const PASS_KINDS = {
  products: "matrix products",
  attention: "matrix products of many small matrices at once, as attention's heads are",
  rows: "loop nests that reduce rows (softmax, layer norm, their gradients)",
  columns: "loop nests that sum columns (gradients of biases and gains), elementwise work included",
  elements: "loop nests of elementwise work alone",
  lookups: "gathers and scatters by row number (embeddings), with what is fused to them",
  other: "copies, padding, joining, reductions of other axes",
} as const;

/** What a pass must do, whatever way it does it. */
export type Work = {
  /** Multiplications and additions of matrix products; 0 for other passes. */
  readonly flops: number;
  /** Bytes of the values that it reads and writes, each counted once. */
  readonly bytes: number;
};

/** One pass with the time that it took, over all runs of its program since the last reading. */
export type Pass = Work & {
  readonly kind: PassKind;
  /** Waiting for other threads included. */
  readonly seconds: number;
};

/** The passes of a program. */
export type ProgramProfile = { readonly name: string; readonly passes: readonly Pass[] };

type Watched = { readonly name: string; readonly take: () => readonly Pass[] };

let watched: Set<Watched> | null = null;

/** From now on programs are watched as they are compiled. */
export function startProfile(): void {
  watched ??= new Set();
}

/** The passes of all watched programs since the last reading. */
export function takeProfile(): readonly ProgramProfile[] {
  return [...watched ?? []].map(({ name, take }) => ({ name, passes: take() }));
}

/** No program is watched any more. */
export function stopProfile(): void {
  watched = null;
}

/**
 * Called by executors: `take` gives the passes of a program since it was last called. Returns what must be
 * called before the program is released.
 */
export function watchProgram(name: string, take: () => readonly Pass[]): () => void {
  const program = { name, take };
  watched?.add(program);
  return () => watched?.delete(program);
}
