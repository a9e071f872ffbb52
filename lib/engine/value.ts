/**
 * Values of tensors: memory, or a node of a tape from which it will be computed.
 * @module
 */
import type { DType, Node } from "@/engine/ir.ts";
import { ELEMENT_BYTES, type Elements, Memory } from "@/engine/memory.ts";
import { sizeOf } from "@/engine/views.ts";

/** The value behind a TensorFlow.js tensor of this backend (its data id). */
export class Value {
  /** Number of tensors that share the value; TensorFlow.js counts them. */
  references = 1;
  /** The node that computes the value; null once it has been computed. */
  node: Node | null = null;
  memory: Memory | null = null;
  /** The error that prevented its computation. */
  failure: Error | null = null;

  constructor(readonly shape: readonly number[], readonly dtype: DType) {}

  /** Records why the value could not be computed; reading it throws that. */
  fail(error: unknown): void {
    this.failure = error instanceof Error ? error : new Error(String(error));
  }

  /** The block for the value, allocated if there is none. */
  allocate(): Memory {
    if (this.failure !== null) throw this.failure;
    this.memory ??= new Memory(sizeOf(this.shape) * ELEMENT_BYTES[this.dtype]);
    return this.memory;
  }

  /** The elements in place; the value must have been computed. */
  elements(): Elements {
    if (this.failure !== null) throw this.failure;
    if (this.memory === null) throw new Error("internal: a value was read before it was computed");
    return this.memory.elements(this.dtype);
  }
}

/**
 * Elements held by TensorFlow.js's own kernels: strings and complex numbers, which are never compiled.
 * `dataId` belongs to its `cpu` backend.
 */
export class ForeignValue {
  references = 1;
  constructor(readonly dataId: object, readonly dtype: string) {}
}
