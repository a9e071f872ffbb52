/**
 * "Did you mean" suggestions: the known word that a misspelled one most likely stands for. Used by errors of the command
 * line, of configurations and of the API.
 * @module
 */

/** Removes differences in spelling that do not count: case, dashes, underscores, periods, spaces. */
const normalize = (word: string) => word.toLowerCase().replace(/[-_.\s]/g, "");

/** Minimum length of a word that is suggested because a known word contains it. */
const MIN_PART_LENGTH = 3;

/** Words up to this length must begin with the same letter as the known word. */
const MAX_SHORT_LENGTH = 4;

/**
 * The word in `known` that `word` most likely stands for: equal except for case and dashes, else nearest by edit distance,
 * else one that begins with or contains it. Null if none is near or several are equally near.
 */
export function suggest(word: string, known: readonly string[]): string | null {
  const given = normalize(word);
  if (given === "") return null;
  const ranked = known.map((candidate) => ({
    candidate,
    cost: costOf(given, normalize(candidate)),
  }))
    .filter(({ cost }) => cost < Infinity)
    .sort((a, b) => a.cost - b.cost);
  const [best, second] = ranked;
  return best === undefined || best.cost === second?.cost ? null : best.candidate;
}

/** ` (did you mean X?)`, or an empty string if no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = suggest(word, known);
  return nearest === null ? "" : ` (did you mean ${nearest}?)`;
}

/**
 * A message that a word is unknown, with the nearest known word or else all of them.
 *
 * @param options.what What the word is, such as "option".
 */
export function describeUnknown(
  word: string,
  { what, known }: { readonly what: string; readonly known: readonly string[] },
): string {
  const hint = didYouMean(word, known);
  return hint === ""
    ? `${what} ${word} is not one of ${known.join(", ")}`
    : `there is no ${what} ${word}${hint}`;
}

/**
 * The path of a configuration, such as `training.maxSteps`, that a misspelled one most likely stands for: a near path, else
 * the only one whose last key is near the given last key.
 */
export function suggestPath(path: string, known: readonly string[]): string | null {
  const lastKey = (each: string) => each.slice(each.lastIndexOf(".") + 1);
  const nearby = known.filter((each) => {
    const [given, others] = [path.split("."), each.split(".")];
    // every key must be near, so that a long path does not hide a wrong short key
    return given.length === others.length &&
      given.every((key, i) => costOf(normalize(key), normalize(others[i] ?? "")) < Infinity);
  });
  const direct = suggest(path, nearby);
  if (direct !== null) return direct;
  const keys = [...new Set(known.map(lastKey))];
  const nearest = suggest(lastKey(path), keys);
  const found = known.filter((each) => lastKey(each) === nearest);
  return found.length === 1 ? found[0] ?? null : null;
}

/** Distance of two normalized words; Infinity if one is unlikely to be a misspelling of the other. */
function costOf(given: string, candidate: string): number {
  if (given === candidate) return 0;
  const longest = Math.max(given.length, candidate.length);
  const isOtherWord = longest <= MAX_SHORT_LENGTH && given[0] !== candidate[0]; // such as gpu and cpu
  const distance = editDistance(given, candidate);
  if (!isOtherWord && distance <= Math.floor(longest / 3)) return distance;
  if (given.length < MIN_PART_LENGTH) return Infinity;
  const extra = candidate.length - given.length;
  if (candidate.startsWith(given)) return 10 + extra;
  return candidate.includes(given) ? 100 + extra : Infinity;
}

/**
 * Number of insertions, deletions, replacements and swaps of adjacent letters between two words: the optimal string
 * alignment distance, https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance
 */
function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  const at = (i: number, j: number) => rows[i]?.[j] ?? Infinity;
  for (let j = 1; j <= b.length; j++) rows[0]?.push(j);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? at(i - 2, j - 2) + 1 : Infinity;
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped));
    }
  }
  return at(a.length, b.length);
}
