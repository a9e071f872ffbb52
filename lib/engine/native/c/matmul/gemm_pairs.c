/**
 * Matrix products in bfloat16 by AVX512-BF16: vdpbf16ps multiplies pairs of neighbors along K and adds them to
 * float32 sums, twice the work of a float32 multiply-add. Blocks, panels and strips are those of float32, with
 * a pair as the word. A bfloat16 A that is not transposed is read in place.
 */
#include "gemm_pairs.h"

#ifdef GEMM_PAIRS

INLINE Vector multiply_add_pairs(Vector sums, float word, Vector b) {
  return (Vector)_mm512_dpbf16_ps((__m512)sums, (__m512bh)_mm512_set1_ps(word), (__m512bh)b);
}
#define MULTIPLY_ADD(sums, word, b) multiply_add_pairs(sums, word, b)
#include "gemm_block.h"

/** Packs panels of B. Stored rows across K are paired; stored rows along K are transposed. */
void gemm_pack_pair_panels(const Operand *b, float *panels, long panel_words, long k, long first,
                           long last, long from, long to) {
  if (!b->across) {
    for (long p = first; p < last; p++)
      for (long w = from; w < to; w += 16)
        for (long j = 0; j < BLOCK_COLUMNS; j += 16) {
          float *out = panels + (p - first) * panel_words + w * BLOCK_COLUMNS + j;
          transpose_pairs(b, k + 2 * w, p * BLOCK_COLUMNS + j, out, BLOCK_COLUMNS);
        }
    return;
  }
  for (long w0 = from; w0 < to; w0 += 8) // whole rows of B, a few at a time
    for (long p = first; p < last; p++)
      for (long w = w0; w < MIN(to, w0 + 8); w++) {
        __m512i low, high;
        read_pairs(b, k + 2 * w, p * BLOCK_COLUMNS, &low, &high);
        float *out = panels + (p - first) * panel_words + w * BLOCK_COLUMNS;
        _mm512_store_si512(out, low);
        _mm512_store_si512(out + 16, high);
      }
}

/** Packs a strip by rows from an A whose stored rows run along K. */
void gemm_pack_pair_rows(const Operand *a, float *strip, long m, long rows, long k, long words) {
  const long stride = strip_stride(words);
  for (long i = 0; i < rows; i++)
    for (long w = 0; w < words; w += 16) {
      const long at = (m + i) * a->stride + k + 2 * w;
      _mm512_store_si512(strip + i * stride + w, read_halves(a, at, a->depth - k - 2 * w));
    }
}

static void pack_strips(const Operand *a, float *strips, long strip_floats, long from, long to,
                        long k, long words) {
  if (!a->across) {
    for (long m = from; m < to; m += BLOCK_ROWS, strips += strip_floats)
      gemm_pack_pair_rows(a, strips, m, MIN(BLOCK_ROWS, to - m), k, words);
    return;
  }
  for (long w0 = 0; w0 < words; w0 += 8) { // whole rows as they are stored, a few at a time
    float *strip = strips;
    for (long m = from; m < to; m += BLOCK_ROWS, strip += strip_floats)
      for (long w = w0; w < MIN(words, w0 + 8); w++) {
        __m512i low, high;
        read_pairs(a, k + 2 * w, m, &low, &high);
        _mm512_store_si512(strip + w * STRIP_PITCH, low);
      }
  }
}

const Path gemm_pairs = {
    .elements = 2,
    .rows = BLOCK_ROWS,
    .step = 1,
    .row_unit = 1,
    .longest_slice = 768,
    .block_bytes = 384 << 10,
    .pack_panels = gemm_pack_pair_panels,
    .pack_strips = pack_strips,
    .multiply = multiply_strip,
};

#endif
