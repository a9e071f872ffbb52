/**
 * Overlapping windows over the words of a long row. Shapes: W words; a window has at most C tokens.
 * @module
 */

/** The words [start, end) of a row that a window contains. */
export type Window = {
  readonly start: number;
  readonly end: number;
  /** The window predicts the tags of words [from, to); other windows predict the rest. */
  readonly from: number;
  readonly to: number;
};

/**
 * Plans windows so that exactly one window predicts the tag of each word, with context words on both sides if the
 * row has them. Neighboring windows share up to half a window. The window in which a shared word is further from
 * the edge predicts it. A word is truncated only if it alone exceeds a window.
 *
 * @param sizes [W] number of tokens of each word, at least 1.
 * @param capacity C, at least 1.
 */
export function planWindows(sizes: readonly number[], capacity: number): Window[] {
  const size = (word: number) => Math.min(sizes[word] ?? 0, capacity);
  /** The smallest start for which the words [start, end) have at most `room` tokens. */
  const findWindowStart = (end: number, room: number) => {
    let start = end;
    for (let used = 0; start > 0 && used + size(start - 1) <= room; start--) {
      used += size(start - 1);
    }
    return start;
  };
  /** The largest end (exclusive) of a window that begins at `start`. */
  const findWindowEnd = (start: number) => {
    let end = start;
    for (let used = 0; end < sizes.length && used + size(end) <= capacity; end++) used += size(end);
    return end;
  };

  const lastStart = findWindowStart(sizes.length, capacity);
  const windows: Window[] = [];
  let start = 0, from = 0;
  while (true) {
    const end = findWindowEnd(start);
    if (end >= sizes.length) {
      windows.push({ start, end, from, to: end });
      return windows;
    }
    // the next window shares half a window with this one, or more if it is the last
    const next = Math.max(start + 1, Math.min(lastStart, findWindowStart(end, capacity >> 1)));
    const to = Math.max(from, middleWord(next, end, size));
    windows.push({ start, end, from, to });
    [start, from] = [next, to];
  }
}

/** The word in [start, end) that has half of the tokens on each side; `end` if there is none. */
function middleWord(start: number, end: number, size: (word: number) => number): number {
  let total = 0;
  for (let word = start; word < end; word++) total += size(word);
  let word = start;
  for (let used = 0; word < end && 2 * used + size(word) <= total; word++) used += size(word);
  return word;
}
