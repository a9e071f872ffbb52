/**
 * What waits for the engine: how much of it there is at most, and whose turn it is. What could not be
 * done in time is refused at once, which is better than late.
 * @module
 */

/** Most that may be there. */
export type WaitingRoomOptions = {
  readonly maxTexts: number;
  /** Of all texts together. */
  readonly maxCharacters: number;
};

/** A room of texts, each known by its characters. */
export type WaitingRoom = {
  /** Takes in the texts of a request, all or, with a `QueueFullError`, none. */
  enter(characters: readonly number[]): void;
  /** Lets out texts that are done or given up. */
  leave(characters: readonly number[]): void;
  /** Does `work` once what came before it is over: the engine computes one thing at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
};

/** The refusal of a full room. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** An empty room. */
export function createWaitingRoom({ maxTexts, maxCharacters }: WaitingRoomOptions): WaitingRoom {
  let texts = 0, total = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    enter(characters) {
      if (texts + characters.length > maxTexts) {
        throw new QueueFullError(
          `Cannot take on texts as at most ${maxTexts} may wait: try again in a moment`,
        );
      }
      if (total + sum(characters) > maxCharacters) {
        throw new QueueFullError(
          `Cannot take on texts as at most ${maxCharacters} characters may wait: ` +
            "try again in a moment",
        );
      }
      texts += characters.length;
      total += sum(characters);
    },
    leave(characters) {
      texts -= characters.length;
      total -= sum(characters);
    },
    inTurn(work) {
      const next = last.then(work, work);
      last = next.catch(() => {});
      return next;
    },
  };
}
