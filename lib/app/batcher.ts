/**
 * Micro-batching: requests that arrive within a few milliseconds of each other are computed together. Texts of
 * similar length are batched first, because a batch is padded to its longest row.
 * @module
 */
import type { EngineQueue } from "./engine_queue.ts";

/** Options of {@link createBatcher}. */
type BatcherOptions<I, R> = {
  /** Computes a batch; returns one result per item, in the same order. */
  readonly run: (items: readonly I[]) => Promise<readonly R[]>;
  /** Cost of an item, such as its length in characters; it grows with the length that a batch is padded to. */
  readonly sizeOf: (item: I) => number;
  /** Largest number of items in a batch. */
  readonly maxItems: number;
  /** Largest total size of a batch, which bounds the wait of other requests; a larger item runs alone. */
  readonly maxSize: number;
  /** Milliseconds that the first item waits for others. */
  readonly waitMs: number;
  /** Limits the pending items and serializes batches; batchers of the same engine share one. */
  readonly engineQueue: EngineQueue;
};

/** Collects items into batches and runs one batch at a time. */
type Batcher<I, R> = {
  /**
   * Enqueues the items of a request and returns their results in the same order. Either all items are accepted or
   * none. Items that have not started are dropped if `signal` is aborted or if another item of the request fails.
   */
  submit(items: readonly I[], signal?: AbortSignal): Promise<readonly R[]>;
  /** Number of items that have not started. */
  waiting(): number;
};

type Entry<I, R> = {
  readonly item: I;
  readonly size: number;
  readonly result: PromiseWithResolvers<R>;
  /** Rejects the open items of the entry's request and removes its pending ones from the queue. */
  readonly drop: (reason: unknown) => void;
};

/**
 * Chooses the oldest item and as many items of similar size as fit into a batch. The oldest item always runs next,
 * so no item waits forever, and similar sizes keep padding small. `sizes` are in order of arrival; returns indices.
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

/** Creates a batcher that computes batches with `run`. */
export function createBatcher<I, R>(options: BatcherOptions<I, R>): Batcher<I, R> {
  const { run, sizeOf, waitMs, engineQueue } = options;
  let queue: readonly Entry<I, R>[] = [];
  let running = false;

  const runBatch = async (batch: readonly Entry<I, R>[]) => {
    try {
      const results = await run(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new TypeError(`internal: ${batch.length} items, but ${results.length} results`);
      }
      results.forEach((result, i) => batch[i]?.result.resolve(result));
    } catch (error) {
      batch.forEach(({ drop }) => drop(error));
    } finally {
      engineQueue.release(batch.map(({ size }) => size));
    }
  };
  const drain = async () => {
    while (queue.length > 0) {
      await engineQueue.runExclusive(async () => {
        const chosen = new Set(chooseBatch(queue.map(({ size }) => size), options));
        const batch = queue.filter((_, i) => chosen.has(i));
        queue = queue.filter((_, i) => !chosen.has(i));
        if (batch.length > 0) await runBatch(batch); // empty if all items were dropped
      });
    }
    running = false;
  };
  return {
    async submit(items, signal) {
      signal?.throwIfAborted();
      const sizes = items.map(sizeOf);
      engineQueue.admit(sizes);
      const drop = (reason: unknown) => {
        engineQueue.release(queue.filter((entry) => entry.drop === drop).map(({ size }) => size));
        queue = queue.filter((entry) => entry.drop !== drop);
        entries.forEach(({ result }) => result.reject(reason)); // no effect on settled promises
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
