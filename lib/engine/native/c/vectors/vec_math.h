/*
 * Exponential, logarithm, error function and others, for all instruction sets of vec.h.
 *
 * Largest errors against float64 over the whole range, in units in the last place (ulp) of the result. The tests
 * assert these bounds. Infinities, NaN and signed zeros behave as in C.
 *
 *   v_exp  1 ulp, including denormal results     v_log  1 ulp, including denormal arguments
 *   v_tanh 1.5 ulp                               v_erf  2 ulp (AVX-512), 1.25 ulp (others)
 *   v_sin v_cos 1.75 ulp or 1e-10 absolute, whichever is larger
 *   v_pow  1 ulp (the C library's, lane by lane)
 */
#ifndef VEC_MATH_H
#define VEC_MATH_H

FN V v_neg(V x) { return -x; }
FN V v_sign(V x) { return m2f(v_gt(x, S(0.f))) - m2f(v_lt(x, S(0.f))); }
FN V v_rcp(V x) { return S(1.f) / x; }
FN V v_rsqrt(V x) { return S(1.f) / v_sqrt(x); }

/*
 * e^x = 2^n e^r with r in [-ln 2 / 2, ln 2 / 2]; the polynomial is that of Cephes' expf. If the result is 0, as
 * for masked attention scores, nothing is scaled: a result that underflows costs about 150 cycles on Intel's
 * processors, and softmax of padded texts took twice as long.
 */
FN V v_exp(V x) {
  B vanishes = v_lt(x, S(-104.f));
  V clamped = sel(vanishes, S(0.f), v_min(x, S(89.f)));
  V n = v_round(clamped * S(1.44269504f));
  V r = v_fma(n, S(-0.693359375f), clamped); /* ln 2 in two parts; products with the first are exact */
  r = v_fma(n, S(2.12194440e-4f), r);
  V p = S(1.9875691500e-4f);
  p = v_fma(p, r, S(1.3981999507e-3f));
  p = v_fma(p, r, S(8.3334519073e-3f));
  p = v_fma(p, r, S(4.1665795894e-2f));
  p = v_fma(p, r, S(1.6666665459e-1f));
  p = v_fma(p, r, S(5.0000001201e-1f));
  p = v_fma(p, r * r, r) + S(1.f);
  return sel(vanishes, S(0.f), v_scale(p, n));
}

/* log x = e ln 2 + log(1 + f) with f in [-0.25, 0.5); the polynomial's own error is 9e-10. */
FN V v_log(V x) {
  V mantissa, e = v_split(x, &mantissa);
  V f = mantissa - S(1.f), z = f * f;
  V p = S(3.767291084e-2f);
  p = v_fma(p, f, S(-9.116189927e-2f));
  p = v_fma(p, f, S(1.170066148e-1f));
  p = v_fma(p, f, S(-1.272777915e-1f));
  p = v_fma(p, f, S(1.427623928e-1f));
  p = v_fma(p, f, S(-1.665529609e-1f));
  p = v_fma(p, f, S(1.999960542e-1f));
  p = v_fma(p, f, S(-2.500016391e-1f));
  p = v_fma(p, f, S(3.333334029e-1f));
  V y = p * z * f;
  y = v_fma(e, S(-2.12194440e-4f), y); /* small terms first */
  y = v_fma(z, S(-.5f), y) + f;
  y = v_fma(e, S(0.693359375f), y);
  y = sel(v_eq(x, S(INFINITY)), x, y);
  y = sel(v_eq(x, S(0.f)), S(-INFINITY), y);
  return sel(v_ge(x, S(0.f)), y, S(NAN));
}

/* x + x^3 P(x^2) near 0, else 1 - 2 / (e^(2|x|) + 1) with the sign of x. */
FN V v_tanh(V x) {
  V a = v_abs(x), s = x * x;
  V p = S(2.231063787e-3f);
  p = v_fma(p, s, S(-8.267090656e-3f));
  p = v_fma(p, s, S(2.173443884e-2f));
  p = v_fma(p, s, S(-5.395247415e-2f));
  p = v_fma(p, s, S(1.333324760e-1f));
  p = v_fma(p, s, S(-3.333333135e-1f));
  V small = v_fma(p * s, x, x);
  V large = S(1.f) - S(2.f) / (v_exp(a + a) + S(1.f));
  return sel(v_lt(a, S(0.6f)), small, v_copysign(large, x));
}

#ifndef VEC_HAS_ERF
/* A polynomial near 0, else 1 - e^q(|x|); coefficients by N. Juffa (2016), stackoverflow.com/a/35148199. */
FN V v_erf(V x) {
  V t = v_clamp(v_abs(x), 0.f, 4.f), s = t * t;
  V q = v_fma(S(-1.72853470e-5f), t, S(3.83197126e-4f));
  V u = v_fma(S(-3.88396438e-3f), t, S(2.42546219e-2f));
  q = v_fma(q, s, u);
  q = v_fma(q, t, S(-1.06777877e-1f));
  q = v_fma(q, t, S(-6.34846687e-1f));
  q = v_fma(q, t, S(-1.28717512e-1f));
  q = v_fma(q, t, -t);
  V large = v_copysign(S(1.f) - v_exp(q), x);
  V p = S(-5.96761703e-4f);
  p = v_fma(p, s, S(4.99119423e-3f));
  p = v_fma(p, s, S(-2.67681349e-2f));
  p = v_fma(p, s, S(1.12819925e-1f));
  p = v_fma(p, s, S(-3.76125336e-1f));
  p = v_fma(p, s, S(1.28379166e-1f));
  return sel(v_gt(t, S(0.927734375f)), large, v_fma(p, x, x));
}
#endif

/* Calls `f` on each lane, for rare functions and ranges. */
FN V v_each(float (*f)(float), V x) {
  float lanes[LANES];
  st(lanes, x);
  for (int i = 0; i < LANES; i++) lanes[i] = f(lanes[i]);
  return ld(lanes);
}

/* sin and cos of r in [-pi/4, pi/4], Cephes' sinf and cosf. */
FN V v_sine(V r) {
  V z = r * r, p = S(-1.9515295891e-4f);
  p = v_fma(p, z, S(8.3321608736e-3f));
  p = v_fma(p, z, S(-1.6666654611e-1f));
  return v_fma(p * z, r, r);
}
FN V v_cosine(V r) {
  V z = r * r, p = S(2.443315711809948e-5f);
  p = v_fma(p, z, S(-1.388731625493765e-3f));
  p = v_fma(p, z, S(4.166664568298827e-2f));
  return v_fma(p * z, z, v_fma(z, S(-.5f), S(1.f)));
}

/*
 * sin(x + turn pi/2) with x = n pi/2 + r. pi/2 has three parts whose products with n are exact for arguments up to
 * 8192. Larger arguments use the C library; infinities become NaN.
 */
FN V v_quarter(V x, float turn) {
  V n = v_round(x * S(0.636619772f));
  V r = v_fma(n, S(-1.5703125f), x);
  r = v_fma(n, S(-4.837512969970703125e-4f), r);
  r = v_fma(n, S(-7.54978995489188216e-8f), r);
  V quarter = n + S(turn);
  quarter = quarter - S(4.f) * v_floor(quarter * S(.25f)); /* 0, 1, 2 or 3 */
  V odd = quarter - S(2.f) * v_floor(quarter * S(.5f));
  V y = sel(f2m(odd), v_cosine(r), v_sine(r));
  return sel(v_ge(quarter, S(2.f)), -y, y);
}
FN V v_sin(V x) {
  return m_any(v_gt(v_abs(x), S(8192.f))) ? v_each(sinf, x) : v_quarter(x, 0.f);
}
FN V v_cos(V x) {
  return m_any(v_gt(v_abs(x), S(8192.f))) ? v_each(cosf, x) : v_quarter(x, 1.f);
}

/* x^y by the C library, lane by lane. */
FN V v_pow(V x, V y) {
  float base[LANES], power[LANES];
  st(base, x);
  st(power, y);
  for (int i = 0; i < LANES; i++) base[i] = powf(base[i], power[i]);
  return ld(base);
}

#endif
