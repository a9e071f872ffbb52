/**
 * Learns tokens as byte-pair encoding does: merges the most frequent pair of neighboring tokens, again and again
 * (Sennrich et al., arXiv 1508.07909; Hugging Face's WordPiece trainer does the same). Deterministic: ties are
 * broken by token id.
 * @module
 */

/** The token ids of a word and how often the word occurs. Merging rewrites `tokens` in place. */
type CountedWord = { tokens: number[]; readonly count: number };

type Candidate = { readonly count: number; readonly pair: number };

/** Larger than any vocabulary, so that left · PAIR_BASE + right identifies a pair of ids. */
const PAIR_BASE = 2 ** 24;

/**
 * Returns the tokens that merging adds to `alphabet`, in the order of the merges.
 *
 * @param words number of occurrences of each normalized word.
 * @param alphabet the initial tokens: each character alone and, where it can continue a word, after "##".
 * @param options `count` is the number of tokens to add. Fewer are returned if no pair occurs twice.
 */
export function mergeTokens(
  words: ReadonlyMap<string, number>,
  alphabet: readonly string[],
  options: { readonly count: number },
): string[] {
  const tokens = [...alphabet];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const counted: CountedWord[] = [...words].map(([word, count]) => ({
    tokens: [...word].map((char, at) => ids.get(at === 0 ? char : "##" + char) ?? -1),
    count,
  })).filter((word) => !word.tokens.includes(-1));
  const table = createPairTable(counted);

  while (tokens.length < alphabet.length + options.count) {
    const best = table.takeBest();
    if (best === null || best.count < 2) break;
    const left = Math.floor(best.pair / PAIR_BASE), right = best.pair % PAIR_BASE;
    const merged = (tokens[left] ?? "") + (tokens[right] ?? "").slice(2); // without its "##"
    let id = ids.get(merged);
    if (id === undefined) {
      id = tokens.length;
      tokens.push(merged);
      ids.set(merged, id);
    }
    table.merge(best.pair, left, right, id);
  }
  return tokens.slice(alphabet.length);
}

/** Tracks how often each pair of neighbors occurs, and in which words. */
function createPairTable(words: readonly CountedWord[]) {
  const counts = new Map<number, number>();
  // pair → words; may include words that no longer contain the pair
  const wordsByPair = new Map<number, Set<number>>();
  const heap = createHeap();

  /** Adds `sign` times the word's count to each of its pairs. If `sign` is 1, adds the pairs to `grown`. */
  const addPairs = (word: number, sign: 1 | -1, grown: Set<number>) => {
    const { tokens, count } = words[word] ?? { tokens: [], count: 0 };
    for (let at = 1; at < tokens.length; at++) {
      const pair = (tokens[at - 1] ?? 0) * PAIR_BASE + (tokens[at] ?? 0);
      counts.set(pair, (counts.get(pair) ?? 0) + sign * count);
      if (sign < 0) continue;
      grown.add(pair);
      const known = wordsByPair.get(pair);
      if (known === undefined) wordsByPair.set(pair, new Set([word]));
      else known.add(word);
    }
  };
  const pushPairs = (grown: ReadonlySet<number>) => {
    for (const pair of grown) heap.push({ count: counts.get(pair) ?? 0, pair });
  };
  const all = new Set<number>();
  words.forEach((_, word) => addPairs(word, 1, all));
  pushPairs(all);

  return {
    /** Removes and returns the most frequent pair. Outdated heap entries are corrected or dropped on the way. */
    takeBest(): Candidate | null {
      for (let top; (top = heap.pop()) !== null;) {
        const count = counts.get(top.pair) ?? 0;
        if (count === top.count) return top;
        if (count > 0 && count < top.count) heap.push({ count, pair: top.pair });
      }
      return null;
    },
    /** Replaces the neighbors `left`, `right` with `id` in every word. */
    merge(pair: number, left: number, right: number, id: number): void {
      const grown = new Set<number>();
      for (const index of wordsByPair.get(pair) ?? []) {
        const word = words[index];
        if (word === undefined) continue;
        addPairs(index, -1, grown);
        const merged: number[] = [];
        for (let at = 0; at < word.tokens.length; at++) {
          const matches = word.tokens[at] === left && word.tokens[at + 1] === right;
          merged.push(matches ? id : word.tokens[at] ?? 0);
          if (matches) at++;
        }
        word.tokens = merged;
        addPairs(index, 1, grown);
      }
      wordsByPair.delete(pair);
      counts.delete(pair);
      grown.delete(pair);
      pushPairs(grown);
    },
  };
}

/** Binary heap, highest count first, then lowest pair. */
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
