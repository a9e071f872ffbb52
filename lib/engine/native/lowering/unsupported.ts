/**
 * The refusal of a graph that an executor cannot run.
 * @module
 */

/** Thrown for a graph that this executor cannot run; the caller takes another executor. */
export class UnsupportedError extends Error {
  override name = "UnsupportedError";
}
