/**
 * Views: reshape, transpose, slice, broadcast and tile as maps of indices, which move no data.
 *
 * A view lists digits (size, stride), most significant first. The flat index of an element, written in these
 * mixed-radix digits, names the element Σ digitₖ · strideₖ + offset of the base array (row-major). A stride of
 * 0 repeats. The product of the sizes is the number of elements.
 * @module
 */

/** One digit of the mixed-radix index: its number of values, and the stride between them. */
export type Digit = { readonly size: number; readonly stride: number };
/** A map of indices; see the head of the file. */
export type View = { readonly digits: readonly Digit[]; readonly offset: number };

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Strides of a row-major array. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}

/** The view that is a row-major array itself. */
export function identityView(shape: readonly number[]): View {
  return simplifyView({ digits: [{ size: sizeOf(shape), stride: 1 }], offset: 0 });
}

/** A view from a size and a stride for each axis. */
export function stridedView(
  sizes: readonly number[],
  strides: readonly number[],
  offset = 0,
): View {
  const digits = sizes.map((size, axis) => ({ size, stride: strides[axis] as number }));
  return simplifyView({ digits, offset });
}

/** Drops digits of size 1 and merges neighbors with one common stride. */
function simplifyView({ digits, offset }: View): View {
  const kept: Digit[] = [];
  for (const digit of digits) {
    if (digit.size === 1) continue;
    const last = kept.at(-1);
    if (last !== undefined && last.stride === digit.stride * digit.size) {
      kept[kept.length - 1] = { size: last.size * digit.size, stride: digit.stride };
    } else kept.push(digit);
  }
  return { digits: kept, offset };
}

/** True if a view of `size` elements is the base array itself, in order. */
export function isContiguous({ digits, offset }: View, size: number): boolean {
  if (offset !== 0) return false;
  if (size <= 1) return true;
  const [only] = digits;
  return digits.length === 1 && only !== undefined && only.stride === 1 && only.size === size;
}

/** A condition on sizes: offset + Σ (countᵢ − 1) · stepᵢ < size, that is, steps along an axis stay inside it. */
export type Bound = {
  readonly size: number;
  readonly offset: number;
  readonly steps: readonly (readonly [count: number, step: number])[];
};

/**
 * The view `outer` of the view `inner` of an array, as one view of that array. Null if digits of the two do not
 * line up, so that the inner view must be materialized first.
 */
export function composeViews(outer: View, inner: View): View | null {
  return composeWithBounds(outer, inner)?.view ?? null;
}

/** {@link composeViews} with its conditions on sizes beyond divisibility. */
export function composeWithBounds(
  outer: View,
  inner: View,
): { readonly view: View; readonly bounds: readonly Bound[] } | null {
  // Inner digits, least significant first, each with its place value in the inner flat index.
  let place = 1;
  const places = inner.digits.toReversed().map((digit) => {
    const placed = { ...digit, place };
    place *= digit.size;
    return placed;
  });
  // Start of the outer view in inner digits, and its step along each of them.
  const starts = places.map(({ size, place }) => Math.floor(outer.offset / place) % size);
  const steps = places.map((): [number, number][] => []);
  const offset = places.reduce(
    (sum, { stride }, k) => sum + stride * (starts[k] as number),
    inner.offset,
  );

  const digits: Digit[] = [];
  for (const { size, stride } of outer.digits) {
    if (stride === 0 || size === 1) {
      digits.push({ size, stride: 0 });
      continue;
    }
    const parts: Digit[] = [];
    let rest = size, at = stride; // steps that remain, and the place value of one
    for (const [k, { size, stride, place }] of places.entries()) {
      const top = place * size;
      if (rest === 1 || at >= top) continue;
      if (at % place !== 0) return null;
      const take = rest * at <= top ? rest : top / at;
      if (!Number.isInteger(take) || rest % take !== 0) return null;
      parts.unshift({ size: take, stride: stride * (at / place) });
      steps[k]?.push([take, at / place]);
      rest /= take;
      at = top;
    }
    if (rest > 1) return null;
    digits.push(...parts);
  }
  // No digit may carry into the next one, or the map would not be linear in the outer digits.
  const bounds = places.map(({ size }, k): Bound => ({
    ...{ size, offset: starts[k] as number, steps: steps[k] ?? [] },
  }));
  if (!bounds.every(isInside)) return null;
  return { view: simplifyView({ digits, offset }), bounds };
}

/** True if a bound holds. */
export function isInside({ size, offset, steps }: Bound): boolean {
  return steps.reduce((reach, [count, step]) => reach + (count - 1) * step, offset) < size;
}

/**
 * A view over given dimensions: the digits of each of `sizes`; empty if there are no elements. Null if a digit
 * straddles a boundary that does not divide it.
 */
export function splitView({ digits }: View, sizes: readonly number[]): Digit[][] | null {
  const result: Digit[][] = sizes.map(() => []);
  if (sizes.includes(0)) return result;
  const rest = digits.map((digit) => ({ ...digit }));
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    let wanted = sizes[axis] as number;
    while (wanted > 1) {
      const digit = rest.at(-1);
      if (digit === undefined) return null;
      if (digit.size <= wanted) {
        if (wanted % digit.size !== 0) return null;
        result[axis]?.unshift(digit);
        rest.pop();
        wanted /= digit.size;
      } else {
        if (digit.size % wanted !== 0) return null;
        result[axis]?.unshift({ size: wanted, stride: digit.stride });
        rest[rest.length - 1] = { size: digit.size / wanted, stride: digit.stride * wanted };
        wanted = 1;
      }
    }
  }
  return rest.length === 0 ? result : null;
}

/** The element of the base array behind each flat index of the view. For tests and gathers. */
export function viewIndices({ digits, offset }: View): Int32Array {
  const size = digits.reduce((product, digit) => product * digit.size, 1);
  const indices = new Int32Array(size).fill(offset);
  let repeat = 1;
  for (const digit of digits.toReversed()) {
    for (let i = 0; i < size; i++) {
      indices[i] = (indices[i] as number) + (Math.floor(i / repeat) % digit.size) * digit.stride;
    }
    repeat *= digit.size;
  }
  return indices;
}
