/**
 * Dynamic dimensions: sizes that change from call to call, such as a batch's rows B and tokens T, and numbers
 * as products of them.
 *
 * Nothing is computed symbolically. A function is traced at two samples of its dynamic dimensions, primes that
 * divide no size of the model. The exponents of a number c · Bᵃ · Tᵇ are found by dividing it by the primes of
 * one sample; the resulting term must also give the number at the other sample.
 * @module
 */

/**
 * Axes of inputs by name, each a product of dynamic dimensions and constants:
 * `{ ids: ["B", "T"], labels: ["B·T"], vectors: ["B", "384"] }`. Inputs without an entry have the same shape
 * at every call.
 */
export type DynamicAxes = { readonly [input: string]: readonly string[] };

/** The dynamic dimensions of a function's inputs. */
export type DynamicDimensions = {
  readonly axes: DynamicAxes;
  /** Upper bounds of dimensions that have one. */
  readonly limits?: { readonly [name: string]: number };
};

/** Values of the dynamic dimensions, in the order of their names. */
export type Sizes = readonly number[];

/** A term: factor · Π sizeᵢ ^ powersᵢ. */
export type SizeTerm = { readonly factor: number; readonly powers: readonly number[] };

/** Thrown if a function has no form that serves all sizes; the message is the reason. */
export class NotGenericError extends Error {}

/** Separates the names in a product. */
const TIMES = "·";

/**
 * Primes for the samples, in order of preference. They are about as large as real batches, so that choices
 * that depend on a size come out as for real batches.
 */
const PRIMES = [53, 47, 43, 41, 71, 67, 61, 59, 73, 79, 83, 89, 97, 101, 103, 37, 31, 29];

/** A constant size. */
const NUMBER = /^[0-9]+$/;

/** Names of the dynamic dimensions, in the order in which each first is an axis by itself. */
export function namesOf({ axes }: DynamicDimensions): readonly string[] {
  return [...new Set(Object.values(axes).flat())]
    .filter((name) => !name.includes(TIMES) && !NUMBER.test(name));
}

/** The shape of an input with given axes at some sizes; throws if no input has a dimension as an axis by itself. */
export function shapeAt(
  axes: readonly string[],
  names: readonly string[],
  sizes: Sizes,
): readonly number[] {
  return axes.map((axis) =>
    axis.split(TIMES).reduce((product, name) => {
      const size = NUMBER.test(name) ? Number(name) : sizes[names.indexOf(name)];
      if (size === undefined) throw new Error(`internal: no input has ${name} as an axis`);
      return product * size;
    }, 1)
  );
}

/** The dynamic dimensions of a call from the shapes of its inputs; throws if the shapes contradict one another. */
export function solveSizes(
  dynamic: DynamicDimensions,
  shapes: ReadonlyMap<string, readonly number[]>,
): Sizes {
  const names = namesOf(dynamic);
  const sizes = names.map((name) => {
    for (const [input, axes] of Object.entries(dynamic.axes)) {
      const size = shapes.get(input)?.[axes.indexOf(name)];
      if (size !== undefined) return size;
    }
    throw new TypeError(`Cannot run as an input with the axis ${name} is missing`);
  });
  for (const [input, axes] of Object.entries(dynamic.axes)) {
    const wanted = shapeAt(axes, names, sizes), shape = shapes.get(input);
    if (shape !== undefined && `${shape}` !== `${wanted}`) {
      throw new RangeError(
        `Cannot run as ${input} must be [${
          axes.join(", ")
        }] = [${wanted}]: current shape is [${shape}]`,
      );
    }
  }
  return sizes;
}

/**
 * Number of pairs of samples to try. Code that branches on a size may branch differently at the two samples of a
 * pair; the next pair may agree.
 */
const TRIES = 2;

/**
 * Pairs of samples of the dynamic dimensions to try in turn. Their divisors distinguish them from each other
 * and from the `fixed` sizes. Empty if limits leave too few primes.
 */
export function chooseSamples(
  dynamic: DynamicDimensions,
  fixed: ReadonlySet<number>,
): readonly (readonly [Sizes, Sizes])[] {
  const divides = (prime: number) => [...fixed].some((size) => size > 0 && size % prime === 0);
  const left = new Set(PRIMES.filter((prime) => !divides(prime)));
  const limitOf = (name: string) => dynamic.limits?.[name] ?? Infinity;
  const take = (name: string): number[] => {
    const prime = [...left].find((prime) => prime <= limitOf(name));
    if (prime === undefined) return [];
    left.delete(prime);
    return [prime];
  };
  const names = namesOf(dynamic);
  const tightest = names.toSorted((a, b) => limitOf(a) - limitOf(b) || 0); // ∞ − ∞ is not a number
  const pairs: (readonly [Sizes, Sizes])[] = [];
  for (let i = 0; i < TRIES; i++) {
    const taken = new Map(tightest.map((name) => [name, [...take(name), ...take(name)]]));
    const samples = names.map((name) => taken.get(name) ?? []);
    if (samples.some(({ length }) => length < 2)) break;
    pairs.push([samples.map(([a]) => a as number), samples.map(([, b]) => b as number)]);
  }
  return pairs;
}

/** The term that has the two values at the two samples; null if there is none. */
export function findTerm(
  [a, b]: readonly [number, number],
  [first, second]: readonly [Sizes, Sizes],
): SizeTerm | null {
  if (a === b) return { factor: a, powers: first.map(() => 0) };
  let factor = a;
  if (factor === 0) return null;
  const powers = first.map((prime) => {
    let power = 0;
    while (factor % prime === 0) {
      factor /= prime;
      power++;
    }
    return power;
  });
  const term = { factor, powers };
  return evaluateTerm(term, second) === b ? term : null;
}

/** The terms that have some values at the first sample and others at the second; null if a pair has none. */
export function findTerms(
  some: readonly number[],
  others: readonly number[],
  samples: readonly [Sizes, Sizes],
): readonly SizeTerm[] | null {
  if (some.length !== others.length) return null;
  const terms = some.flatMap((a, i) => findTerm([a, others[i] as number], samples) ?? []);
  return terms.length === some.length ? terms : null;
}

/** The value of a term at some sizes. */
export function evaluateTerm({ factor, powers }: SizeTerm, sizes: Sizes): number {
  return powers.reduce((product, power, i) => product * (sizes[i] as number) ** power, factor);
}
