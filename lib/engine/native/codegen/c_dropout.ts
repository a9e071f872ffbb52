/**
 * The dropout mask of `dropout_mask.ts` in a kernel: the columns are hashed once a call, the row once a row, and
 * a vector of the mask costs three instructions.
 * @module
 */
import { keepThreshold, siteKeys } from "../../dropout_mask.ts";
import type { KernelNumbers } from "./c_numbers.ts";

/** C code of one dropout mask. */
export type DropoutNames = {
  /** Statements for each call and each row; empty after the first use. */
  readonly prologue: readonly string[];
  readonly row: readonly string[];
  /** The mask at column c. */
  readonly value: string;
};

/** Prints the masks of one kernel. Each copy of a loop's body gets new variable names. */
export class DropoutPrinter {
  #masks = new Map<string, DropoutNames>();

  constructor(readonly numbers: KernelNumbers, readonly scratch: (row: number) => string) {}

  /** Number of scratch rows that the masks need. */
  get count(): number {
    return this.#masks.size;
  }

  /** Declares a mask. The site is an argument of the instruction, so that all layers share one kernel. */
  start(
    { rate, site }: { readonly rate: number; readonly site: string },
    seedPointer: number,
  ): DropoutNames {
    const key = `${rate} ${site}`;
    const known = this.#masks.get(key);
    if (known !== undefined) return { ...known, prologue: [], row: [] };
    const i = this.#masks.size;
    const keys = siteKeys(site);
    const [row, column, threshold] = [keys.row, keys.column, keepThreshold(rate)]
      .map((value) => this.numbers.argument(value));
    const names: DropoutNames = {
      prologue: [
        `const uint32_t mask_${i}_seed = *(const uint32_t *)P[${seedPointer}];`,
        `const uint32_t mask_${i}_key = mix32(mask_${i}_seed ^ (uint32_t)${row});`,
        `int32_t *const mask_${i}_columns = (int32_t *)${this.scratch(i)};`,
        `hash_indices(mask_${i}_columns, mix32(mask_${i}_seed ^ (uint32_t)${column}), CP);`,
        `const int32_t mask_${i}_threshold = (int32_t)${threshold};`,
        `const float mask_${i}_scale = ${this.numbers.floatArgument(1 / (1 - rate))};`,
      ],
      row: [`const uint32_t mask_${i}_hash = mix32(mask_${i}_key + (uint32_t)r);`],
      value:
        `v_dropmask(ldI(mask_${i}_columns + c), mask_${i}_hash, mask_${i}_threshold, mask_${i}_scale)`,
    };
    this.#masks.set(key, names);
    return names;
  }
}
