/**
 * The thread pool. Its threads are started once per process. They run a function together, each on its own
 * part of the work, and sleep between calls.
 */
#ifndef POOL_H
#define POOL_H

enum { MAX_THREADS = 256 };

/** Lock for starting the pool, running on it, and changing state that runs use. */
void pool_lock(void);
void pool_unlock(void);

/**
 * Starts the pool if necessary and returns its number of threads, at least 1. With threads <= 0 it has one
 * thread per processor. The caller holds the lock.
 */
int pool_start(int threads);

/** Number of threads of the pool; 0 before it is started. */
int pool_threads(void);

/**
 * Runs `task(argument, thread)` on all threads, with the caller as thread 0, and returns when all have
 * finished. The caller holds the lock.
 */
void pool_run(void (*task)(void *argument, int thread), void *argument);

/** Returns when all threads of the current run have called it. Waiting threads spin, then yield, then sleep. */
void rt_barrier(void);

/** Start of range `index` when `total` items are cut into `ranges` ranges at multiples of `unit`. */
static inline long range_start(long total, long index, long ranges, long unit) {
  if (index == ranges) return total;
  return total * index / ranges / unit * unit;
}

#endif
