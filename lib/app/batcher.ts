/**
 * Micro-batches: requests that come within a few milliseconds of one another are computed together, those
 * of like length first, as a batch is padded to its longest row.
 * @module
 */
import type { WaitingRoom } from "./waiting_room.ts";

/** How items are gathered. */
export type BatcherOptions<I, R> = {
  /** Computes a batch; its results are in the order of its items. */
  readonly run: (items: readonly I[]) => Promise<readonly R[]>;
  /** What an item costs, which grows with the length that a batch is padded to. */
  readonly sizeOf: (item: I) => number;
  /** Items that run together at most. */
  readonly maxItems: number;
  /** Size of a batch at most, that others need not wait long; an item beyond it runs alone. */
  readonly maxSize: number;
  /** Milliseconds that a first item waits for others. */
  readonly waitMs: number;
  /** Counts what waits, and refuses what is too much; batchers of one engine share it. */
  readonly room: WaitingRoom;
};

/** Gathers items into batches, of which one runs at a time. */
export type Batcher<I, R> = {
  /**
   * Waits for the results of a request's items, in their order. The items are taken on all or none; those
   * that have not begun are dropped once `signal` is aborted or one of them has failed.
   */
  submit(items: readonly I[], signal?: AbortSignal): Promise<readonly R[]>;
  /** Items that wait. */
  waiting(): number;
};

type Entry<I, R> = {
  readonly item: I;
  readonly size: number;
  readonly result: PromiseWithResolvers<R>;
  /** Rejects what is open of its request, of which no more is begun. */
  readonly drop: (reason: unknown) => void;
};

/**
 * The oldest item and those nearest to it in size, as many as fit: nobody waits forever, and little is
 * padded. `sizes` are in order of arrival; the chosen ones are given as indices.
 */
export function chooseBatch(
  sizes: readonly number[],
  { maxItems, maxSize }: Pick<BatcherOptions<never, never>, "maxItems" | "maxSize">,
): readonly number[] {
  const first = sizes[0] ?? 0;
  let total = 0;
  const nearest = sizes.map((size, index) => ({ size, index, distance: Math.abs(size - first) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index)
    .slice(0, maxItems);
  const tooMuch = nearest.findIndex(({ size }, i) => (total += size) > maxSize && i > 0);
  return nearest.slice(0, tooMuch < 0 ? maxItems : tooMuch).map(({ index }) => index);
}

/** A batcher over `run`. */
export function createBatcher<I, R>(options: BatcherOptions<I, R>): Batcher<I, R> {
  const { run, sizeOf, waitMs, room } = options;
  let queue: readonly Entry<I, R>[] = [];
  let running = false;

  const runBatch = async (batch: readonly Entry<I, R>[]) => {
    try {
      const results = await run(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new TypeError(`internal: ${batch.length} items have ${results.length} results`);
      }
      results.forEach((result, i) => batch[i]?.result.resolve(result));
    } catch (error) {
      batch.forEach(({ drop }) => drop(error));
    } finally {
      room.leave(batch.map(({ size }) => size));
    }
  };
  const drain = async () => {
    while (queue.length > 0) {
      await room.inTurn(async () => {
        const chosen = new Set(chooseBatch(queue.map(({ size }) => size), options));
        const batch = queue.filter((_, i) => chosen.has(i));
        queue = queue.filter((_, i) => !chosen.has(i));
        if (batch.length > 0) await runBatch(batch); // all may have been dropped
      });
    }
    running = false;
  };
  return {
    async submit(items, signal) {
      signal?.throwIfAborted();
      const sizes = items.map(sizeOf);
      room.enter(sizes);
      const drop = (reason: unknown) => {
        room.leave(queue.filter((entry) => entry.drop === drop).map(({ size }) => size));
        queue = queue.filter((entry) => entry.drop !== drop);
        entries.forEach(({ result }) => result.reject(reason)); // what is settled stays as it is
      };
      const entries = items.map((item, i): Entry<I, R> => ({
        item,
        size: sizes[i] ?? 0,
        result: Promise.withResolvers<R>(),
        drop,
      }));
      queue = [...queue, ...entries];
      if (!running) {
        running = true;
        setTimeout(drain, waitMs);
      }
      const onAbort = () => drop(signal?.reason);
      signal?.addEventListener("abort", onAbort);
      try {
        return await Promise.all(entries.map(({ result }) => result.promise));
      } finally {
        signal?.removeEventListener("abort", onAbort);
      }
    },
    waiting: () => queue.length,
  };
}
