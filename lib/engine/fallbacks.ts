/**
 * What is not computed by the chosen executor at full speed, with the reason: an operation without a compiled kernel,
 * a program that an executor cannot compile, a function that is compiled for each shape, an executor that is not used.
 * @module
 */

/** Something that runs in another way than the fastest. */
export type Fallback = {
  /** A kernel of TensorFlow.js, a function of `jit`, or an executor. */
  readonly subject: string;
  /** What is used instead. */
  readonly to: string;
  readonly reason: string;
};

const known = new Map<string, Fallback>();

/** Adds a fallback to the list, unless it is there with the same reason. */
export function recordFallback(fallback: Fallback): void {
  const { subject, to, reason } = fallback;
  const key = JSON.stringify([subject, to, reason]);
  if (!known.has(key)) known.set(key, { subject, to, reason });
}

/** The fallbacks of this process, in the order of their first occurrence. */
export function listFallbacks(): readonly Fallback[] {
  return [...known.values()];
}

/** A fallback as a sentence without a full stop. */
export function describeFallback({ subject, to, reason }: Fallback): string {
  return `${subject} falls back to ${to} because ${reason}`;
}
