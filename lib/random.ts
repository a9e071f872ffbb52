/**
 * Named streams of random numbers: the only chance in the project.
 *
 * A stream is a function of a seed and a path of names alone, so drawing more from one (say, dropout)
 * never changes what another (say, the order of the rows) will give.
 *
 * Generator: sfc32 (Chris Doty-Humphrey, PractRand 0.95), seeded through MurmurHash3's finaliser.
 * @module
 */

/** A stream of random numbers with a state that can be saved and put back. */
export type Prng = {
  /** The next whole number, uniform in 0 … 2³² − 1. */
  uint32(): number;
  /** The next number, uniform in [0, 1). */
  uniform(): number;
  /** The next whole number, uniform in 0 … `bound` − 1, without modulo bias. */
  below(bound: number): number;
  /** The next draw of the standard normal distribution (Box–Muller). */
  normal(): number;
  /** The four words of the generator; `restore` takes them back. */
  state(): readonly [number, number, number, number];
  /** Puts a saved state back, in place. */
  restore(state: readonly [number, number, number, number]): void;
};

/** MurmurHash3's 32-bit finaliser (Austin Appleby): every input bit reaches every output bit. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** FNV-1a over UTF-16 code units, finished by {@link mix32}: a 32-bit number for a name. */
export function hashName(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return mix32(h);
}

/**
 * The stream called `names` under `seed`.
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
  for (let i = 0; i < 12; i++) uint32(); // the first outputs still show the seed
  const uniform = () => uint32() / 0x1_0000_0000;

  return {
    uint32,
    uniform,
    below(bound) {
      if (!Number.isInteger(bound) || bound < 1 || bound > 0x1_0000_0000) {
        throw new RangeError(
          `Cannot draw as bound must be a whole number from 1 to 2^32: ${bound}`,
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

/** A new array with the items of `items` in random order (Fisher–Yates). */
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
