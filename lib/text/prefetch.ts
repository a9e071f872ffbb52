/**
 * The next batch, made ready while the step on this one runs.
 * @module
 */

import type { BatchStream, StreamPosition } from "@/text/batches.ts";
import type { Batch } from "@/text/example.ts";

/** A stream that works ahead by one batch. */
export type PrefetchedStream = BatchStream & {
  /** Gives up what was made ready; call it when no more batches are wanted. */
  close(): void;
};

/** A batch made ahead and where the stream stood after it, or why there is none. */
type Ready =
  | { readonly batch: Batch; readonly after: StreamPosition }
  | { readonly failure: unknown };

/**
 * Works ahead of `source` by one batch, which nobody else may draw from.
 *
 * `next` gives the batch that is ready and has the following one made in a later turn of the event
 * loop: while the caller awaits a step that runs on other threads. Batches, their order and
 * `position` are those of `source` as its reader sees it.
 */
export function prefetched(source: BatchStream): PrefetchedStream {
  let ready: Ready | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let position = source.position();
  const make = (): Ready => {
    try {
      return { batch: source.next(), after: source.position() };
    } catch (failure) {
      return { failure }; // thrown where the batch is asked for, not in a timer
    }
  };
  return {
    next() {
      clearTimeout(timer);
      const taken = ready ?? make();
      ready = null;
      if ("failure" in taken) throw taken.failure;
      position = taken.after;
      timer = setTimeout(() => ready ??= make());
      return taken.batch;
    },
    position: () => position,
    batchesPerEpoch: source.batchesPerEpoch,
    plans: source.plans,
    close: () => clearTimeout(timer),
  };
}
