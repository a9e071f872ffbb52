/**
 * Packing into words of two bfloat16 neighbors along K, for the dot-product instruction and for tiles. float32
 * operands are rounded to nearest even. If K is odd, the missing last element is 0.
 */
#ifndef GEMM_PAIRS_H
#define GEMM_PAIRS_H
#include "gemm_path.h"
#include "gemm_transpose.h"

#ifdef GEMM_PAIRS

INLINE __mmask32 first_halves(long count) {
  return count >= 32 ? 0xffffffffu : count <= 0 ? 0 : (1u << count) - 1;
}

/** Reads `count` (at most 32) values of an operand from element `at` as bfloat16; the others are 0. */
INLINE __m512i read_halves(const Operand *x, long at, long count) {
  if (x->is_bf16) return _mm512_maskz_loadu_epi16(first_halves(count), (const bf16 *)x->data + at);
  const float *p = (const float *)x->data + at;
  return (__m512i)_mm512_cvtne2ps_pbh((__m512)load_some(p + 16, count - 16),
                                      (__m512)load_some(p, count));
}

/** Reads columns [first, first + 32) of stored rows k and k + 1 as pairs: the low and the high 16 words. */
INLINE void read_pairs(const Operand *x, long k, long first, __m512i *low, __m512i *high) {
  static const uint16_t LOW[32]
      __attribute__((aligned(64))) = {0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
                                      8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i places = _mm512_load_si512(LOW);
  const long columns = x->extent - first;
  const __m512i even =
      k < x->depth ? read_halves(x, k * x->stride + first, columns) : _mm512_setzero_si512();
  const __m512i odd = k + 1 < x->depth ? read_halves(x, (k + 1) * x->stride + first, columns)
                                       : _mm512_setzero_si512();
  *low = _mm512_permutex2var_epi16(even, places, odd);
  *high = _mm512_permutex2var_epi16(even, _mm512_add_epi16(places, _mm512_set1_epi16(16)), odd);
}

/**
 * Transposes 16 stored rows (columns of B) of 16 words along K, from element k of row `first`:
 * out[word][row].
 */
INLINE void transpose_pairs(const Operand *x, long k, long first, float *out, long out_stride) {
  const long at = first * x->stride + k;
  if (x->is_bf16 && first + 16 <= x->extent && k + 32 <= x->depth) {
    const bf16 *in = (const bf16 *)x->data + at;
    // transpose_words() strides by 32-bit words, but the row stride may be an odd number of bfloat16.
    if (x->stride % 2 == 0) {
      transpose_words((const float *)in, x->stride / 2, out, out_stride);
      return;
    }
  }
  float square[16 * 16] __attribute__((aligned(64)));
  for (long i = 0; i < 16; i++)
    _mm512_store_si512(square + 16 * i, first + i < x->extent
                                            ? read_halves(x, at + i * x->stride, x->depth - k)
                                            : _mm512_setzero_si512());
  transpose_words(square, 16, out, out_stride);
}

void gemm_pack_pair_panels(const Operand *b, float *panels, long panel_words, long k, long first,
                           long last, long from, long to);
void gemm_pack_pair_rows(const Operand *a, float *strip, long m, long rows, long k, long words);

#endif
#endif
