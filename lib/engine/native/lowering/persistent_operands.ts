/**
 * Packed weights that persist from run to run: packed once, and again only after the weight has changed.
 * @module
 */
import type { Memory } from "../../memory.ts";
import type { NativeBlock, NativeRuntime } from "../runtime.ts";

/** Memory for a packed weight, and its state. */
export type PersistentBlock = {
  readonly block: NativeBlock;
  /** `Memory.writes` of the weight when it was packed; null: not packed yet. */
  packed: number | null;
};

/** The blocks of all programs by weight; a block is freed with its weight. */
export class PersistentOperands {
  #blocks = new WeakMap<Memory, Map<string, PersistentBlock>>();
  #forgotten: FinalizationRegistry<NativeBlock>;

  constructor(readonly runtime: Pick<NativeRuntime, "allocate" | "free">) {
    this.#forgotten = new FinalizationRegistry((block) => runtime.free(block));
  }

  /** The block for a weight packed in the form `key`, which takes `bytes`. */
  blockOf(weight: Memory, key: string, bytes: number): PersistentBlock {
    const forms = this.#blocks.get(weight) ?? new Map<string, PersistentBlock>();
    this.#blocks.set(weight, forms);
    const known = forms.get(key);
    if (known !== undefined) return known;
    const made = { block: this.runtime.allocate(bytes), packed: null };
    this.#forgotten.register(weight, made.block);
    forms.set(key, made);
    return made;
  }

  /** Marks a weight as packed or not, for the products of the coming run. */
  announce({ block, packed }: PersistentBlock, { writes }: Memory): void {
    block.bytes[0] = packed === writes ? 1 : 0;
  }
}
