/*
 * 32-bit integers stored in the bits of a V, so the moves, masks and blends of floats apply to them. Sums and
 * products wrap around.
 */
#ifndef VEC_INTEGER_H
#define VEC_INTEGER_H

FN V ldw(const int32_t *p) { return v_bits(ldI(p)); }
FN V ldwm(B m, const int32_t *p) { return ldm(m, (const float *)p); }
FN void stw(int32_t *p, V v) { stI(p, i_bits(v)); }
FN void stwm(B m, int32_t *p, V v) { stm(m, (float *)p, v); }

FN V w_set(uint32_t x) { return v_bits(i_set(x)); }
FN V w_add(V a, V b) { return v_bits(i_add(i_bits(a), i_bits(b))); }
FN V w_mul(V a, V b) { return v_bits(i_mul(i_bits(a), i_bits(b))); }
FN V w_neg(V a) { return v_bits(i_add(i_xor(i_bits(a), i_set(0xffffffffu)), i_set(1))); }
FN V w_sub(V a, V b) { return w_add(a, w_neg(b)); }

FN B w_lt(V a, V b) { return i_lt(i_bits(a), i_bits(b)); }
FN B w_gt(V a, V b) { return w_lt(b, a); }
FN B w_le(V a, V b) { return m_not(w_lt(b, a)); }
FN B w_ge(V a, V b) { return m_not(w_lt(a, b)); }
FN B w_ne(V a, V b) { return m_or(w_lt(a, b), w_lt(b, a)); }
FN B w_eq(V a, V b) { return m_not(w_ne(a, b)); }

FN V w_max(V a, V b) { return sel(w_lt(a, b), b, a); }
FN V w_min(V a, V b) { return sel(w_lt(b, a), b, a); }
FN V w_abs(V a) { return sel(w_lt(a, w_set(0)), w_neg(a), a); }
FN V w_sign(V a) { return sel(w_lt(a, w_set(0)), w_set(0xffffffffu), keep(w_gt(a, w_set(0)), w_set(1))); }

/* Conversion to and from floats. Fractions are truncated and NaN becomes 0; values out of range are undefined. */
FN V w_float(V a) { return v_convert(i_bits(a)); }
FN V w_integer(V a) { return keep(v_eq(a, a), v_bits(i_convert(a))); }

/* Quotient truncated towards 0. Division by 0 returns 0, since lanes outside a mask may hold 0. */
FN int32_t w_divide(int32_t a, int32_t b) {
  if (b == 0) return 0;
  return b == -1 ? (int32_t)(0u - (uint32_t)a) : a / b;
}
/* Computed in double precision and truncated. Results wrap around to 32 bits; beyond 9e18 they are 0. */
FN int32_t w_power(int32_t a, int32_t b) {
  double power = pow(a, b);
  return fabs(power) < 9e18 ? (int32_t)(uint32_t)(int64_t)power : 0;
}
#define EACH_INTEGER(function)                                                                      \
  int32_t x[LANES], y[LANES];                                                                     \
  stw(x, a);                                                                                      \
  stw(y, b);                                                                                      \
  for (int i = 0; i < LANES; i++) x[i] = function(x[i], y[i]);                                    \
  return ldw(x)
FN V w_div(V a, V b) { EACH_INTEGER(w_divide); }
FN V w_pow(V a, V b) { EACH_INTEGER(w_power); }
#undef EACH_INTEGER

FN int32_t w_lane0(V v) {
  int32_t x[LANES];
  stw(x, v);
  return x[0];
}
/* Reduces all lanes. */
#define FOLD_INTEGER(join)                                                                          \
  int32_t x[LANES];                                                                               \
  stw(x, v);                                                                                      \
  int32_t y = x[0];                                                                               \
  for (int i = 1; i < LANES; i++) y = join;                                                       \
  return y
FN int32_t w_hsum(V v) { FOLD_INTEGER((int32_t)((uint32_t)y + (uint32_t)x[i])); }
FN int32_t w_hmax(V v) { FOLD_INTEGER(x[i] > y ? x[i] : y); }
FN int32_t w_hmin(V v) { FOLD_INTEGER(x[i] < y ? x[i] : y); }
#undef FOLD_INTEGER

#endif
