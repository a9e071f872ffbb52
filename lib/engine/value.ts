/**
 * Values of tensors: memory, or a promise to compute it from a tape.
 * @module
 */
import type { DType, Node } from "@/engine/ir.ts";
import { ELEMENT_BYTES, type Elements, Memory } from "@/engine/memory.ts";
import { sizeOf } from "@/engine/views.ts";

/** What a TensorFlow.js tensor of this backend stands for (its data id). */
export class Value {
  /** How many tensors share the value; TensorFlow.js counts. */
  references = 1;
  /** The node that will give the value, until it has been computed. */
  node: Node | null = null;
  memory: Memory | null = null;
  /** Why it could not be computed. */
  failure: Error | null = null;

  constructor(readonly shape: readonly number[], readonly dtype: DType) {}

  /** A block for the value, made if there is none yet. */
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
 * Elements that TensorFlow.js's own kernels keep for us: strings and complex numbers, which are never
 * compiled. `dataId` belongs to its `cpu` backend.
 */
export class ForeignValue {
  references = 1;
  constructor(readonly dataId: object, readonly dtype: string) {}
}
