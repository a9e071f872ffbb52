/*
 * vec.h in the vector extensions of GCC and clang: 4 lanes in 128-bit registers (NEON, SSE2), or scalar code on
 * processors without them.
 */
#ifndef VEC_GENERIC_H
#define VEC_GENERIC_H

#define LANES 4
typedef float V __attribute__((vector_size(4 * LANES)));
typedef int32_t B __attribute__((vector_size(4 * LANES))); /* -1 or 0 in each lane */
typedef uint32_t I __attribute__((vector_size(4 * LANES)));

#define EACH_LANE for (int i = 0; i < LANES; i++)

FN V S(float x) { return (V){x, x, x, x}; }
FN I i_set(uint32_t x) { return (I){x, x, x, x}; }
FN I i_count(void) { return (I){0, 1, 2, 3}; }
FN I i_bits(V v) { return (I)v; }
FN V v_bits(I i) { return (V)i; }

/* ---- masks */

FN B tail(long n) { return (B){n > 0 ? -1 : 0, n > 1 ? -1 : 0, n > 2 ? -1 : 0, n > 3 ? -1 : 0}; }
FN B m_and(B a, B b) { return a & b; }
FN B m_or(B a, B b) { return a | b; }
FN B m_not(B a) { return ~a; }
FN int m_any(B a) { return (a[0] | a[1] | a[2] | a[3]) != 0; }
FN V sel(B m, V then, V otherwise) { return (V)((m & (B)then) | (~m & (B)otherwise)); }
FN V keep(B m, V v) { return (V)(m & (B)v); }
FN V m2f(B m) { return keep(m, S(1)); }
FN B f2m(V v) { return v != S(0); }
FN B v_gt(V a, V b) { return a > b; }
FN B v_ge(V a, V b) { return a >= b; }
FN B v_lt(V a, V b) { return a < b; }
FN B v_le(V a, V b) { return a <= b; }
FN B v_eq(V a, V b) { return a == b; }
FN B v_ne(V a, V b) { return a != b; }
FN B v_isnan(V a) { return a != a; }

/* ---- arithmetic */

FN V v_max(V a, V b) { return sel((a > b) | v_isnan(a), a, b); }
FN V v_min(V a, V b) { return sel((a < b) | v_isnan(a), a, b); }
/* Clamps x to [low, high]; NaN propagates. */
FN V v_clamp(V x, float low, float high) {
  return sel(x < S(low), S(low), sel(x > S(high), S(high), x));
}
FN V v_fma(V a, V b, V c) { return a * b + c; } /* rounded once if the processor has FMA */
FN V v_abs(V x) { return (V)((I)x & i_set(0x7fffffff)); }
FN V v_copysign(V size, V sign) {
  return (V)(((I)size & i_set(0x7fffffff)) | ((I)sign & i_set(0x80000000)));
}
FN V v_sqrt(V x) {
  V r;
  EACH_LANE r[i] = sqrtf(x[i]);
  return r;
}
/* Adding 2^23 rounds half to even to an integer; numbers of at least 2^23 are integers already. */
FN V v_round(V x) {
  V big = v_copysign(S(8388608.f), x), r = (x + big) - big;
  return sel(v_abs(x) < S(8388608.f), v_copysign(r, x), x);
}
FN V v_floor(V x) {
  V r = v_round(x);
  return v_copysign(r - m2f(r > x), x);
}
FN V v_ceil(V x) {
  V r = v_round(x);
  return v_copysign(r + m2f(r < x), x);
}
FN I i_convert(V v) { return (I)__builtin_convertvector(v, B); }
FN V v_convert(I i) { return __builtin_convertvector((B)i, V); }
/* 2^n for integral n from -126 to 127. */
FN V v_power_of_two(V n) { return (V)((i_convert(n) + i_set(127)) << 23); }
/* x * 2^n for integral n from -252 to 254, in two steps; the first is exact for n in v_exp's range. */
FN V v_scale(V x, V n) {
  V finite = sel(n == n, n, S(0)), half = v_floor(finite * S(.5f));
  return x * v_power_of_two(half) * v_power_of_two(finite - half);
}
/* Exponent and mantissa of x > 0, so that x = mantissa * 2^exponent, mantissa in [0.75, 1.5). */
FN V v_split(V x, V *mantissa) {
  B denormal = x < S(1.17549435e-38f);
  I u = (I)sel(denormal, x * S(16777216.f), x) - i_set(0x3f400000);
  B exponent = (B)u >> 23;
  *mantissa = (V)((u & i_set(0x7fffff)) + i_set(0x3f400000));
  return v_convert((I)exponent) - keep(denormal, S(24.f));
}
FN V iota(long c) { return v_convert(i_set((uint32_t)c) + i_count()); }

/* ---- horizontal operations */

FN float lane0(V v) { return v[0]; }
FN float hsum(V v) { return (v[0] + v[2]) + (v[1] + v[3]); }
FN float hmax(V v) {
  V a = v_max(v, (V){v[2], v[3], v[0], v[1]});
  return v_max(a, (V){a[1], a[0], a[3], a[2]})[0];
}
FN float hmin(V v) {
  V a = v_min(v, (V){v[2], v[3], v[0], v[1]});
  return v_min(a, (V){a[1], a[0], a[3], a[2]})[0];
}

/* ---- memory */

FN V ld(const float *p) {
  V v;
  memcpy(&v, p, sizeof v);
  return v;
}
FN I ldI(const int32_t *p) {
  I i;
  memcpy(&i, p, sizeof i);
  return i;
}
FN V i_widen(I halves) { return (V)(halves << 16); }
FN V ldb(const bf16 *p) { return i_widen((I){p[0], p[1], p[2], p[3]}); }
FN V ldq(const uint8_t *p) { return v_convert((I){p[0], p[1], p[2], p[3]}); }
FN V ldm(B m, const float *p) {
  V v = S(0);
  EACH_LANE if (m[i]) v[i] = p[i];
  return v;
}
FN V ldbm(B m, const bf16 *p) {
  I v = i_set(0);
  EACH_LANE if (m[i]) v[i] = p[i];
  return i_widen(v);
}
FN V ldqm(B m, const uint8_t *p) {
  I v = i_set(0);
  EACH_LANE if (m[i]) v[i] = p[i];
  return v_convert(v);
}

/* Rounds each lane to bfloat16, half to even; the result is in the lower half of the lane. */
FN I i_narrow(V v) {
  I u = (I)v, even = u + ((u >> 16 & i_set(1)) + i_set(0x7fff)), quiet = u | i_set(0x400000);
  return (I)sel(v_isnan(v), (V)quiet, (V)even) >> 16;
}
FN void st(float *p, V v) { memcpy(p, &v, sizeof v); }
FN void stI(int32_t *p, I i) { memcpy(p, &i, sizeof i); }
FN void stb(bf16 *p, V v) {
  I u = i_narrow(v);
  EACH_LANE p[i] = (bf16)u[i];
}
FN void stq(uint8_t *p, V v) {
  B m = f2m(v);
  EACH_LANE p[i] = (uint8_t)(m[i] & 1);
}
FN void stm(B m, float *p, V v) { EACH_LANE if (m[i]) p[i] = v[i]; }
FN void stbm(B m, bf16 *p, V v) {
  I u = i_narrow(v);
  EACH_LANE if (m[i]) p[i] = (bf16)u[i];
}
FN void stqm(B m, uint8_t *p, V v) {
  B truth = f2m(v);
  EACH_LANE if (m[i]) p[i] = (uint8_t)(truth[i] & 1);
}

FN V v_rbf(V v) { return i_widen(i_narrow(v)); }
/* Rounds to float16: bitwise if the result is normal, else by an addition whose last place is 2^-24. */
FN V v_rhf(V v) {
  I u = (I)v & i_set(0x7fffffff);
  V a = (V)u, rounded = (V)((u + ((u >> 13 & i_set(1)) + i_set(0xfff))) & i_set(0xffffe000));
  rounded = sel(a < S(6.103515625e-5f), (a + S(.5f)) - S(.5f), rounded);
  rounded = sel(a >= S(65520.f), S(INFINITY), rounded);
  return sel(v_isnan(v), v, v_copysign(rounded, v));
}

/* ---- integers, for dropout and vec_integer.h */

FN I i_add(I a, I b) { return a + b; }
FN I i_mul(I a, I b) { return a * b; }
FN I i_xor(I a, I b) { return a ^ b; }
FN I i_shift_right(I a, int n) { return a >> n; }
FN B i_lt(I a, I b) { return (B)a < (B)b; }

#endif
