#include "operations.h"
#include "pool/pool.h"

#define FN static inline __attribute__((always_inline))

/** True if element i of a row precedes element j: larger elements first, equal ones in order of index, NaN last. */
FN int comes_before(const void *x, int is_integer, int32_t i, int32_t j) {
  if (is_integer) {
    int32_t a = ((const int32_t *)x)[i], b = ((const int32_t *)x)[j];
    return a != b ? a > b : i < j;
  }
  float a = ((const float *)x)[i], b = ((const float *)x)[j];
  if (a != a || b != b) return (a != a) != (b != b) ? b != b : i < j;
  return a != b ? a > b : i < j;
}

/** Sifts `index` down from the free root of a heap of `count` indices. The root is the one that all others precede. */
FN void sift_down(const void *x, int is_integer, int32_t *heap, long count, int32_t index) {
  long at = 0;
  for (long child = 1; child < count; child = 2 * at + 1) {
    if (child + 1 < count && comes_before(x, is_integer, heap[child], heap[child + 1])) child++;
    if (comes_before(x, is_integer, heap[child], index)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = index;
}

/** Sifts `index` up from the free last position of a heap of `count` indices. */
FN void sift_up(const void *x, int is_integer, int32_t *heap, long count, int32_t index) {
  long at = count - 1;
  for (; at > 0 && comes_before(x, is_integer, heap[(at - 1) / 2], index); at = (at - 1) / 2)
    heap[at] = heap[(at - 1) / 2];
  heap[at] = index;
}

/** Finds the first `count` indices of a row in order: a heap keeps the best so far and is then sorted in place. */
FN void find_top_k(const void *x, int is_integer, int32_t *y, long size, long count) {
  for (long i = 0; i < count; i++) sift_up(x, is_integer, y, i + 1, (int32_t)i);
  for (long i = count; i < size; i++)
    if (comes_before(x, is_integer, (int32_t)i, y[0])) sift_down(x, is_integer, y, count, (int32_t)i);
  for (long left = count - 1; left > 0; left--) {
    int32_t worst = y[0];
    sift_down(x, is_integer, y, left, y[left]);
    y[left] = worst;
  }
}

/** Partitions the rows. */
void run_top(char *const *P, const int64_t *N, int thread, int threads) {
  long rows = N[1], size = N[2], count = N[3], end = range_start(rows, thread + 1, threads, 1);
  for (long r = range_start(rows, thread, threads, 1); r < end; r++) {
    const char *x = P[0] + r * size * 4;
    int32_t *y = (int32_t *)P[1] + r * count;
    if (N[0]) // specialized for each type
      find_top_k(x, 1, y, size, count);
    else
      find_top_k(x, 0, y, size, count);
  }
}
