#include "operations.h"
#include "pool/pool.h"
#include <string.h>

/** y[c] += factor * x[c * stride] for c < count, modulo 2^32. */
static inline void add_scaled(uint32_t *y, uint32_t factor, const uint32_t *x, long count, long stride) {
  for (long c = 0; c < count; c++) y[c] += factor * x[c * stride];
}

/** Partitions the rows of all batch items. Unsigned arithmetic gives the wrap-around of signed integers. */
void run_integer_matmul(char *const *P, const int64_t *N, int thread, int threads) {
  const uint32_t *a = (const uint32_t *)P[0], *b = (const uint32_t *)P[1];
  long rows = N[1], columns = N[2], inner = N[3], total = N[0] * rows;
  long end = range_start(total, thread + 1, threads, 1);
  for (long i = range_start(total, thread, threads, 1); i < end; i++) {
    const uint32_t *row = a + i / rows * rows * inner + i % rows * N[4];
    const uint32_t *matrix = b + i / rows * inner * columns;
    uint32_t *y = (uint32_t *)P[2] + i * columns;
    memset(y, 0, (size_t)columns * sizeof *y);
    for (long k = 0; k < inner; k++) {
      if (N[7] == 1) // specialized: contiguous
        add_scaled(y, row[k * N[5]], matrix + k * N[6], columns, 1);
      else
        add_scaled(y, row[k * N[5]], matrix + k * N[6], columns, N[7]);
    }
  }
}
