/*
 * Kernels that measure the limits of the machine; see measure_limits.ts. The `peak` kernels multiply tiles of
 * C in registers with operands that stay in the L1 cache, N[0] times per row. `triad` measures memory
 * bandwidth.
 */
#include "vectors/vec.h"

#if LANES == 16
enum { ROWS = 12 };
#else
enum { ROWS = 6 };
#endif
enum { COLUMNS = 2, DEPTH = 32 };
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* left * right + sum, of floats or of pairs of bfloat16. */
FN V multiply_add(const int pairs, V left, V right, V sum) {
#if LANES == 16 && defined(__AVX512BF16__)
  if (pairs) return _mm512_dpbf16_ps(sum, (__m512bh)left, (__m512bh)right);
#else
  (void)pairs;
#endif
  return v_fma(left, right, sum);
}

/*
 * Sums of ROWS x COLUMNS vectors over DEPTH: 2 * ROWS * COLUMNS * LANES * DEPTH operations per round, twice as
 * many with pairs of bfloat16.
 */
FN void peak(const int pairs, char *const *P, const int64_t *N, long r0, long r1, char *T) {
  float *a = (float *)(T + SCRATCH_HEAD), *b = a + ROWS * DEPTH;
  for (long i = 0; i < (ROWS + COLUMNS * LANES) * DEPTH; i++) a[i] = 1.f / (float)(i + 3);
  V sums[ROWS][COLUMNS];
  UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < COLUMNS; j++) sums[i][j] = S(0);
  for (long round = r0 * N[0]; round < r1 * N[0]; round++)
    for (long k = 0; k < DEPTH; k++) {
      V right[COLUMNS];
      UNROLL for (int j = 0; j < COLUMNS; j++) right[j] = ld(b + (k * COLUMNS + j) * LANES);
      UNROLL for (int i = 0; i < ROWS; i++) {
        V left = S(a[k * ROWS + i]);
        UNROLL for (int j = 0; j < COLUMNS; j++) sums[i][j] = multiply_add(pairs, left, right[j], sums[i][j]);
      }
    }
  V sum = S(0);
  UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < COLUMNS; j++) sum = sum + sums[i][j];
  if (r1 > r0) ((float *)P[0])[r0] = hsum(sum);
}

void peak_float32(char *const *P, const int64_t *N, long r0, long r1, char *T) { peak(0, P, N, r0, r1, T); }

/* Falls back to float32 arithmetic if the processor has no such instruction; not called in that case. */
void peak_pairs(char *const *P, const int64_t *N, long r0, long r1, char *T) { peak(1, P, N, r0, r1, T); }

/* The same in AMX tiles, 32 x 32 sums over 32 elements: 2 * 32 * 32 * 32 operations per round. */
void peak_tiles(char *const *P, const int64_t *N, long r0, long r1, char *T) {
#if LANES == 16 && (defined(__AMX_BF16__) || defined(__AMXBF16__))
  static const struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } shapes __attribute__((aligned(64))) = {
      .palette = 1,
      .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
      .rows = {16, 16, 16, 16, 16, 16, 16, 16},
  };
  float *a = (float *)(T + SCRATCH_HEAD);
  for (long i = 0; i < 4 * 256; i++) a[i] = 1.f / (float)(i + 3);
  _tile_loadconfig(&shapes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (long round = r0 * N[0]; round < r1 * N[0]; round++) {
    _tile_loadd(4, a, 64);
    _tile_loadd(5, a + 256, 64);
    _tile_loadd(6, a + 512, 64);
    _tile_loadd(7, a + 768, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, a, 64);
  _tile_release();
  if (r1 > r0) ((float *)P[0])[r0] = a[0];
#else
  (void)P, (void)N, (void)r0, (void)r1, (void)T;
#endif
}

/* P[0] = P[1] + P[2] / 2, N[0] times over the chunk of a thread. */
void triad(char *const *P, const int64_t *N, long r0, long r1, char *T) {
  float *sum = (float *)P[0];
  const float *x = (const float *)P[1], *y = (const float *)P[2];
  const V half = S(.5f);
  (void)T;
  for (long round = 0; round < N[0]; round++)
    for (long i = r0; i + LANES <= r1; i += LANES) st(sum + i, v_fma(half, ld(y + i), ld(x + i)));
}
