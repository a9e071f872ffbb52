/**
 * Weights the way products read them, kept from run to run: packed once, and again only after they changed.
 * @module
 */
import type { Memory } from "@/engine/memory.ts";
import type { NativeBlock, NativeRuntime } from "@/engine/native/runtime.ts";

/** Memory in which a product keeps a weight, and what of it is there. */
export type PersistentBlock = {
  readonly block: NativeBlock;
  /** `Memory.writes` of the weight that was packed; null: none yet. */
  packed: number | null;
};

/** The blocks of all programs by weight; they go with the weight. */
export class PersistentOperands {
  #blocks = new WeakMap<Memory, Map<string, PersistentBlock>>();
  #forgotten: FinalizationRegistry<NativeBlock>;

  constructor(readonly runtime: Pick<NativeRuntime, "allocate" | "free">) {
    this.#forgotten = new FinalizationRegistry((block) => runtime.free(block));
  }

  /** The block for a weight in the form of `key`, which takes `bytes`. */
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

  /** Tells products of a coming run whether the weight is packed already. */
  announce({ block, packed }: PersistentBlock, { writes }: Memory): void {
    block.bytes[0] = packed === writes ? 1 : 0;
  }
}
