/**
 * From sums to C: bias, accumulation, conversion. The sums of a block are usually in registers (store_rows).
 * They are in memory (store_block) if the panel is not full, the result is rounded, or tiles computed them.
 */
#ifndef GEMM_STORE_H
#define GEMM_STORE_H
#include "gemm_path.h"

/** Sums with the rounding that the target requires before they are added to it. */
INLINE Vector round_sums(const Target *t, Vector sums) {
  switch (t->rounding) {
    case TO_BF16: return widen(narrow(sums));
    case TO_F16: return round_f16(sums);
    default: return sums;
  }
}

/** Stores one vector of sums at columns [column, column + count) of a row of the target. */
INLINE void store_sums(const Target *t, long row, long column, Vector sums, long count) {
  const long at = row * t->stride + column;
  if (t->bias) sums += load_some(t->bias + column, count);
  sums = round_sums(t, sums);
  if (t->is_bf16) {
    bf16 *c = (bf16 *)t->data + at;
    if (t->accumulates) sums += load_bf16_some(c, count);
    store_bf16_some(c, sums, count);
  } else {
    float *c = (float *)t->data + at;
    if (t->accumulates) sums += load_some(c, count);
    store_some(c, sums, count);
  }
}

/** Stores the first `columns` columns of a block of sums in memory, BLOCK_COLUMNS per row, in the target. */
INLINE void store_block(const Target *t, const float *sums, long rows, long columns) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j += LANES)
      store_sums(t, i, j, load(sums + i * BLOCK_COLUMNS + j), columns - j);
}

/** The target of a block `columns` further to the right. */
INLINE Target right_of(Target t, long columns) {
  t.data += columns * element_bytes(t.is_bf16);
  if (t.bias) t.bias += columns;
  return t;
}

/** The target of a block `rows` further down. */
INLINE Target below(Target t, long rows) {
  t.data += rows * t.stride * element_bytes(t.is_bf16);
  return t;
}

#endif
