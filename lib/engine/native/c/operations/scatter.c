#include "operations.h"
#include "pool/pool.h"
#include "vectors/vec.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/** Tables of at least this many floats are cleared with streaming stores, since they would not fit in a cache. */
enum { LARGE_TABLE = 1 << 18 };
enum { LINE = 16, AHEAD = 4 };

/** Clears y[first, end), with streaming stores if the processor has them. */
static void clear_streaming(float *y, long first, long end) {
#if defined(__SSE2__)
  for (; first < end && (uintptr_t)(y + first) % 16; first++) y[first] = 0;
  for (; first + 4 <= end; first += 4) _mm_stream_ps(y + first, _mm_setzero_ps());
  _mm_sfence();
#endif
  if (first < end) memset(y + first, 0, (size_t)(end - first) * sizeof *y);
}

/** y[c] += x[c] for c < count. */
static void add_row(float *y, const float *x, long count) {
  long c = 0;
  for (; c + LANES <= count; c += LANES) st(y + c, ld(y + c) + ld(x + c));
  if (c == count) return;
  B last = tail(count - c);
  stm(last, y + c, ldm(last, y + c) + ldm(last, x + c));
}

/** y[c] += x[c] for c < count, with wrap-around. */
static void add_integer_row(int32_t *y, const int32_t *x, long count) {
  for (long c = 0; c < count; c++) y[c] = (int32_t)((uint32_t)y[c] + (uint32_t)x[c]);
}

/** Partitions the columns, so no two threads write the same element, whatever the indices. */
int run_scatter(char *const *P, const int64_t *N, int thread, int threads) {
  const float *x = (const float *)P[0];
  const int32_t *indices = (const int32_t *)P[1];
  float *y = (float *)P[2];
  long count = N[0], columns = N[1], rows = N[2], accumulate = N[3] & SCATTER_ACCUMULATE, is_integer = N[3] & SCATTER_INT32;
  if (!accumulate) {
    long size = rows * columns;
    long first = range_start(size, thread, threads, LINE);
    long end = range_start(size, thread + 1, threads, LINE);
    if (size >= LARGE_TABLE)
      clear_streaming(y, first, end);
    else if (first < end)
      memset(y + first, 0, (size_t)(end - first) * sizeof *y);
    rt_barrier();
  }
  long first = range_start(columns, thread, threads, LINE);
  long width = range_start(columns, thread + 1, threads, LINE) - first, fault = 0;
  for (long i = 0; i < count; i++) {
    if (i + AHEAD < count && indices[i + AHEAD] >= 0 && indices[i + AHEAD] < rows) {
      const float *next = y + indices[i + AHEAD] * columns + first;
      for (long c = 0; c < width; c += LINE) __builtin_prefetch(next + c, 1);
    }
    long row = indices[i];
    if (row < 0 || row >= rows) {
      fault = 1;
      continue;
    }
    if (width <= 0) continue;
    long to = row * columns + first, from = i * columns + first;
    if (is_integer)
      add_integer_row((int32_t *)y + to, (const int32_t *)x + from, width);
    else
      add_row(y + to, x + from, width);
  }
  return (int)fault;
}
