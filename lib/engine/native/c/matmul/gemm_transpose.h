/** Transposition of square blocks of 32-bit words, TRANSPOSED on a side. */
#ifndef GEMM_TRANSPOSE_H
#define GEMM_TRANSPOSE_H
#include "gemm_vector.h"

#ifdef GEMM_AVX512
#define TRANSPOSED 16

/**
 * out[column][row] = in[row][column], 16 x 16. Each group of four words is loaded directly into its 128-bit
 * lane (a load and a blend), so only shuffles within lanes remain.
 */
INLINE void transpose_words(const float *in, long stride, float *out, long out_stride) {
  for (int c = 0; c < 4; c++) {
    __m512 z[4]; // lane l of z[j]: columns 4c.. of row 4l + j
    UNROLL for (int j = 0; j < 4; j++) {
      const float *p = in + j * stride + 4 * c;
      __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(p));
      v = _mm512_mask_broadcast_f32x4(v, 0x00f0, _mm_loadu_ps(p + 4 * stride));
      v = _mm512_mask_broadcast_f32x4(v, 0x0f00, _mm_loadu_ps(p + 8 * stride));
      z[j] = _mm512_mask_broadcast_f32x4(v, 0xf000, _mm_loadu_ps(p + 12 * stride));
    }
    const __m512d t0 = (__m512d)_mm512_unpacklo_ps(z[0], z[1]),
                  t1 = (__m512d)_mm512_unpackhi_ps(z[0], z[1]),
                  t2 = (__m512d)_mm512_unpacklo_ps(z[2], z[3]),
                  t3 = (__m512d)_mm512_unpackhi_ps(z[2], z[3]);
    float *row = out + 4 * c * out_stride;
    _mm512_storeu_ps(row, (__m512)_mm512_unpacklo_pd(t0, t2));
    _mm512_storeu_ps(row + out_stride, (__m512)_mm512_unpackhi_pd(t0, t2));
    _mm512_storeu_ps(row + 2 * out_stride, (__m512)_mm512_unpacklo_pd(t1, t3));
    _mm512_storeu_ps(row + 3 * out_stride, (__m512)_mm512_unpackhi_pd(t1, t3));
  }
}
#else
#define TRANSPOSED 4

typedef float Four __attribute__((vector_size(16), aligned(4)));
#ifdef __clang__
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int FourPlaces __attribute__((vector_size(16)));
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (FourPlaces){i, j, k, l})
#endif

/** out[column][row] = in[row][column], 4 x 4. */
INLINE void transpose_words(const float *in, long stride, float *out, long out_stride) {
  const Four a = *(const Four *)in, b = *(const Four *)(in + stride),
             c = *(const Four *)(in + 2 * stride), d = *(const Four *)(in + 3 * stride);
  const Four ab_low = SHUFFLE(a, b, 0, 4, 1, 5), ab_high = SHUFFLE(a, b, 2, 6, 3, 7),
             cd_low = SHUFFLE(c, d, 0, 4, 1, 5), cd_high = SHUFFLE(c, d, 2, 6, 3, 7);
  *(Four *)out = SHUFFLE(ab_low, cd_low, 0, 1, 4, 5);
  *(Four *)(out + out_stride) = SHUFFLE(ab_low, cd_low, 2, 3, 6, 7);
  *(Four *)(out + 2 * out_stride) = SHUFFLE(ab_high, cd_high, 0, 1, 4, 5);
  *(Four *)(out + 3 * out_stride) = SHUFFLE(ab_high, cd_high, 2, 3, 6, 7);
}
#endif

#endif
