/**
 * Operations that have been recorded and not run yet. There is one recording at a time: the eager one, or that
 * of the function `jit` is tracing.
 * @module
 */
import type { Node } from "@/engine/ir.ts";
import { Tape } from "@/engine/tape.ts";
import type { Value } from "@/engine/value.ts";

/** A tape with the values of its leaves. */
export type Recording = {
  readonly tape: Tape;
  /** Values that leaves stand for, by leaf number. */
  readonly leaves: Value[];
  readonly leafNodes: Map<Value, Node>;
  /** Inside `jit`: its name. Tensors made from numbers are constants there. */
  readonly traced: string | null;
};

/** An empty recording; `traced` is the name of the `jit` that it is for. */
export function newRecording(traced: string | null): Recording {
  return { tape: new Tape(), leaves: [], leafNodes: new Map(), traced };
}
