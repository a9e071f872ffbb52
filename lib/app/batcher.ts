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
  /** Waits for the item's result; an aborted item that has not begun is dropped. */
  submit(item: I, signal?: AbortSignal): Promise<R>;
  /** Items that wait. */
  waiting(): number;
};

type Entry<I, R> = {
  readonly item: I;
  readonly signal: AbortSignal | undefined;
  readonly result: PromiseWithResolvers<R>;
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
  let queue: Entry<I, R>[] = [];
  let running = false;

  const runBatch = async (batch: readonly Entry<I, R>[]) => {
    try {
      const results = await run(batch.map(({ item }) => item));
      if (results.length !== batch.length) {
        throw new TypeError(`internal: ${batch.length} items have ${results.length} results`);
      }
      results.forEach((result, i) => batch[i]?.result.resolve(result));
    } catch (error) {
      batch.forEach(({ result }) => result.reject(error));
    }
  };
  const drain = async () => {
    while (queue.length > 0) {
      const alive = queue.filter(({ signal }) => signal?.aborted !== true);
      queue.filter(({ signal }) => signal?.aborted === true)
        .forEach(({ result, signal }) => result.reject(signal?.reason));
      const chosen = new Set(chooseBatch(alive.map(({ item }) => sizeOf(item)), maxItems));
      queue = alive.filter((_, i) => !chosen.has(i));
      if (chosen.size > 0) await runBatch(alive.filter((_, i) => chosen.has(i)));
    }
    running = false;
  };
  return {
    submit(item, signal) {
      if (queue.length >= maxWaiting) {
        throw new QueueFullError(
          `Cannot take on text as at most ${maxWaiting} may wait: try again in a moment`,
        );
      }
      const entry: Entry<I, R> = { item, signal, result: Promise.withResolvers<R>() };
      queue.push(entry);
      if (!running) {
        running = true;
        setTimeout(drain, waitMs);
      }
      return entry.result.promise;
    },
    waiting: () => queue.length,
  };
}
