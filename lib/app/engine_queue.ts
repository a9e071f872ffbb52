/**
 * Admission control for an engine: limits the pending texts and runs one computation at a time. Texts beyond the limit
 * are rejected at once, since their response would come too late anyway.
 * @module
 */

/** Limits of an {@link EngineQueue}. */
type EngineQueueLimits = {
  readonly maxTexts: number;
  /** Maximum number of characters over all pending texts. */
  readonly maxCharacters: number;
};

/** Counts pending texts by their characters and serializes the work of an engine. */
export type EngineQueue = {
  /** Admits all texts of a request, or throws a `QueueFullError` and admits none. */
  admit(characters: readonly number[]): void;
  /** Releases texts that are done or canceled. */
  release(characters: readonly number[]): void;
  /** Runs `work` after all earlier work has ended, since the engine computes one thing at a time. */
  runExclusive<T>(work: () => Promise<T>): Promise<T>;
};

/** Thrown if a request exceeds the limits of the queue. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Creates an empty queue. */
export function createEngineQueue({ maxTexts, maxCharacters }: EngineQueueLimits): EngineQueue {
  let texts = 0, total = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    admit(characters) {
      if (texts + characters.length > maxTexts) {
        throw new QueueFullError(
          `Too many texts are waiting (at most ${maxTexts} are allowed): try again in a moment`,
        );
      }
      if (total + sum(characters) > maxCharacters) {
        throw new QueueFullError(
          `Too many characters are waiting (at most ${maxCharacters} are allowed): ` +
            "try again in a moment",
        );
      }
      texts += characters.length;
      total += sum(characters);
    },
    release(characters) {
      texts -= characters.length;
      total -= sum(characters);
    },
    runExclusive(work) {
      const next = last.then(work, work);
      last = next.catch(() => {});
      return next;
    },
  };
}
