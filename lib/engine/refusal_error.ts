/**
 * What an operation throws that cannot do with its operands what it is asked to.
 * @module
 */

/**
 * Raised where an operation refuses its operands: shapes that do not fit, rows that a table does not have. Callers
 * that may go another way catch this one; anything else that is thrown is a defect.
 */
export class RefusalError extends RangeError {}

/**
 * True of a {@link RefusalError} and of the plain errors by which TensorFlow.js' own checks refuse shapes, and not of
 * broken invariants ("internal: …") or of what a defect throws.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof RefusalError ||
    (error instanceof Error && error.constructor === Error &&
      !error.message.startsWith("internal:"));
}
