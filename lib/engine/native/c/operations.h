/** Operations of the runtime that are not generated. Each does one thread's share of an instruction. */
#ifndef OPERATIONS_H
#define OPERATIONS_H
#include <stdint.h>

/** P: x [I, C], indices int32 [I], y [V, C].  N: I, C, V, 1 to accumulate + 2 for int32, else float32.
 * y[index[i]] += x[i], y cleared first unless it accumulates. Returns 1 when an index is not below V; its row is left out. */
int run_scatter(char *const *P, const int64_t *N, int thread, int threads);

/** P: x, y.  N: rank, element bytes, bits to fill with, then before, size, after of each axis of x. */
void run_pad(char *const *P, const int64_t *N, int thread, int threads);

/** P: y float32 [C], partial float32.  N: C, stride, parts. y[c] = sum over p of partial[p * stride + c]. */
void run_combine(char *const *P, const int64_t *N, int thread, int threads);

/** P: x, y.  N: element bytes, offset, digits, then size and stride of each digit, the first most
 * significant. y[flat] = x[offset + sum of digit * stride]. */
void run_copy(char *const *P, const int64_t *N, int thread, int threads);

/** P: x [outer, middle, inner], y [outer, inner].  N: ReduceKind, REDUCE_KINDS more for int32 in place of
 * float32, then outer, middle, inner. */
void run_reduce(char *const *P, const int64_t *N, int thread, int threads);

/** P: x [outer, middle, inner], y int32 [outer, inner].  N: 0 for the place of the largest, 1 for that of
 * the smallest, 2 more for int32 in place of float32, then outer, middle, inner. The first among equals; NaN only where it stands first. */
void run_arg_reduce(char *const *P, const int64_t *N, int thread, int threads);

/** P: y, x0, x1, ….  N: element bytes, outer, then elements of each part a row. Rows of the parts in turn. */
void run_concat(char *const *P, int parts, const int64_t *N, int thread, int threads);

/** P: a int32 [I, M, K], b int32 [I, K, N], y int32 [I, M, N].  N: I, M, N, K, then how far apart rows and
 * columns of a matrix of a lie, and of b, in elements. y = a · b, wrapping around. */
void run_integer_matmul(char *const *P, const int64_t *N, int thread, int threads);

/** P: x [R, C], y int32 [R, K].  N: 0 for float32 or 1 for int32, then R, C and K, from 1 to C. The places of
 * the K largest of each row, largest first, of equals the first; NaN comes last. */
void run_top(char *const *P, const int64_t *N, int thread, int threads);

enum ReduceKind { REDUCE_SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PRODUCT, REDUCE_KINDS };

/** Most axes of a padded array and digits of a copied view. */
enum { MAX_RANK = 6, MAX_DIGITS = 16 };

#endif
