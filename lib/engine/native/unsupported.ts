/**
 * What the executor says where it cannot run a graph.
 * @module
 */

/** Raised where a graph holds what this executor cannot run; the caller takes another one. */
export class UnsupportedError extends Error {
  override name = "UnsupportedError";
}
