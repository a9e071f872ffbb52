/**
 * Matrix products in float32 by fused multiply-add, for every instruction set. bfloat16 operands are widened
 * when they are packed. If the product is to be computed in bfloat16 and the CPU has no fast instructions for
 * it, float32 operands are rounded to bfloat16 first. The result then differs only in the order of summation.
 */
#include "gemm_path.h"
#include "gemm_transpose.h"

#define MULTIPLY_ADD(sums, word, b) ((sums) + (word) * (b))
#include "gemm_block.h"

/** Reads `count` (at most LANES) values of an operand from element `at`; the other lanes are 0. */
INLINE Vector read_values(const Operand *x, long at, long count) {
  if (x->is_bf16) {
    const bf16 *p = (const bf16 *)x->data + at;
    return count >= LANES ? load_bf16(p) : load_bf16_some(p, count);
  }
  const float *p = (const float *)x->data + at;
  const Vector v = count >= LANES ? load(p) : load_some(p, count);
  return x->rounds ? widen(narrow(v)) : v;
}

/** Copies columns [first, first + pitch) of stored rows [from, to): out[row][pitch]. */
static void pack_across(const Operand *x, float *out, long pitch, long k, long first, long from,
                        long to) {
  for (long w = from; w < to; w++)
    for (long j = 0; j < pitch; j += LANES)
      *(Vector *)(out + w * pitch + j) =
          read_values(x, (k + w) * x->stride + first + j, x->extent - first - j);
}

/** Transposes stored rows [first, first + BLOCK_COLUMNS), elements [from, to) along K: panel[k][row]. */
static void pack_transposed(const Operand *x, float *panel, long k, long first, long from,
                            long to) {
  const int plain = !x->is_bf16 && !x->rounds;
  float square[TRANSPOSED * LANES] __attribute__((aligned(64)));
  for (long w = from; w < to; w += LANES)
    for (long j = 0; j < BLOCK_COLUMNS; j += TRANSPOSED) {
      const long rows = MIN(TRANSPOSED, x->extent - first - j), words = MIN(LANES, to - w);
      float *out = panel + w * BLOCK_COLUMNS + j;
      const float *in = square;
      long stride = LANES;
      if (plain && rows == TRANSPOSED && words == LANES) {
        in = (const float *)x->data + (first + j) * x->stride + k + w;
        stride = x->stride;
      } else {
        for (long i = 0; i < TRANSPOSED; i++)
          *(Vector *)(square + i * LANES) =
              i < rows ? read_values(x, (first + j + i) * x->stride + k + w, words) : (Vector){0};
      }
      if (words == LANES)
        for (long i = 0; i < LANES; i += TRANSPOSED)
          transpose_words(in + i, stride, out + i * BLOCK_COLUMNS, BLOCK_COLUMNS);
      else
        for (long i = 0; i < words; i++)
          for (long l = 0; l < TRANSPOSED; l++) out[i * BLOCK_COLUMNS + l] = in[l * stride + i];
    }
}

static void pack_panels(const Operand *b, float *panels, long panel_words, long k, long first,
                        long last, long from, long to) {
  if (!b->across) {
    for (long p = first; p < last; p++)
      pack_transposed(b, panels + (p - first) * panel_words, k, p * BLOCK_COLUMNS, from, to);
    return;
  }
  for (long w = from; w < to; w += 16) // whole rows of B, a few at a time
    for (long p = first; p < last; p++)
      pack_across(b, panels + (p - first) * panel_words, BLOCK_COLUMNS, k, p * BLOCK_COLUMNS, w,
                  MIN(to, w + 16));
}

/**
 * Prefetches elements [from, to) of stored rows [row, last). Without it, packing from memory takes three times
 * as long: each row has too few elements for the hardware prefetcher.
 */
static void prefetch(const Operand *x, long row, long last, long from, long to) {
  const long bytes = element_bytes(x->is_bf16);
  for (; row < last; row++)
    for (long at = from * bytes; at < to * bytes; at += 64)
      __builtin_prefetch(x->data + row * x->stride * bytes + at);
}

static void pack_strips(const Operand *a, float *strips, long strip_floats, long from, long to,
                        long k, long words) {
  const long stride = strip_stride(words);
  if (a->across) {
    for (long w = 0; w < words; w += 16) { // whole rows as they are stored, a few at a time
      float *strip = strips;
      prefetch(a, k + w + 16, k + MIN(words, w + 32), from, to);
      for (long m = from; m < to; m += BLOCK_ROWS, strip += strip_floats)
        pack_across(a, strip, STRIP_PITCH, k, m, w, MIN(words, w + 16));
    }
    return;
  }
  for (long m = from; m < to; m += BLOCK_ROWS, strips += strip_floats)
    for (long i = 0; i < MIN(BLOCK_ROWS, to - m); i++)
      for (long w = 0; w < words; w += LANES)
        *(Vector *)(strips + i * stride + w) =
            read_values(a, (m + i) * a->stride + k + w, words - w);
}

const Path gemm_float32 = {
    .elements = 1,
    .rows = BLOCK_ROWS,
    .step = 1,
    .row_unit = 1,
    .longest_slice = 768,
    .block_bytes = 384 << 10,
    .pack_panels = pack_panels,
    .pack_strips = pack_strips,
    .multiply = multiply_strip,
};
