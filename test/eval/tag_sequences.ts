/**
 * Reproduces the random tag sequences of `test/parity/tag_scores.py`, in the same order.
 * @module
 */

const TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"];

/** Linear congruential generator of Numerical Recipes (1992); a draw is the upper half of its state. */
function createDraws(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return (state >>> 16) % bound;
  };
}

/** Gold and predicted tags of a batch. Any tag may follow any other; the error rate grows with the batch. */
export function makeBatch(batch: number, sentences: number) {
  const below = createDraws(batch);
  const draw = () => TAGS[below(TAGS.length)] ?? "O";
  const gold = Array.from(
    { length: sentences },
    () => Array.from({ length: 1 + below(12) }, draw),
  );
  const rate = 5 + 9 * (batch % 10);
  const predicted = gold.map((tags) => tags.map((tag) => below(100) < rate ? draw() : tag));
  return { gold, predicted };
}
