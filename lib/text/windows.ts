/**
 * Windows over the words of a long row. W words, C pieces that a window holds.
 * @module
 */

/** Words [start, end) of a row that stand in one window, and those it answers for. */
export type Window = {
  readonly start: number;
  readonly end: number;
  /** The window's tags count for words [from, to) alone; another window answers for the rest. */
  readonly from: number;
  readonly to: number;
};

/**
 * Lays windows over words so that each word is answered for in exactly one, with words of context on
 * both sides where the row has them. Neighbours share up to half a window; a shared word is answered
 * for where it stands further from the edge. No word is cut unless it alone exceeds a window.
 *
 * @param sizes [W] pieces of each word, 1 or more.
 * @param capacity C, 1 or more.
 */
export function planWindows(sizes: readonly number[], capacity: number): Window[] {
  const size = (word: number) => Math.min(sizes[word] ?? 0, capacity);
  /** The first word from which all words up to `end` fit into `room` pieces. */
  const reachBack = (end: number, room: number) => {
    let start = end;
    for (let used = 0; start > 0 && used + size(start - 1) <= room; start--) {
      used += size(start - 1);
    }
    return start;
  };
  /** The word after the last that fits into a window that begins at `start`. */
  const reachOn = (start: number) => {
    let end = start;
    for (let used = 0; end < sizes.length && used + size(end) <= capacity; end++) used += size(end);
    return end;
  };

  const lastStart = reachBack(sizes.length, capacity);
  const windows: Window[] = [];
  let start = 0, from = 0;
  while (true) {
    const end = reachOn(start);
    if (end >= sizes.length) {
      windows.push({ start, end, from, to: end });
      return windows;
    }
    // the next window shares half a window with this one, more if it is the last
    const next = Math.max(start + 1, Math.min(lastStart, reachBack(end, capacity >> 1)));
    const to = Math.max(from, middleWord(next, end, size));
    windows.push({ start, end, from, to });
    [start, from] = [next, to];
  }
}

/** The word of [start, end) where half the pieces lie on each side; `end` where there is none. */
function middleWord(start: number, end: number, size: (word: number) => number): number {
  let total = 0;
  for (let word = start; word < end; word++) total += size(word);
  let word = start;
  for (let used = 0; word < end && 2 * used + size(word) <= total; word++) used += size(word);
  return word;
}
