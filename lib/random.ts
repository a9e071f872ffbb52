/**
 * Named streams of random numbers, the only source of randomness in the project.
 *
 * A stream depends only on a seed and a path of names. Drawing more numbers from one stream (such as dropout) therefore
 * never changes another one (such as the order of the rows).
 *
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand 0.95), seeded through MurmurHash3's finalizer.
 * @module
 */
import { hashName, mix32 } from "@/engine/hash.ts";

/** A stream of random numbers whose state can be saved and restored. */
export type Prng = {
  /** The next integer, uniform in 0 … 2³² − 1. */
  uint32(): number;
  /** The next number, uniform in [0, 1). */
  uniform(): number;
  /** The next integer, uniform in 0 … `bound` − 1, without modulo bias. */
  below(bound: number): number;
  /** The next number of the standard normal distribution (Box–Muller). */
  normal(): number;
  /** The four state words of the generator, for `restore`. */
  state(): readonly [number, number, number, number];
  /** Restores a saved state in place. */
  restore(state: readonly [number, number, number, number]): void;
};

/**
 * The stream with the path `names` for `seed`.
 *
 * @example
 * ```ts
 * import { stream } from "@/random.ts";
 * const order = stream(13, "order", "ag_news", 0);
 * order.below(6); // the same number on every machine
 * ```
 */
export function stream(seed: number, ...names: readonly (string | number)[]): Prng {
  let h = mix32(seed ^ 0x9e3779b9);
  for (const name of names) {
    h = mix32(h + (typeof name === "number" ? mix32(name + 0x7f4a7c15) : hashName(name)));
  }
  let a = mix32(h + 1), b = mix32(h + 2), c = mix32(h + 3), counter = 1;

  const uint32 = () => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) uint32(); // the first outputs are correlated with the seed
  const uniform = () => uint32() / 0x1_0000_0000;

  return {
    uint32,
    uniform,
    below(bound) {
      if (!Number.isInteger(bound) || bound < 1 || bound > 0x1_0000_0000) {
        throw new RangeError(
          `Cannot draw as the bound must be an integer from 1 to 2^32: ${bound}`,
        );
      }
      const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
      let value = uint32();
      while (value >= limit) value = uint32();
      return value % bound;
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    state: () => [a, b, c, counter],
    restore(state) {
      [a, b, c, counter] = state;
    },
  };
}

/** A copy of `items` in random order (Fisher–Yates). */
export function shuffle<T>(items: readonly T[], prng: Prng): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = prng.below(i + 1);
    const moved = result[i] as T;
    result[i] = result[j] as T;
    result[j] = moved;
  }
  return result;
}
