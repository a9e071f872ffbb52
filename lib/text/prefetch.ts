/**
 * What is needed next, made ready while work on this goes on: batches of training, texts to encode.
 * @module
 */

import type { BatchStream } from "@/text/batches.ts";

/** A stream that works ahead by one batch. */
export type PrefetchedStream = BatchStream & {
  /** Gives up what was made ready; call it when no more batches are wanted. */
  close(): void;
};

/** What is made one ahead of who asks for it. */
export type Ahead<T> = {
  /** The next one. */
  next(): T;
  /** Gives up what was made ready; call it when no more are wanted. */
  close(): void;
};

/**
 * Makes things one ahead: `next` gives the one that is ready and has the following one made in a later turn
 * of the event loop, while the caller awaits work on other threads. What `make` throws is thrown where that
 * one is asked for, not in a timer.
 */
export function makeAhead<T>(make: () => T): Ahead<T> {
  type Made = { readonly value: T } | { readonly failure: unknown };
  let ready: Made | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tryToMake = (): Made => {
    try {
      return { value: make() };
    } catch (failure) {
      return { failure };
    }
  };
  return {
    next() {
      clearTimeout(timer);
      const taken = ready ?? tryToMake();
      ready = null;
      if ("failure" in taken) throw taken.failure;
      timer = setTimeout(() => ready ??= tryToMake());
      return taken.value;
    },
    close: () => clearTimeout(timer),
  };
}

/**
 * Works ahead of `source` by one batch, which nobody else may draw from. Batches, their order and `position`
 * are those of `source` as its reader sees it.
 */
export function prefetched(source: BatchStream): PrefetchedStream {
  let position = source.position();
  const ahead = makeAhead(() => ({ batch: source.next(), after: source.position() }));
  return {
    next() {
      const { batch, after } = ahead.next();
      position = after;
      return batch;
    },
    position: () => position,
    batchesPerEpoch: source.batchesPerEpoch,
    plans: source.plans,
    close: () => ahead.close(),
  };
}
