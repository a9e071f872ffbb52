/**
 * Micro-batches: requests that come within a few milliseconds of one another are computed together, those
 * of like length first, as a batch is padded to its longest row.
 * @module
 */

/** How items are gathered. */
export type BatcherOptions<I, R> = {
  /** Computes a batch; its results are in the order of its items. */
  readonly run: (items: readonly I[]) => Promise<readonly R[]>;
  /** What an item costs: the length that a batch is padded to. */
  readonly sizeOf: (item: I) => number;
  /** Items that run together at most. */
  readonly maxItems: number;
  /** Milliseconds that a first item waits for others. */
  readonly waitMs: number;
  /** Items that may wait; more are refused. */
  readonly maxWaiting: number;
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
  readonly result: PromiseWithResolvers<R>;
  /** Rejects what is open of its request, of which no more is begun. */
  readonly drop: (reason: unknown) => void;
};

/** The refusal of a full queue. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

/**
 * The oldest item and those nearest to it in size: nobody waits forever, and little is padded. `entries`
 * are in order of arrival; the chosen ones are given as indices.
 */
export function chooseBatch(sizes: readonly number[], maxItems: number): readonly number[] {
  const first = sizes[0] ?? 0;
  return sizes.map((size, index) => ({ index, distance: Math.abs(size - first) }))
    .sort((a, b) => a.distance - b.distance || a.index - b.index)
    .slice(0, maxItems)
    .map(({ index }) => index);
}

/** A batcher over `run`. */
export function createBatcher<I, R>(options: BatcherOptions<I, R>): Batcher<I, R> {
  const { run, sizeOf, maxItems, waitMs, maxWaiting } = options;
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
    }
  };
  const drain = async () => {
    while (queue.length > 0) {
      const chosen = new Set(chooseBatch(queue.map(({ item }) => sizeOf(item)), maxItems));
      const batch = queue.filter((_, i) => chosen.has(i));
      queue = queue.filter((_, i) => !chosen.has(i));
      await runBatch(batch);
    }
    running = false;
  };
  return {
    async submit(items, signal) {
      signal?.throwIfAborted();
      if (queue.length + items.length > maxWaiting) {
        throw new QueueFullError(
          `Cannot take on texts as at most ${maxWaiting} may wait: try again in a moment`,
        );
      }
      const drop = (reason: unknown) => {
        queue = queue.filter((entry) => entry.drop !== drop);
        entries.forEach(({ result }) => result.reject(reason)); // what is settled stays as it is
      };
      const entries = items.map((item): Entry<I, R> => ({
        item,
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
