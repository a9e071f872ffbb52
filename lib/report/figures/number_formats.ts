/**
 * Number formats of training by their bits: range and rounding (IEEE 754-2019, section 3.6; bfloat16 as in
 * Kalamkar et al., arXiv 1905.12322v3).
 * @module
 */

/** Parameters of a format: digits of the significand, including the leading one, and the exponent range. */
type NumberFormat = {
  readonly digits: number;
  /** Exponent of the smallest normal number, base 2. */
  readonly leastExponent: number;
  /** Exponent of the largest number, base 2. */
  readonly mostExponent: number;
};

/** The formats by name. */
export const NUMBER_FORMATS = {
  float32: { digits: 24, leastExponent: -126, mostExponent: 127 },
  bfloat16: { digits: 8, leastExponent: -126, mostExponent: 127 },
  float16: { digits: 11, leastExponent: -14, mostExponent: 15 },
} as const satisfies Readonly<Record<string, NumberFormat>>;
/** One of {@link NUMBER_FORMATS}. */
export type FormatName = keyof typeof NUMBER_FORMATS;

/** The largest finite number. */
function largestNumber(name: FormatName): number {
  const { digits, mostExponent } = NUMBER_FORMATS[name];
  return (2 - 2 ** (1 - digits)) * 2 ** mostExponent;
}

/** Distance between neighboring numbers around a value; infinite beyond the largest number. */
export function spacingAt(value: number, name: FormatName): number {
  const { digits, leastExponent } = NUMBER_FORMATS[name];
  if (Math.abs(value) > largestNumber(name)) return Infinity;
  return 2 ** (Math.max(exponentOf(value), leastExponent) - digits + 1);
}

/** The nearest number of a format, ties to even; infinite beyond its range. */
export function roundToFormat(value: number, name: FormatName): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const { digits, leastExponent } = NUMBER_FORMATS[name];
  const unit = 2 ** (Math.max(exponentOf(value), leastExponent) - digits + 1);
  const rounded = roundHalfEven(Math.abs(value) / unit) * unit;
  return Math.sign(value) * (rounded > largestNumber(name) ? Infinity : rounded);
}

/** Exponent of the power of two at or below |value|; for 0, the smallest exponent of a double. */
function exponentOf(value: number): number {
  const size = Math.abs(value);
  if (size === 0) return -1074;
  const guess = Math.floor(Math.log2(size));
  return 2 ** guess > size ? guess - 1 : 2 ** (guess + 1) <= size ? guess + 1 : guess;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value), rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
