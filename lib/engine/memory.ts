/**
 * Memory of tensors: blocks that start at a multiple of 64 bytes, as vector instructions like it.
 * @module
 */
import type { DType } from "@/engine/ir.ts";

/** Bytes of one element. */
export const ELEMENT_BYTES = { float32: 4, int32: 4, bool: 1 } as const satisfies Record<
  DType,
  number
>;

const ALIGNMENT = 64;

/** A block of memory seen as elements of a type. */
export type Elements =
  | Float32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** One block. Its address never changes; executors may keep tensors made over it. */
export class Memory {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How often its elements were replaced in place; what is derived from them is good for one number. */
  writes = 0;

  constructor(byteLength: number) {
    // V8 never moves the store of an ArrayBuffer; the start is moved up to the next boundary.
    const store = new ArrayBuffer(byteLength + ALIGNMENT);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(store)));
    const start = Number((BigInt(ALIGNMENT) - address % BigInt(ALIGNMENT)) % BigInt(ALIGNMENT));
    this.bytes = new Uint8Array(store, start, byteLength);
  }

  /** The block seen as elements of a type; the same memory, not a copy. */
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

/** A copy of given numbers as the elements of a type. */
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
