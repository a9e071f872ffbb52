/**
 * Numbers in generated C. Sizes that belong to the model are literals; all others are arguments, so that one
 * kernel serves every batch shape.
 * @module
 */
import type { Digit } from "../../views.ts";

/** A float32 literal. */
export function floatLiteral(value: number): string {
  if (Number.isNaN(value)) return '__builtin_nanf("")';
  if (value === Infinity) return "__builtin_inff()";
  if (value === -Infinity) return "-__builtin_inff()";
  const rounded = Math.fround(value);
  if (Number.isInteger(rounded) && Math.abs(rounded) < 1e6) {
    return Object.is(rounded, -0) ? "-0.f" : `${rounded}.f`;
  }
  return `${rounded.toExponential(9)}f`;
}

/** The numeric arguments of one kernel, in the order of their first use in its text. */
export class KernelNumbers {
  readonly values: (number | bigint)[] = [];

  constructor(readonly modelSizes: ReadonlySet<number>) {}

  /** A number that differs from instruction to instruction. */
  argument(value: number | bigint): string {
    this.values.push(value);
    return `N[${this.values.length - 1}]`;
  }

  /** The bits of a float32 number as an argument. */
  floatArgument(value: number): string {
    const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
    return `bits2f((uint32_t)${this.argument(bits)})`;
  }

  /** A size or stride: a literal if it belongs to the model. */
  size(value: number): string {
    return value <= 1 || this.modelSizes.has(value) ? `${value}L` : this.argument(value);
  }

  /** Offset of row `r` in elements: its digits times their strides. */
  rowOffset(digits: readonly Digit[], offset: number): string {
    const terms = offset === 0 ? [] : [this.argument(offset)];
    let inner: string | null = null;
    for (const [i, { size, stride }] of digits.toReversed().entries()) {
      const above = inner === null ? "r" : `row_divide(r, ${inner})`;
      const last = i === digits.length - 1;
      const width = last ? "" : this.size(size);
      const digit = last ? above : `row_remainder(${above}, ${width})`;
      if (stride !== 0) terms.push(stride === 1 ? digit : `${digit} * ${this.size(stride)}`);
      inner = inner === null ? width : `(${inner}) * ${width}`;
    }
    return terms.length === 0 ? "0" : terms.join(" + ");
  }
}
