/**
 * Errors that the engine tells from defects, and the error of a defect.
 * @module
 */

/**
 * Thrown if an operation rejects its operands, such as incompatible shapes or indices out of range. Callers that have
 * an alternative catch this error; any other error is a bug.
 */
export class RefusalError extends RangeError {}

/**
 * True for a {@link RefusalError} and for the plain errors with which TensorFlow.js rejects shapes; false for broken
 * invariants ("internal: …") and for errors caused by bugs.
 */
export function isRefusal(error: unknown): error is Error {
  return error instanceof RefusalError ||
    (error instanceof Error && error.constructor === Error &&
      !error.message.startsWith("internal:"));
}

/** Thrown for a graph that this executor cannot run; the caller takes another executor. */
export class UnsupportedError extends Error {
  override name = "UnsupportedError";
}

/** The value of a key that `map` must have; `what` names the key in the error, which indicates a bug. */
export function lookUp<K, V>(map: ReadonlyMap<K, V>, key: K, what: string): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`internal: ${what} is not known`);
  return value;
}
