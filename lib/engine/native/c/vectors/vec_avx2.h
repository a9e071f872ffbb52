/* vec.h for AVX2 with FMA and F16C: 8 lanes, masks are vectors of 0 and -1. */
#ifndef VEC_AVX2_H
#define VEC_AVX2_H

#include <immintrin.h>

#define LANES 8
typedef __m256 V;
typedef __m256i B;
typedef __m256i I;

FN V S(float x) { return _mm256_set1_ps(x); }
FN I i_set(uint32_t x) { return _mm256_set1_epi32((int)x); }
FN I i_count(void) { return _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0); }
FN I i_bits(V v) { return _mm256_castps_si256(v); }
FN V v_bits(I i) { return _mm256_castsi256_ps(i); }

/* ---- masks */

FN B tail(long n) {
  return _mm256_cmpgt_epi32(i_set((uint32_t)(n > LANES ? LANES : n < 0 ? 0 : n)), i_count());
}
FN B m_and(B a, B b) { return _mm256_and_si256(a, b); }
FN B m_or(B a, B b) { return _mm256_or_si256(a, b); }
FN B m_not(B a) { return _mm256_xor_si256(a, i_set(0xffffffff)); }
/* One bit per lane. */
FN unsigned m_lanes(B a) { return (unsigned)_mm256_movemask_ps(v_bits(a)); }
FN int m_any(B a) { return m_lanes(a) != 0; }
FN V sel(B m, V then, V otherwise) { return _mm256_blendv_ps(otherwise, then, v_bits(m)); }
FN V keep(B m, V v) { return _mm256_and_ps(v_bits(m), v); }
FN V m2f(B m) { return keep(m, S(1)); }
FN B f2m(V v) { return i_bits(_mm256_cmp_ps(v, S(0), _CMP_NEQ_UQ)); }
FN B v_gt(V a, V b) { return i_bits(_mm256_cmp_ps(a, b, _CMP_GT_OQ)); }
FN B v_ge(V a, V b) { return i_bits(_mm256_cmp_ps(a, b, _CMP_GE_OQ)); }
FN B v_lt(V a, V b) { return i_bits(_mm256_cmp_ps(a, b, _CMP_LT_OQ)); }
FN B v_le(V a, V b) { return i_bits(_mm256_cmp_ps(a, b, _CMP_LE_OQ)); }
FN B v_eq(V a, V b) { return i_bits(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }
FN B v_ne(V a, V b) { return i_bits(_mm256_cmp_ps(a, b, _CMP_NEQ_UQ)); }
FN B v_isnan(V a) { return i_bits(_mm256_cmp_ps(a, a, _CMP_UNORD_Q)); }

/* ---- arithmetic */

FN V v_max(V a, V b) { return sel(v_isnan(a), a, _mm256_max_ps(a, b)); }
FN V v_min(V a, V b) { return sel(v_isnan(a), a, _mm256_min_ps(a, b)); }
/* Clamps x to [low, high]. NaN propagates, since it is the second operand of both instructions. */
FN V v_clamp(V x, float low, float high) {
  return _mm256_max_ps(S(low), _mm256_min_ps(S(high), x));
}
FN V v_fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
FN V v_abs(V x) { return _mm256_andnot_ps(S(-0.f), x); }
FN V v_copysign(V size, V sign) {
  return _mm256_or_ps(v_abs(size), _mm256_and_ps(S(-0.f), sign));
}
FN V v_sqrt(V x) { return _mm256_sqrt_ps(x); }
FN V v_floor(V x) { return _mm256_floor_ps(x); }
FN V v_ceil(V x) { return _mm256_ceil_ps(x); }
FN V v_round(V x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* 2^n for integral n from -126 to 127. */
FN V v_power_of_two(V n) {
  return v_bits(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), i_set(127)), 23));
}
/* x * 2^n for integral n from -252 to 254, in two steps; the first is exact for n in v_exp's range. */
FN V v_scale(V x, V n) {
  V half = v_floor(n * S(.5f));
  return x * v_power_of_two(half) * v_power_of_two(n - half);
}
/* Exponent and mantissa of x > 0, so that x = mantissa * 2^exponent, mantissa in [0.75, 1.5). */
FN V v_split(V x, V *mantissa) {
  B denormal = v_lt(x, S(1.17549435e-38f));
  I u = _mm256_sub_epi32(i_bits(sel(denormal, x * S(16777216.f), x)), i_set(0x3f400000));
  *mantissa = v_bits(_mm256_add_epi32(_mm256_and_si256(u, i_set(0x7fffff)), i_set(0x3f400000)));
  return _mm256_cvtepi32_ps(_mm256_srai_epi32(u, 23)) - keep(denormal, S(24.f));
}
FN V iota(long c) { return _mm256_cvtepi32_ps(_mm256_add_epi32(i_set((uint32_t)c), i_count())); }

/* ---- horizontal operations */

FN float lane0(V v) { return _mm256_cvtss_f32(v); }
FN V v_swap_halves(V v) { return _mm256_permute2f128_ps(v, v, 1); }
FN V v_swap_pairs(V v) { return _mm256_permute_ps(v, 0x4e); }
FN V v_swap_neighbors(V v) { return _mm256_permute_ps(v, 0xb1); }
FN float hsum(V v) {
  v = v + v_swap_halves(v);
  v = v + v_swap_pairs(v);
  return lane0(v + v_swap_neighbors(v));
}
FN float hmax(V v) {
  v = v_max(v, v_swap_halves(v));
  v = v_max(v, v_swap_pairs(v));
  return lane0(v_max(v, v_swap_neighbors(v)));
}
FN float hmin(V v) {
  v = v_min(v, v_swap_halves(v));
  v = v_min(v, v_swap_pairs(v));
  return lane0(v_min(v, v_swap_neighbors(v)));
}

/* ---- memory; types narrower than 32 bits have no masked access and are accessed lane by lane */

#define EACH_LANE_IN(m)                                                                           \
  unsigned inside = m_lanes(m);                                                                   \
  for (int i = 0; i < LANES; i++)                                                                 \
    if (inside >> i & 1)

FN V ld(const float *p) { return _mm256_loadu_ps(p); }
FN V ldm(B m, const float *p) { return _mm256_maskload_ps(p, m); }
FN I ldI(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
FN V i_widen(__m128i halves) {
  return v_bits(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}
FN V ldb(const bf16 *p) { return i_widen(_mm_loadu_si128((const __m128i *)p)); }
FN V ldbm(B m, const bf16 *p) {
  bf16 lanes[LANES] = {0};
  EACH_LANE_IN(m) lanes[i] = p[i];
  return ldb(lanes);
}
FN V ldq(const uint8_t *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
FN V ldqm(B m, const uint8_t *p) {
  uint8_t lanes[LANES] = {0};
  EACH_LANE_IN(m) lanes[i] = p[i];
  return ldq(lanes);
}

/* Rounds 8 floats to bfloat16, half to even. */
FN __m128i i_narrow(V v) {
  I u = i_bits(v), odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), i_set(1));
  I even = _mm256_add_epi32(u, _mm256_add_epi32(odd, i_set(0x7fff)));
  I quiet = _mm256_or_si256(u, i_set(0x400000));
  I rounded = _mm256_srli_epi32(_mm256_blendv_epi8(even, quiet, v_isnan(v)), 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
}
FN void st(float *p, V v) { _mm256_storeu_ps(p, v); }
FN void stm(B m, float *p, V v) { _mm256_maskstore_ps(p, m, v); }
FN void stI(int32_t *p, I i) { _mm256_storeu_si256((__m256i *)p, i); }
FN void stb(bf16 *p, V v) { _mm_storeu_si128((__m128i *)p, i_narrow(v)); }
FN void stbm(B m, bf16 *p, V v) {
  bf16 lanes[LANES];
  stb(lanes, v);
  EACH_LANE_IN(m) p[i] = lanes[i];
}
FN void stq(uint8_t *p, V v) {
  I truth = _mm256_srli_epi32(f2m(v), 31);
  __m128i halves =
      _mm_packus_epi32(_mm256_castsi256_si128(truth), _mm256_extracti128_si256(truth, 1));
  _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(halves, halves));
}
FN void stqm(B m, uint8_t *p, V v) {
  uint8_t lanes[LANES];
  stq(lanes, v);
  EACH_LANE_IN(m) p[i] = lanes[i];
}

FN V v_rbf(V v) { return i_widen(i_narrow(v)); }
FN V v_rhf(V v) { return _mm256_cvtph_ps(_mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT)); }

/* ---- integers, for dropout and vec_integer.h */

FN I i_convert(V v) { return _mm256_cvttps_epi32(v); }
FN V v_convert(I i) { return _mm256_cvtepi32_ps(i); }
FN I i_add(I a, I b) { return _mm256_add_epi32(a, b); }
FN I i_mul(I a, I b) { return _mm256_mullo_epi32(a, b); }
FN I i_xor(I a, I b) { return _mm256_xor_si256(a, b); }
#define i_shift_right(a, n) _mm256_srli_epi32(a, n)
FN B i_lt(I a, I b) { return _mm256_cmpgt_epi32(b, a); }

#endif
