#include "operations.h"
#include "pool/pool.h"
#include "vectors/vec.h"

enum { LINE = 16 };

/** Initial value of each kind of reduction. */
static const float STARTS[REDUCE_KINDS] = {0.f, -INFINITY, INFINITY, 1.f};

FN V join(int64_t kind, V a, V b) {
  switch (kind) {
  case REDUCE_SUM:
    return a + b;
  case REDUCE_MAX:
    return v_max(a, b);
  case REDUCE_MIN:
    return v_min(a, b);
  default:
    return a * b;
  }
}

/** Reduces the lanes of a vector, in a fixed order. */
FN float join_lanes(int64_t kind, V v) {
  if (kind == REDUCE_SUM) return hsum(v);
  if (kind == REDUCE_MAX) return hmax(v);
  if (kind == REDUCE_MIN) return hmin(v);
  float lanes[LANES], product = 1.f;
  st(lanes, v);
  for (int i = 0; i < LANES; i++) product *= lanes[i];
  return product;
}

/** Reduces `count` adjacent floats, four vectors at a time. */
FN float reduce_row(int64_t kind, const float *x, long count) {
  V start = S(STARTS[kind]), a = start, b = start, c = start, d = start;
  long i = 0;
  for (; i + 4 * LANES <= count; i += 4 * LANES) {
    a = join(kind, a, ld(x + i));
    b = join(kind, b, ld(x + i + LANES));
    c = join(kind, c, ld(x + i + 2 * LANES));
    d = join(kind, d, ld(x + i + 3 * LANES));
  }
  for (; i < count; i += LANES) {
    B inside = tail(count - i);
    a = join(kind, a, sel(inside, ldm(inside, x + i), start));
  }
  return join_lanes(kind, join(kind, join(kind, a, b), join(kind, c, d)));
}

/** Reduces `middle` rows, `inner` elements apart, of LANES columns or of those in the mask `inside`. */
FN void reduce_columns(int64_t kind, const float *x, float *y, long middle, long inner, B inside) {
  V sum = S(STARTS[kind]);
  for (long k = 0; k < middle; k++) sum = join(kind, sum, ldm(inside, x + k * inner));
  stm(inside, y, sum);
}

/** Computes outputs [first, end) of outer * inner. */
FN void reduce_range(int64_t kind, const float *x, float *y, const int64_t *sizes, long first, long end) {
  long middle = sizes[1], inner = sizes[2];
  if (inner == 1) {
    for (long i = first; i < end; i++) y[i] = reduce_row(kind, x + i * middle, middle);
    return;
  }
  for (long i = first; i < end;) {
    long outer = i / inner, column = i % inner;
    long left = inner - column < end - i ? inner - column : end - i;
    const float *rows = x + outer * middle * inner + column;
    for (long c = 0; c < left; c += LANES)
      reduce_columns(kind, rows + c, y + i + c, middle, inner, tail(left - c));
    i += left;
  }
}

/** Computes outputs [first, end) of an int32 reduction, with wrap-around. */
static void reduce_integer(int64_t kind, const int32_t *x, int32_t *y, const int64_t *sizes, long first,
                         long end) {
  const int32_t starts[REDUCE_KINDS] = {0, INT32_MIN, INT32_MAX, 1};
  long middle = sizes[1], inner = sizes[2];
  for (long i = first; i < end; i++) {
    const int32_t *values = x + i / inner * middle * inner + i % inner;
    int32_t result = starts[kind];
    for (long k = 0; k < middle; k++) {
      int32_t value = values[k * inner];
      if (kind == REDUCE_SUM) result = (int32_t)((uint32_t)result + (uint32_t)value);
      if (kind == REDUCE_MAX && value > result) result = value;
      if (kind == REDUCE_MIN && value < result) result = value;
      if (kind == REDUCE_PROD) result = (int32_t)((uint32_t)result * (uint32_t)value);
    }
    y[i] = result;
  }
}

void run_reduce(char *const *P, const int64_t *N, int thread, int threads) {
  const float *x = (const float *)P[0];
  float *y = (float *)P[1];
  long outputs = N[1] * N[3], unit = outputs >= LINE * threads ? LINE : 1;
  long first = range_start(outputs, thread, threads, unit);
  long end = range_start(outputs, thread + 1, threads, unit);
  if (N[0] >= REDUCE_KINDS) {
    reduce_integer(N[0] - REDUCE_KINDS, (const int32_t *)P[0], (int32_t *)P[1], N + 1, first, end);
    return;
  }
  switch (N[0]) { // specialized for each kind
  case REDUCE_SUM:
    return reduce_range(REDUCE_SUM, x, y, N + 1, first, end);
  case REDUCE_MAX:
    return reduce_range(REDUCE_MAX, x, y, N + 1, first, end);
  case REDUCE_MIN:
    return reduce_range(REDUCE_MIN, x, y, N + 1, first, end);
  case REDUCE_PROD:
    return reduce_range(REDUCE_PROD, x, y, N + 1, first, end);
  }
}

/** Finds the index of the largest or smallest element for outputs [first, end), for one element type. */
#define FIND_INDICES(type)                                                                             \
  for (long i = first; i < end; i++) {                                                                \
    const type *values = (const type *)P[0] + i / inner * middle * inner + i % inner;                 \
    long best = 0;                                                                                    \
    for (long k = 1; k < middle; k++) {                                                               \
      type value = values[k * inner], found = values[best * inner];                                   \
      if (smallest ? value < found : value > found) best = k;                                         \
    }                                                                                                 \
    y[i] = (int32_t)best;                                                                             \
  }

void run_arg_reduce(char *const *P, const int64_t *N, int thread, int threads) {
  int32_t *y = (int32_t *)P[1];
  long smallest = N[0] % ARG_REDUCE_KINDS == ARG_REDUCE_ARGMIN, middle = N[2], inner = N[3], outputs = N[1] * inner;
  long first = range_start(outputs, thread, threads, 1), end = range_start(outputs, thread + 1, threads, 1);
  if (N[0] >= ARG_REDUCE_KINDS) {
    FIND_INDICES(int32_t)
  } else {
    FIND_INDICES(float)
  }
}
#undef FIND_INDICES

void run_combine(char *const *P, const int64_t *N, int thread, int threads) {
  float *y = (float *)P[0];
  const float *partial = (const float *)P[1];
  long columns = N[0], parts = N[1];
  long stride = (columns + MAX_LANES - 1) / MAX_LANES * MAX_LANES; // as in generated kernels
  long end = range_start(columns, thread + 1, threads, LINE);
  for (long c = range_start(columns, thread, threads, LINE); c < end; c += LANES) {
    B inside = tail(end - c);
    V sum = ldm(inside, partial + c);
    for (long part = 1; part < parts; part++) sum = sum + ldm(inside, partial + part * stride + c);
    stm(inside, y + c, sum);
  }
}
