/**
 * Byte-pair-like merging of word pieces, most frequent pair first (Sennrich et al., arXiv 1508.07909,
 * as Hugging Face's WordPiece trainer uses it). Deterministic: equal counts go by the order of ids.
 * @module
 */

/** A word's pieces (ids) and how often the word occurs. Rewritten while pieces are merged. */
type CountedWord = { pieces: number[]; readonly count: number };

type Candidate = { readonly count: number; readonly pair: number };

/** More pieces than any vocabulary has: a pair of ids is one number. */
const PAIR_BASE = 2 ** 24;

/**
 * New pieces, made by merging the most frequent neighbors again and again, in the order of making.
 *
 * @param words how often each normalised word occurs.
 * @param alphabet the pieces to begin with: every character, and with "##" before it.
 * @param options `count` is how many to make; fewer, once no pair occurs twice.
 */
export function mergePieces(
  words: ReadonlyMap<string, number>,
  alphabet: readonly string[],
  options: { readonly count: number },
): string[] {
  const pieces = [...alphabet];
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const counted: CountedWord[] = [...words].map(([word, count]) => ({
    pieces: [...word].map((char, at) => ids.get(at === 0 ? char : "##" + char) ?? -1),
    count,
  })).filter((word) => !word.pieces.includes(-1));
  const table = createPairTable(counted);

  while (pieces.length < alphabet.length + options.count) {
    const best = table.takeBest();
    if (best === null || best.count < 2) break;
    const left = Math.floor(best.pair / PAIR_BASE), right = best.pair % PAIR_BASE;
    const merged = (pieces[left] ?? "") + (pieces[right] ?? "").slice(2); // without its "##"
    let id = ids.get(merged);
    if (id === undefined) {
      id = pieces.length;
      pieces.push(merged);
      ids.set(merged, id);
    }
    table.merge(best.pair, left, right, id);
  }
  return pieces.slice(alphabet.length);
}

/** How often each pair of neighbors occurs and in which words, kept up to date. */
function createPairTable(words: readonly CountedWord[]) {
  const counts = new Map<number, number>();
  const places = new Map<number, Set<number>>(); // pair → words; may hold words it has left
  const heap = createHeap();

  /** Adds the pairs of a word `sign` times its count; notes those that grew. */
  const tally = (word: number, sign: 1 | -1, grown: Set<number>) => {
    const { pieces, count } = words[word] ?? { pieces: [], count: 0 };
    for (let at = 1; at < pieces.length; at++) {
      const pair = (pieces[at - 1] ?? 0) * PAIR_BASE + (pieces[at] ?? 0);
      counts.set(pair, (counts.get(pair) ?? 0) + sign * count);
      if (sign < 0) continue;
      grown.add(pair);
      const known = places.get(pair);
      if (known === undefined) places.set(pair, new Set([word]));
      else known.add(word);
    }
  };
  const offer = (grown: ReadonlySet<number>) => {
    for (const pair of grown) heap.push({ count: counts.get(pair) ?? 0, pair });
  };
  const all = new Set<number>();
  words.forEach((_, word) => tally(word, 1, all));
  offer(all);

  return {
    /** The most frequent pair; entries of the heap that are out of date are put right or dropped. */
    takeBest(): Candidate | null {
      for (let top; (top = heap.pop()) !== null;) {
        const count = counts.get(top.pair) ?? 0;
        if (count === top.count) return top;
        if (count > 0 && count < top.count) heap.push({ count, pair: top.pair });
      }
      return null;
    },
    /** Replaces the neighbors `left`, `right` by `id` in every word. */
    merge(pair: number, left: number, right: number, id: number): void {
      const grown = new Set<number>();
      for (const index of places.get(pair) ?? []) {
        const word = words[index];
        if (word === undefined) continue;
        tally(index, -1, grown);
        const rest: number[] = [];
        for (let at = 0; at < word.pieces.length; at++) {
          const both = word.pieces[at] === left && word.pieces[at + 1] === right;
          rest.push(both ? id : word.pieces[at] ?? 0);
          if (both) at++;
        }
        word.pieces = rest;
        tally(index, 1, grown);
      }
      places.delete(pair);
      counts.delete(pair);
      grown.delete(pair);
      offer(grown);
    },
  };
}

/** A binary heap: the highest count first, then the lowest pair. */
function createHeap() {
  const items: Candidate[] = [];
  const before = (a: Candidate, b: Candidate) =>
    a.count > b.count || (a.count === b.count && a.pair < b.pair);
  const at = (index: number) => items[index] as Candidate;
  const swap = (a: number, b: number) => {
    [items[a], items[b]] = [at(b), at(a)];
  };
  return {
    push(item: Candidate): void {
      items.push(item);
      for (let child = items.length - 1; child > 0;) {
        const parent = (child - 1) >> 1;
        if (!before(at(child), at(parent))) break;
        swap(child, parent);
        child = parent;
      }
    },
    pop(): Candidate | null {
      const top = items[0], last = items.pop();
      if (top === undefined || last === undefined) return null;
      if (items.length === 0) return top;
      items[0] = last;
      for (let parent = 0;;) {
        let child = 2 * parent + 1;
        if (child >= items.length) return top;
        if (child + 1 < items.length && before(at(child + 1), at(child))) child++;
        if (!before(at(child), at(parent))) return top;
        swap(child, parent);
        parent = child;
      }
    },
  };
}
