/* vec.h for AVX-512 (F, BW, DQ, VL, and BF16 if available): 16 lanes, masks in mask registers. */
#ifndef VEC_AVX512_H
#define VEC_AVX512_H

#include <immintrin.h>

#define LANES 16
typedef __m512 V;
typedef __mmask16 B;
typedef __m512i I;

FN V S(float x) { return _mm512_set1_ps(x); }
FN I i_set(uint32_t x) { return _mm512_set1_epi32((int)x); }
FN I i_count(void) {
  return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}
FN I i_bits(V v) { return _mm512_castps_si512(v); }
FN V v_bits(I i) { return _mm512_castsi512_ps(i); }

/* ---- masks */

FN B tail(long n) { return n >= LANES ? 0xffff : n <= 0 ? 0 : (B)((1u << n) - 1); }
FN B m_and(B a, B b) { return a & b; }
FN B m_or(B a, B b) { return a | b; }
FN B m_not(B a) { return (B)~a; }
FN int m_any(B a) { return a != 0; }
FN V sel(B m, V then, V otherwise) { return _mm512_mask_blend_ps(m, otherwise, then); }
FN V keep(B m, V v) { return _mm512_maskz_mov_ps(m, v); }
FN V m2f(B m) { return _mm512_maskz_mov_ps(m, S(1)); }
FN B f2m(V v) { return _mm512_cmp_ps_mask(v, S(0), _CMP_NEQ_UQ); }
FN B v_gt(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
FN B v_ge(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
FN B v_lt(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
FN B v_le(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
FN B v_eq(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
FN B v_ne(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
FN B v_isnan(V a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }

/* ---- arithmetic */

FN V v_max(V a, V b) { return _mm512_mask_blend_ps(v_isnan(a), _mm512_max_ps(a, b), a); }
FN V v_min(V a, V b) { return _mm512_mask_blend_ps(v_isnan(a), _mm512_min_ps(a, b), a); }
/* Clamps x to [low, high]. NaN propagates, since it is the second operand of both instructions. */
FN V v_clamp(V x, float low, float high) {
  return _mm512_max_ps(S(low), _mm512_min_ps(S(high), x));
}
FN V v_fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
FN V v_abs(V x) { return _mm512_abs_ps(x); }
FN V v_copysign(V size, V sign) {
  return v_bits(_mm512_ternarylogic_epi32(i_bits(size), i_bits(sign), i_set(0x80000000), 0xd8));
}
FN V v_sqrt(V x) { return _mm512_sqrt_ps(x); }
FN V v_floor(V x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
FN V v_ceil(V x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
FN V v_round(V x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* x * 2^n for integral n, with gradual underflow. */
FN V v_scale(V x, V n) { return _mm512_scalef_ps(x, n); }
/* Exponent and mantissa of x > 0, so that x = mantissa * 2^exponent, mantissa in [0.75, 1.5). */
FN V v_split(V x, V *mantissa) {
  *mantissa = _mm512_getmant_ps(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
  V exponent = _mm512_getexp_ps(x);
  return _mm512_mask_add_ps(exponent, v_lt(*mantissa, S(1)), exponent, S(1));
}
FN V iota(long c) { return _mm512_cvtepi32_ps(_mm512_add_epi32(i_set((uint32_t)c), i_count())); }

/* ---- horizontal operations */

FN float lane0(V v) { return _mm512_cvtss_f32(v); }
FN float hsum(V v) { return _mm512_reduce_add_ps(v); }
FN float hmax(V v) { return v_isnan(v) ? NAN : _mm512_reduce_max_ps(v); }
FN float hmin(V v) { return v_isnan(v) ? NAN : _mm512_reduce_min_ps(v); }

/* ---- memory */

FN V ld(const float *p) { return _mm512_loadu_ps(p); }
FN V ldm(B m, const float *p) { return _mm512_maskz_loadu_ps(m, p); }
FN V i_widen(__m256i halves) {
  return v_bits(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
FN V ldb(const bf16 *p) { return i_widen(_mm256_loadu_si256((const __m256i *)p)); }
FN V ldbm(B m, const bf16 *p) { return i_widen(_mm256_maskz_loadu_epi16(m, p)); }
FN V i_bytes(__m128i bytes) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes)); }
FN V ldq(const uint8_t *p) { return i_bytes(_mm_loadu_si128((const __m128i *)p)); }
FN V ldqm(B m, const uint8_t *p) { return i_bytes(_mm_maskz_loadu_epi8(m, p)); }
FN I ldI(const int32_t *p) { return _mm512_loadu_si512(p); }

FN void st(float *p, V v) { _mm512_storeu_ps(p, v); }
FN void stm(B m, float *p, V v) { _mm512_mask_storeu_ps(p, m, v); }
/* Rounds 16 floats to bfloat16. */
FN __m256i i_narrow(V v) {
#ifdef __AVX512BF16__
  return (__m256i)_mm512_cvtneps_pbh(v);
#else
  I u = i_bits(v), odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), i_set(1));
  I even = _mm512_add_epi32(u, _mm512_add_epi32(odd, i_set(0x7fff)));
  I quiet = _mm512_or_si512(u, i_set(0x400000));
  I rounded = _mm512_mask_blend_epi32(v_isnan(v), even, quiet);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
#endif
}
FN void stb(bf16 *p, V v) { _mm256_storeu_si256((__m256i *)p, i_narrow(v)); }
FN void stbm(B m, bf16 *p, V v) { _mm256_mask_storeu_epi16(p, m, i_narrow(v)); }
FN __m128i i_truth(V v) { return _mm_maskz_set1_epi8(f2m(v), 1); }
FN void stq(uint8_t *p, V v) { _mm_storeu_si128((__m128i *)p, i_truth(v)); }
FN void stqm(B m, uint8_t *p, V v) { _mm_mask_storeu_epi8(p, m, i_truth(v)); }

FN V v_rbf(V v) { return i_widen(i_narrow(v)); }
FN V v_rhf(V v) {
  return _mm512_cvtph_ps(_mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

/* ---- integers, for dropout and vec_integer.h */

FN I i_convert(V v) { return _mm512_cvttps_epi32(v); }
FN V v_convert(I i) { return _mm512_cvtepi32_ps(i); }
FN void stI(int32_t *p, I i) { _mm512_storeu_si512(p, i); }
FN I i_add(I a, I b) { return _mm512_add_epi32(a, b); }
FN I i_mul(I a, I b) { return _mm512_mullo_epi32(a, b); }
FN I i_xor(I a, I b) { return _mm512_xor_si512(a, b); }
#define i_shift_right(a, n) _mm512_srli_epi32(a, n)
FN B i_lt(I a, I b) { return _mm512_cmplt_epi32_mask(a, b); }

/* ---- erf by tables in registers, faster here than the two branches in vec_math.h */

#define VEC_HAS_ERF
#include "vec_erf_table.h"

/*
 * x g(|x|) for |x| < 1, else the table value itself. Each interval of width 1/4 has a polynomial of degree 5.
 * The table ends at 4, where erf rounds to 1. NaN propagates through `a`.
 */
FN V v_erf(V x) {
  V a = v_clamp(v_abs(x), 0.f, 3.9999998f), u = a * S(4.f);
  I interval = _mm512_cvttps_epi32(u);
  V t = v_fma(u - _mm512_cvtepi32_ps(interval), S(2.f), S(-1.f));
  V r = _mm512_permutexvar_ps(interval, ld(ERF_TABLE[5]));
  r = v_fma(r, t, _mm512_permutexvar_ps(interval, ld(ERF_TABLE[4])));
  r = v_fma(r, t, _mm512_permutexvar_ps(interval, ld(ERF_TABLE[3])));
  r = v_fma(r, t, _mm512_permutexvar_ps(interval, ld(ERF_TABLE[2])));
  r = v_fma(r, t, _mm512_permutexvar_ps(interval, ld(ERF_TABLE[1])));
  r = v_fma(r, t, _mm512_permutexvar_ps(interval, ld(ERF_TABLE[0])));
  return v_copysign(_mm512_mask_mul_ps(r, v_lt(a, S(1.f)), r, a), x);
}

#endif
