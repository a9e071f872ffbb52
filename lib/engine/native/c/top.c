#include "operations.h"
#include "pool.h"

#define FN static inline __attribute__((always_inline))

/** Whether element i of a row comes before element j: the larger one, of equals the first, NaN last. */
FN int comes_before(const void *x, int whole, int32_t i, int32_t j) {
  if (whole) {
    int32_t a = ((const int32_t *)x)[i], b = ((const int32_t *)x)[j];
    return a != b ? a > b : i < j;
  }
  float a = ((const float *)x)[i], b = ((const float *)x)[j];
  if (a != a || b != b) return (a != a) != (b != b) ? b != b : i < j;
  return a != b ? a > b : i < j;
}

/**
 * Puts `place` where it belongs in a heap of `count` places, of which the first, the one that comes last of
 * all, is free.
 */
FN void sink(const void *x, int whole, int32_t *heap, long count, int32_t place) {
  long at = 0;
  for (long child = 1; child < count; child = 2 * at + 1) {
    if (child + 1 < count && comes_before(x, whole, heap[child], heap[child + 1])) child++;
    if (comes_before(x, whole, heap[child], place)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = place;
}

/** Puts `place` where it belongs in a heap of `count` places, of which the last is free. */
FN void rise(const void *x, int whole, int32_t *heap, long count, int32_t place) {
  long at = count - 1;
  for (; at > 0 && comes_before(x, whole, heap[(at - 1) / 2], place); at = (at - 1) / 2)
    heap[at] = heap[(at - 1) / 2];
  heap[at] = place;
}

/** The first `count` of a row's places: a heap keeps the best seen, and is sorted from its end. */
FN void find_top(const void *x, int whole, int32_t *y, long size, long count) {
  for (long i = 0; i < count; i++) rise(x, whole, y, i + 1, (int32_t)i);
  for (long i = count; i < size; i++)
    if (comes_before(x, whole, (int32_t)i, y[0])) sink(x, whole, y, count, (int32_t)i);
  for (long left = count - 1; left > 0; left--) {
    int32_t worst = y[0];
    sink(x, whole, y, left, y[left]);
    y[left] = worst;
  }
}

/** Threads take rows. */
void run_top(char *const *P, const int64_t *N, int thread, int threads) {
  long rows = N[1], size = N[2], count = N[3], end = share_start(rows, thread + 1, threads, 1);
  for (long r = share_start(rows, thread, threads, 1); r < end; r++) {
    const char *x = P[0] + r * size * 4;
    int32_t *y = (int32_t *)P[1] + r * count;
    if (N[0]) // each type compiled for itself
      find_top(x, 1, y, size, count);
    else
      find_top(x, 0, y, size, count);
  }
}
