/**
 * Turns examples into padded batches, epoch after epoch. Shapes: B rows, T tokens.
 * @module
 */

import { stream } from "@/random.ts";
import { type Batch, type Example, IGNORED } from "@/text/example.ts";
import { type BatchPlan, type BatchSize, planBatches } from "@/text/plan_batches.ts";

/** Ids of the special tokens for padding and for filler rows. */
type CollateOptions = { readonly padId: number; readonly clsId: number };

/** Stacks the examples of a plan into one padded batch. A filler row is a single [CLS] token with ignored labels. */
export function collate(
  examples: readonly Example[],
  { examples: chosen, rows, length }: BatchPlan,
  { padId, clsId }: CollateOptions,
): Batch {
  const taken = chosen.map((index) => {
    const example = examples[index];
    if (example !== undefined && example.ids.length <= length) return example;
    throw new RangeError(
      `internal: example ${index} is planned at ${length} tokens and has ${example?.ids.length}`,
    );
  });
  const tagged = taken[0]?.words !== undefined;
  const ids = new Int32Array(rows * length).fill(padId); // [B, T]
  const mask = new Int32Array(rows * length); // [B, T]
  const labels = new Int32Array(tagged ? rows * length : rows).fill(IGNORED); // [B, T] or [B]
  let tokens = 0;
  for (let row = 0; row < rows; row++) {
    const example = taken[row];
    ids.set(example?.ids ?? [clsId], row * length);
    mask.fill(1, row * length, row * length + (example?.ids.length ?? 1));
    if (example === undefined) continue;
    labels.set(example.labels, tagged ? row * length : row);
    tokens += example.ids.length;
  }
  return { rows, length, ids, mask, labels, examples: [...chosen], tokens };
}

/** Position in a stream: the next batch is batch `batch` of epoch `epoch`. */
export type StreamPosition = { readonly epoch: number; readonly batch: number };

/** Batch size, padding, order and start position of a stream. */
export type StreamOptions = BatchSize & CollateOptions & {
  /** Padded lengths that batches may have, in ascending order. */
  readonly lengths: readonly number[];
  /** The run's seed. */
  readonly seed: number;
  /** The task's name. It seeds the order, so every task has its own. */
  readonly name: string;
  /** Where to start; by default at the first batch of epoch 0. */
  readonly position?: StreamPosition;
};

/** An endless stream of batches, epoch after epoch. */
export type BatchStream = {
  /** Returns the next batch and advances the stream. */
  next(): Batch;
  /** Position of the batch that `next` returns next. Pass it to `streamBatches` to resume there. */
  position(): StreamPosition;
  /** Number of batches in an epoch; the same for every epoch. */
  readonly batchesPerEpoch: number;
  /** The batch plans of an epoch, in order. */
  plans(epoch: number): readonly BatchPlan[];
};

/**
 * Streams training batches. The order of an epoch depends on (seed, name, epoch) only, so a stream that
 * starts at a saved position continues with exactly the same batches. Each epoch contains every example.
 */
export function streamBatches(examples: readonly Example[], options: StreamOptions): BatchStream {
  const { seed, name } = options;
  if (examples.length === 0) {
    throw new RangeError(
      `Cannot stream batches of ${name}: it has no examples`,
    );
  }
  const lengths = examples.map(({ ids }) => ids.length);
  const plans = (epoch: number) =>
    planBatches(lengths, { ...options, prng: stream(seed, "order", name, epoch) });
  let { epoch, batch } = options.position ?? { epoch: 0, batch: 0 };
  let current = plans(epoch);
  if (batch > current.length) {
    throw new RangeError(
      `Cannot resume ${name} at batch ${batch}: an epoch has only ${current.length} batches`,
    );
  }
  return {
    next() {
      if (batch >= current.length) {
        epoch++;
        batch = 0;
        current = plans(epoch);
      }
      const plan = current[batch++];
      if (plan === undefined) throw new RangeError(`internal: no batch ${batch - 1} of ${name}`);
      return collate(examples, plan, options);
    },
    position: () => ({ epoch, batch }),
    batchesPerEpoch: current.length,
    plans,
  };
}
