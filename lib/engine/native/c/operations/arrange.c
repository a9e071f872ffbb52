#include "operations.h"
#include "pool/pool.h"
#include <string.h>

enum { LINE = 64 }; // elements

/** Writes `count` elements of `size` bytes, each with the low bytes of `bits` (little-endian). */
static void fill(char *y, long count, long size, int64_t bits) {
  if (bits == 0 || size == 1) {
    memset(y, (int)(bits & 0xff), (size_t)(count * size));
    return;
  }
  for (long i = 0; i < count; i++) memcpy(y + i * size, &bits, (size_t)size);
}

/**
 * Writes elements [first, end) of a row of y. The row consists of fill values, then elements of x, then fill
 * values again; `axis` holds the number of elements before x, of x, and of the whole row. If x is NULL, the row
 * consists of fill values only.
 */
static void pad_row(char *y, const char *x, const int64_t *axis, long first, long end, const int64_t *N) {
  long size = N[1], from = axis[0], to = from + axis[1];
  if (!x || from > end) from = end;
  if (!x || to > end) to = end;
  if (from < first) from = first;
  if (to < from) to = from;
  fill(y + first * size, from - first, size, N[2]);
  if (to > from) memcpy(y + from * size, x + (from - axis[0]) * size, (size_t)((to - from) * size));
  fill(y + to * size, end - to, size, N[2]);
}

/** Offset in elements of the row of x that row `row` of y contains; -1 if that row of y is padding. */
static long padded_row(long row, const int64_t *axes, long outer_axes) {
  long offset = 0, scale = axes[3 * outer_axes + 1];
  for (long k = outer_axes - 1; k >= 0; k--) {
    const int64_t *axis = axes + 3 * k;
    long width = axis[2], place = row % width - axis[0];
    if (place < 0 || place >= axis[1]) return -1;
    offset += place * scale;
    scale *= axis[1];
    row /= width;
  }
  return offset;
}

void run_pad(char *const *P, const int64_t *N, int thread, int threads) {
  const int64_t scalar_axis[3] = {0, 1, 1}; // elements before x, of x, and of the whole row
  long rank = N[0] > 0 ? N[0] : 1, size = N[1], total = 1;
  const int64_t *axes = N[0] > 0 ? N + 3 : scalar_axis, *last = axes + 3 * (rank - 1);
  for (long k = 0; k < rank; k++) total *= axes[3 * k + 2];
  long columns = last[2], end = range_start(total, thread + 1, threads, LINE);
  for (long at = range_start(total, thread, threads, LINE); at < end;) {
    long row = at / columns, first = at % columns;
    long stop = columns < first + end - at ? columns : first + end - at;
    long offset = padded_row(row, axes, rank - 1);
    pad_row(P[1] + row * columns * size, offset < 0 ? 0 : P[0] + offset * size, last, first, stop, N);
    at += stop - first;
  }
}

/** y[i] = x[i * stride] for i < count. The stride counts elements of `size` bytes. */
static void gather_strided(char *y, const char *x, long count, long stride, long size) {
#define GATHER(type)                                                                                  \
  for (long i = 0; i < count; i++) ((type *)y)[i] = ((const type *)x)[i * stride]
  if (stride == 1)
    memcpy(y, x, (size_t)(count * size));
  else if (size == 4)
    GATHER(int32_t);
  else if (size == 2)
    GATHER(int16_t);
  else if (size == 1)
    GATHER(int8_t);
  else
    GATHER(int64_t);
#undef GATHER
}

/** Copies elements [at, end) of the view, one run along the last digit at a time. */
void run_copy(char *const *P, const int64_t *N, int thread, int threads) {
  long size = N[0], digits = N[2], total = 1;
  const int64_t *sizes = N + 3, *strides = N + 4;
  for (long k = 0; k < digits; k++) total *= sizes[2 * k];
  long end = range_start(total, thread + 1, threads, LINE);
  for (long at = range_start(total, thread, threads, LINE); at < end;) {
    long rest = at, offset = N[1], run = 1, stride = 1;
    for (long k = digits - 1; k >= 0; k--) {
      long digit = rest % sizes[2 * k];
      offset += digit * strides[2 * k];
      rest /= sizes[2 * k];
      if (k == digits - 1) {
        run = sizes[2 * k] - digit;
        stride = strides[2 * k];
      }
    }
    if (run > end - at) run = end - at;
    gather_strided(P[1] + at * size, P[0] + offset * size, run, stride, size);
    at += run;
  }
}

void run_concat(char *const *P, int parts, const int64_t *N, int thread, int threads) {
  long size = N[0], outer = N[1], columns = 0, before = 0;
  for (int k = 0; k < parts; k++) columns += N[2 + k];
  for (int k = 0; k < parts; k++) {
    long width = N[2 + k], end = range_start(outer * width, thread + 1, threads, LINE);
    for (long at = range_start(outer * width, thread, threads, LINE); at < end;) {
      long row = at / width, column = at % width;
      long run = width - column < end - at ? width - column : end - at;
      memcpy(P[0] + (row * columns + before + column) * size, P[1 + k] + at * size, (size_t)(run * size));
      at += run;
    }
    before += width;
  }
}
