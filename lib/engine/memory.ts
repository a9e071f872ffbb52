/**
 * Memory of tensors: blocks aligned to 64 bytes, for vector instructions.
 * @module
 */
import type { DType } from "@/engine/ir.ts";

/** Bytes of one element. */
export const ELEMENT_BYTES = { float32: 4, int32: 4, bool: 1 } as const satisfies Record<
  DType,
  number
>;

const ALIGNMENT = 64;

/** A block of memory as elements of a type. */
export type Elements =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** One block. Its address never changes, so executors may keep tensors over it. */
export class Memory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of times that its elements were replaced in place; data derived from them is valid for one number. */
  writes = 0;

  constructor(byteLength: number) {
    // V8 never moves the store of an ArrayBuffer, so aligning the start once is enough.
    const store = new ArrayBuffer(byteLength + ALIGNMENT);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(store)));
    const start = Number((BigInt(ALIGNMENT) - address % BigInt(ALIGNMENT)) % BigInt(ALIGNMENT));
    this.bytes = new Uint8Array(store, start, byteLength);
  }

  /** The block as elements of a type; the same memory, not a copy. */
  elements(dtype: DType): Elements {
    const { buffer, byteOffset, byteLength } = this.bytes;
    switch (dtype) {
      case "float32":
        return new Float32Array(buffer, byteOffset, byteLength / 4);
      case "int32":
        return new Int32Array(buffer, byteOffset, byteLength / 4);
      case "bool":
        return this.bytes;
    }
  }
}

/** Numbers copied into the elements of a type. */
export function copyElements(values: ArrayLike<number>, dtype: DType): Elements {
  switch (dtype) {
    case "float32":
      return Float32Array.from(values);
    case "int32":
      return Int32Array.from(values);
    case "bool":
      return Uint8Array.from(values);
  }
}
