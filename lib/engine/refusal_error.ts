/**
 * The error of operations that reject their operands.
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
