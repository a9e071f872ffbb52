/**
 * The pool: threads that a process starts once. They run one function together, each on its share, and
 * sleep between calls.
 */
#ifndef POOL_H
#define POOL_H

enum { MAX_THREADS = 256 };

/** Nobody else starts the pool or runs on it, or changes what runs share, between these two. */
void pool_lock(void);
void pool_unlock(void);

/**
 * Starts the pool once (threads <= 0: one a processor); returns its number of threads, at least 1. The
 * caller holds the lock.
 */
int pool_start(int threads);

/** Threads of the pool; 0 before it was started. */
int pool_threads(void);

/**
 * Runs `share(argument, thread)` on all threads, the caller being thread 0, and returns when all are
 * done. The caller holds the lock.
 */
void pool_run(void (*share)(void *argument, int thread), void *argument);

/** Returns once all threads of the current run have called it: they spin, soon yield, at last sleep. */
void rt_barrier(void);

/** Where share `index` of `total` items among `shares` begins: fixed bounds at multiples of `unit`. */
static inline long share_start(long total, long index, long shares, long unit) {
  if (index == shares) return total;
  return total * index / shares / unit * unit;
}

#endif
