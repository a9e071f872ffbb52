/**
 * Work partitions with work stealing. Each thread owns a share with fixed bounds, cut into chunks. A thread
 * that has finished its own share takes chunks of the others', so that no thread waits for one that the
 * system holds up or that runs on a slower core. The results of a chunk must not depend on the thread that
 * computes it.
 *
 * Nothing is reset between rounds of the same work. Every round draws one number a chunk, and one for each
 * thread that finds no chunk left, so a round's numbers begin where those of the round before end. All threads
 * must have finished a round (a barrier) before the next one begins.
 */
#ifndef PARTITION_H
#define PARTITION_H
#include "pool.h"
#include "system.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/**
 * Chunks of a share, and the most that one share can have: shares are cut at units, so one may be up to a unit
 * longer than the others. lib/engine/native/instruction.ts has PARTS too.
 */
enum { CHUNKS = 8, PARTS = CHUNKS + 1 };

/** The state of one thread's share, on a cache line of its own. */
typedef struct {
  _Alignas(64) atomic_long drawn; // numbers drawn from it, over all rounds
  long rounds;                    // rounds that this thread has begun
} Share;

/** A partition of `total` items: shares are cut at multiples of `unit`, each into chunks of `chunk` items. */
typedef struct {
  long total, unit, chunk;
  int threads, takers; // threads that draw from a share: all, or its owner alone where a share is one chunk
  Share *shares;
} Partition;

/** Partitions `total` items into chunks of a multiple of `step`, itself one of `unit`. 0 when memory is short. */
static inline int partition_make(Partition *partition, long total, long unit, long step, int threads) {
  const long share = (total + threads - 1) / threads;
  const long eighth = ((share + CHUNKS - 1) / CHUNKS + step - 1) / step * step;
  const long chunk = share == 0 ? 1 : threads == 1 ? share : eighth;
  void *shares = aligned_take(64, (size_t)threads * sizeof(Share));
  if (!shares) return 0;
  memset(shares, 0, (size_t)threads * sizeof(Share));
  const int takers = share + unit - 1 <= chunk ? 1 : threads; // the last share has the rest of a unit
  *partition = (Partition){total, unit, chunk, threads, takers, shares};
  return 1;
}

static inline void partition_free(Partition *partition) { aligned_release(partition->shares); }

/** Number of chunks of a thread's share. */
static inline long partition_chunks(const Partition *partition, int owner) {
  const long from = share_start(partition->total, owner, partition->threads, partition->unit);
  const long to = share_start(partition->total, owner + 1, partition->threads, partition->unit);
  return (to - from + partition->chunk - 1) / partition->chunk;
}

/** One thread's walk through the shares in a round, its own first. */
typedef struct {
  const Partition *partition;
  long round;
  int thread, emptied; // shares that it found empty
  int part;            // number of the chunk drawn last among PARTS a thread; it does not depend on who draws it
} Walk;

static inline Walk partition_begin(const Partition *partition, int thread) {
  return (Walk){partition, partition->shares[thread].rounds++, thread, 0, 0};
}

/** The next chunk [first, end) for this thread; 0 when none is left. */
static inline int partition_next(Walk *walk, long *first, long *end) {
  const Partition *partition = walk->partition;
  for (; walk->emptied < partition->takers; walk->emptied++) {
    const int owner = (walk->thread + walk->emptied) % partition->threads;
    const long from = share_start(partition->total, owner, partition->threads, partition->unit);
    const long to = share_start(partition->total, owner + 1, partition->threads, partition->unit);
    const long chunks = partition_chunks(partition, owner);
    const long number =
        atomic_fetch_add_explicit(&partition->shares[owner].drawn, 1, memory_order_relaxed) -
        walk->round * (chunks + partition->takers);
    if (number >= chunks) continue;
    walk->part = owner * PARTS + (int)number;
    *first = from + number * partition->chunk;
    *end = *first + partition->chunk < to ? *first + partition->chunk : to;
    return 1;
  }
  return 0;
}

#endif
