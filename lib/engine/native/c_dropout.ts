/**
 * The dropout mask of `dropout_mask.ts` in a kernel: hashes of the columns once a call, of the row once a
 * row, and three instructions for a vector.
 * @module
 */
import { keepThreshold, siteKeys } from "@/engine/dropout_mask.ts";
import type { KernelNumbers } from "@/engine/native/c_numbers.ts";

/** The C that gives one dropout mask. */
export type DropoutNames = {
  /** Statements once a call and once a row, empty after the first time. */
  readonly prologue: readonly string[];
  readonly row: readonly string[];
  /** The mask at column c. */
  readonly value: string;
};

/** Prints the masks of one kernel. A mask is named again in each copy of a loop's body. */
export class DropoutPrinter {
  #masks = new Map<string, DropoutNames>();

  constructor(readonly numbers: KernelNumbers, readonly scratch: (row: number) => string) {}

  /** Rows of scratch that the masks take. */
  get count(): number {
    return this.#masks.size;
  }

  /** Names a mask; the site is a number of the instruction, so that all layers share one text. */
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
        `const uint32_t seed${i} = *(const uint32_t *)P[${seedPointer}];`,
        `const uint32_t rows${i} = mix32(seed${i} ^ (uint32_t)${row});`,
        `int32_t *const columns${i} = (int32_t *)${this.scratch(i)};`,
        `hash_indices(columns${i}, mix32(seed${i} ^ (uint32_t)${column}), CP);`,
        `const int32_t threshold${i} = (int32_t)${threshold};`,
        `const float scale${i} = ${this.numbers.floatArgument(1 / (1 - rate))};`,
      ],
      row: [`const uint32_t rho${i} = mix32(rows${i} + (uint32_t)r);`],
      value: `v_dropmask(ldI(columns${i} + c), rho${i}, threshold${i}, scale${i})`,
    };
    this.#masks.set(key, names);
    return names;
  }
}
