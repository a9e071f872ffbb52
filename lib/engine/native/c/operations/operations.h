/** Operations of the runtime that are not generated. Each function does one thread's part of an instruction. */
#ifndef OPERATIONS_H
#define OPERATIONS_H
#include "abi.h"
#include <stdint.h>

/**
 * P: x [I, C], indices int32 [I], y [V, C]. N: I, C, V, SCATTER_ flags.
 * y[index[i]] += x[i]. Without the accumulate flag, y is cleared first. Rows whose index is out of range are
 * skipped; the return value is then 1.
 */
int run_scatter(char *const *P, const int64_t *N, int thread, int threads);

/** P: x, y. N: rank, element bytes, bits of the fill value, then for each axis: elements before x, of x, of y. */
void run_pad(char *const *P, const int64_t *N, int thread, int threads);

/** P: y float32 [C], partial float32 [parts, C rounded up to MAX_LANES]. N: C, parts. y[c] = sum over p of partial[p][c]. */
void run_combine(char *const *P, const int64_t *N, int thread, int threads);

/**
 * P: x, y. N: element bytes, offset, number of digits, then size and stride of each digit, most significant
 * first. y[flat] = x[offset + sum of digit * stride].
 */
void run_copy(char *const *P, const int64_t *N, int thread, int threads);

/**
 * P: x [outer, middle, inner], y [outer, inner]. N: REDUCE_ kind and type, then outer, middle, inner.
 */
void run_reduce(char *const *P, const int64_t *N, int thread, int threads);

/**
 * P: x [outer, middle, inner], y int32 [outer, inner]. N: ARG_REDUCE_ kind and type, then outer, middle, inner. Of equal elements the first wins; NaN wins only if it is the first element.
 */
void run_arg_reduce(char *const *P, const int64_t *N, int thread, int threads);

/** P: y, x0, x1, …. N: element bytes, outer, then elements per row of each x. Concatenates along the last axis. */
void run_concat(char *const *P, int parts, const int64_t *N, int thread, int threads);

/**
 * P: a int32 [I, M, K], b int32 [I, K, N], y int32 [I, M, N]. N: I, M, N, K, then row and column strides in
 * elements of the matrices of a, and of b. y = a · b with wrap-around.
 */
void run_integer_matmul(char *const *P, const int64_t *N, int thread, int threads);

/**
 * P: x [R, C], y int32 [R, K]. N: 0 for float32 or 1 for int32, then R, C and K, with 1 <= K <= C. Indices of
 * the K largest elements of each row in descending order. Of equal elements the first wins; NaN comes last.
 */
void run_top(char *const *P, const int64_t *N, int thread, int threads);

#endif
