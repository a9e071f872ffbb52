/**
 * "Did you mean": the known word that a misspelled one most likely stands for. Errors of the command
 * line, of configurations and of the API take their suggestions from here.
 * @module
 */

/** Differences of spelling that do not count: case, dashes, underscores, points. */
const normalize = (word: string) => word.toLowerCase().replace(/[-_.\s]/g, "");

/** Shortest word whose occurrence inside a known one is a reason to suggest that one. */
const SHORTEST_PART = 3;

/** Longest word that must begin with the same letter as the known one. */
const LONGEST_SHORT = 4;

/**
 * The one of `known` that `word` most likely stands for: equal but for case and dashes, else a beginning
 * or a part of it, else nearest by edit distance. Null where none is near or several are equally near.
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

/** ` (did you mean X?)`, or nothing where no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = suggest(word, known);
  return nearest === null ? "" : ` (did you mean ${nearest}?)`;
}

/**
 * Says that a word is not known: with the nearest known one, else with all of them.
 *
 * @param options.what what the words are, such as "option"
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
 * The path of a configuration, such as `training.maxSteps`, that a misspelled one most likely stands for:
 * a near path, else the only one whose last key is near the last key given.
 */
export function suggestPath(path: string, known: readonly string[]): string | null {
  const lastKey = (each: string) => each.slice(each.lastIndexOf(".") + 1);
  const nearby = known.filter((each) => {
    const [given, others] = [path.split("."), each.split(".")];
    // every key is near, so that a short key is not excused by a long path
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

/** How far a normalized word is from another; Infinity where it is no likely misspelling of it. */
function costOf(given: string, candidate: string): number {
  if (given === candidate) return 0;
  const longest = Math.max(given.length, candidate.length);
  const isOtherWord = longest <= LONGEST_SHORT && given[0] !== candidate[0]; // gpu is no slip for cpu
  const distance = editDistance(given, candidate);
  if (!isOtherWord && distance <= Math.floor(longest / 3)) return distance;
  if (given.length < SHORTEST_PART) return Infinity;
  const extra = candidate.length - given.length;
  if (candidate.startsWith(given)) return 10 + extra;
  return candidate.includes(given) ? 100 + extra : Infinity;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours between two words: the optimal string
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
