/**
 * Schemes of entity tags, and their conversion to IOB2, the scheme of this project (called BIO elsewhere).
 *
 * Schemes: Ramshaw and Marcus (1995), arXiv cmp-lg/9505040 (IOB1); Ratnaparkhi (1998) (IOB2); Ratinov and Roth (2009),
 * https://aclanthology.org/W09-1119 (BILOU, equal to IOBES but for its letters).
 * @module
 */

/** Schemes by name, with the prefixes of their tags. */
const TAG_SCHEMES = {
  IOB1: { prefixes: "BI" },
  IOB2: { prefixes: "BI" },
  IOBES: { prefixes: "BIES" },
  BILOU: { prefixes: "BILU" },
} as const;
/** One of {@link TAG_SCHEMES}. */
export type TagScheme = keyof typeof TAG_SCHEMES;

/** Tags in which a scheme was violated. */
type TagConflict = {
  /** Index of the tag sequence, and of the tag in it. */
  readonly sequence: number;
  readonly index: number;
  /** What is wrong, as the end of a sentence: `I-PER after O`. */
  readonly problem: string;
};

/**
 * Recognizes the schemes of tag sequences part by part, so that not all have to be in memory. Tags other than `O` and
 * `X-TYPE` are conflicts of every scheme.
 */
export class SchemeDetector {
  readonly #prefixes = new Set<string>();
  /** An I-X that begins an entity, which only IOB1 allows, and a B-X that does not follow X, which IOB1 does not have. */
  #begunByInside: TagConflict | null = null;
  #begunByBegin: TagConflict | null = null;
  #unknown: TagConflict | null = null;
  #sequences = 0;

  /** Takes in a sequence. */
  add(tags: readonly string[]): void {
    const sequence = this.#sequences++;
    let previous = "O";
    for (const [index, tag] of tags.entries()) {
      if (tag !== "O") {
        const prefix = tag.slice(0, tag.indexOf("-"));
        if (!/^[BIESLU]-./.test(tag)) {
          this.#unknown ??= { sequence, index, problem: `the tag ${JSON.stringify(tag)}` };
        }
        this.#prefixes.add(prefix);
        const type = tag.slice(2);
        const follows = previous !== "O" && previous.slice(2) === type;
        const place = { sequence, index, problem: `${tag} after ${previous}` };
        if (prefix === "I" && !follows) this.#begunByInside ??= place;
        if (prefix === "B" && !follows) this.#begunByBegin ??= place;
      }
      previous = tag;
    }
  }

  /** The scheme of all sequences; or the first conflict if they fit none. */
  result(): { readonly scheme: TagScheme } | { readonly conflict: TagConflict } {
    if (this.#unknown !== null) return { conflict: this.#unknown };
    const has = (letters: string) => [...letters].some((letter) => this.#prefixes.has(letter));
    if (has("ES") && has("LU")) {
      return { conflict: { sequence: 0, index: 0, problem: "tags of IOBES beside tags of BILOU" } };
    }
    if (has("ES")) return { scheme: "IOBES" };
    if (has("LU")) return { scheme: "BILOU" };
    if (this.#begunByInside === null) return { scheme: "IOB2" };
    return this.#begunByBegin === null ? { scheme: "IOB1" } : { conflict: this.#begunByInside };
  }
}

/**
 * Converts a sequence of tags to IOB2. An I, E or L that does not continue an entity of its type begins one.
 *
 * @example
 * ```ts
 * import { toIob2 } from "@/data/tag_schemes.ts";
 * toIob2(["I-PER", "I-PER", "O", "I-LOC", "B-LOC"]); // B-PER, I-PER, O, B-LOC, B-LOC
 * ```
 */
export function toIob2(tags: readonly string[]): string[] {
  let open: string | null = null; // type of the entity that the next tag may continue
  return tags.map((tag) => {
    if (tag === "O") {
      open = null;
      return tag;
    }
    const [prefix, type] = [tag[0] ?? "", tag.slice(2)];
    const begins = "BSU".includes(prefix) || open !== type;
    open = "ESLU".includes(prefix) ? null : type;
    return `${begins ? "B" : "I"}-${type}`;
  });
}
