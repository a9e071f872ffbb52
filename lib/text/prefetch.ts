/**
 * Prefetching: prepares the next batch, or the next texts to encode, while the current one is processed.
 * @module
 */

import type { BatchStream } from "@/text/batches.ts";

/** A batch stream that prepares one batch in advance. */
export type PrefetchingStream = BatchStream & {
  /** Cancels prefetching. Call it when no more batches are needed. */
  close(): void;
};

/** Source of values that prepares one value in advance. */
type Prefetcher<T> = {
  /** Returns the next value. */
  next(): T;
  /** Cancels prefetching. Call it when no more values are needed. */
  close(): void;
};

/**
 * Creates a prefetcher. `next` returns the prepared value and schedules `make` for the one after it in a later turn
 * of the event loop, while the caller awaits work on other threads. If `make` throws, the call of `next` that
 * requests this value throws, not the timer.
 */
export function createPrefetcher<T>(make: () => T): Prefetcher<T> {
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
 * Prefetches one batch of `source`, which nothing else may read from. Yields the same batches in the same order;
 * `position` is that of the batches returned so far, not of the prefetched one.
 */
export function prefetchBatches(source: BatchStream): PrefetchingStream {
  let position = source.position();
  const ahead = createPrefetcher(() => ({ batch: source.next(), after: source.position() }));
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
