/**
 * Work partitions with work stealing. Each thread owns a range with fixed bounds, cut into chunks. A thread
 * that has finished its own range steals chunks from the others, so no thread waits for one that was preempted
 * or that runs on a slower core. The results of a chunk must not depend on the thread that computes it.
 *
 * A partition is used in rounds, and no counter is reset between them. In every round, one number is drawn from
 * a range for each of its chunks and one more by each thread that finds it empty. A round's numbers thus begin
 * where those of the round before end. All threads must have finished a round (a barrier) before the next begins.
 */
#ifndef PARTITION_H
#define PARTITION_H
#include "abi.h"
#include "pool.h"
#include "system.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/**
 * Intended number of chunks of a range. Ranges are cut at multiples of the unit, so one may be up to a unit longer than
 * the others, and have a chunk more.
 */
enum { CHUNKS = MAX_CHUNKS - 1 };

/** State of one thread's range, on a separate cache line. */
typedef struct {
  _Alignas(64) atomic_long drawn; // numbers drawn from it in all rounds
  long rounds;                    // rounds that this thread has begun
} Range;

/** A partition of `total` items: ranges are cut at multiples of `unit`, and each range into chunks of `chunk` items. */
typedef struct {
  long total, unit, chunk;
  int threads, takers; // threads that draw from a range: all, or only its owner if ranges are single chunks
  Range *ranges;
} Partition;

/** Partitions `total` items; the chunk size is a multiple of `step`, which is one of `unit`. 0 if memory is short. */
static inline int partition_make(Partition *partition, long total, long unit, long step, int threads) {
  const long range = (total + threads - 1) / threads;
  const long eighth = ((range + CHUNKS - 1) / CHUNKS + step - 1) / step * step;
  const long chunk = range == 0 ? 1 : threads == 1 ? range : eighth;
  void *ranges = aligned_allocate(64, (size_t)threads * sizeof(Range));
  if (!ranges) return 0;
  memset(ranges, 0, (size_t)threads * sizeof(Range));
  const int takers = range + unit - 1 <= chunk ? 1 : threads; // the last range includes the remainder of a unit
  *partition = (Partition){total, unit, chunk, threads, takers, ranges};
  return 1;
}

static inline void partition_free(Partition *partition) { aligned_release(partition->ranges); }

/** Number of chunks in a thread's range. */
static inline long partition_chunks(const Partition *partition, int owner) {
  const long from = range_start(partition->total, owner, partition->threads, partition->unit);
  const long to = range_start(partition->total, owner + 1, partition->threads, partition->unit);
  return (to - from + partition->chunk - 1) / partition->chunk;
}

/** One thread's iteration over the ranges in a round, starting with its own. */
typedef struct {
  const Partition *partition;
  long round;
  int thread, emptied; // ranges that it found empty
  int chunk; // index of the last chunk drawn, with MAX_CHUNKS per range; the same whichever thread draws it
} Walk;

static inline Walk partition_begin(const Partition *partition, int thread) {
  return (Walk){partition, partition->ranges[thread].rounds++, thread, 0, 0};
}

/** Draws the next chunk [first, end) for this thread. Returns 0 if none is left. */
static inline int partition_next(Walk *walk, long *first, long *end) {
  const Partition *partition = walk->partition;
  for (; walk->emptied < partition->takers; walk->emptied++) {
    const int owner = (walk->thread + walk->emptied) % partition->threads;
    const long from = range_start(partition->total, owner, partition->threads, partition->unit);
    const long to = range_start(partition->total, owner + 1, partition->threads, partition->unit);
    const long chunks = partition_chunks(partition, owner);
    const long number =
        atomic_fetch_add_explicit(&partition->ranges[owner].drawn, 1, memory_order_relaxed) -
        walk->round * (chunks + partition->takers);
    if (number >= chunks) continue;
    walk->chunk = owner * MAX_CHUNKS + (int)number;
    *first = from + number * partition->chunk;
    *end = *first + partition->chunk < to ? *first + partition->chunk : to;
    return 1;
  }
  return 0;
}

#endif
