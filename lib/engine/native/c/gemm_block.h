/**
 * The register block: BLOCK_ROWS x BLOCK_COLUMNS sums of C stay in registers over all words of K; each
 * word takes one row of a panel of B and one broadcast word of A for every row. Included by each path
 * that multiplies so, with MULTIPLY_ADD(sums, word of A, vector of B) defined.
 */
#include "gemm_store.h"

/** Adds the sums of `rows` x `vectors` (constants once inlined) and stores them. */
INLINE void multiply_block(const int rows, const int vectors, const int by_words, long words,
                           const float *a, long a_stride, const float *b, const Target *target) {
  Vector sums[BLOCK_ROWS][BLOCK_VECTORS];
#pragma GCC unroll 16
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) sums[i][j] = (Vector){0};

  // Rows of A are addressed from every third one, which is what addressing modes can do.
  const WordAnywhere *a0 = a, *a3 = a + 3 * a_stride, *a6 = a + 6 * a_stride,
                     *a9 = a + 9 * a_stride, *a12 = a + 12 * a_stride;
  for (long k = 0; k < words; k++) {
    Vector v[BLOCK_VECTORS];
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) v[j] = *(const Vector *)(b + j * LANES);
    __builtin_prefetch(b + 16 * BLOCK_COLUMNS);
    if (vectors * LANES > 16) __builtin_prefetch(b + 16 * BLOCK_COLUMNS + 16);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
      const WordAnywhere *row = i < 3 ? a0 : i < 6 ? a3 : i < 9 ? a6 : i < 12 ? a9 : a12;
      const float word = by_words ? a[i] : row[(i % 3) * a_stride];
#pragma GCC unroll 4
      for (int j = 0; j < vectors; j++) sums[i][j] = MULTIPLY_ADD(sums[i][j], word, v[j]);
    }
    b += BLOCK_COLUMNS;
    if (by_words) {
      a += STRIP_PITCH;
    } else {
      a0++, a3++, a6++, a9++, a12++;
      __asm__ volatile("" : "+r"(a0), "+r"(a3), "+r"(a6), "+r"(a9), "+r"(a12)); // keep them apart
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) store_sums(target, i, j * LANES, sums[i][j], LANES);
}

typedef void Block(long words, const float *a, long a_stride, const float *b, const Target *target);

#define DEFINE_BLOCKS(rows)                                                                        \
  static void words_wide_##rows(long n, const float *a, long s, const float *b, const Target *t) { \
    multiply_block(rows, BLOCK_VECTORS, 1, n, a, s, b, t);                                         \
  }                                                                                                \
  static void words_half_##rows(long n, const float *a, long s, const float *b, const Target *t) { \
    multiply_block(rows, BLOCK_VECTORS / 2, 1, n, a, s, b, t);                                     \
  }                                                                                                \
  static void rows_wide_##rows(long n, const float *a, long s, const float *b, const Target *t) {  \
    multiply_block(rows, BLOCK_VECTORS, 0, n, a, s, b, t);                                         \
  }                                                                                                \
  static void rows_half_##rows(long n, const float *a, long s, const float *b, const Target *t) {  \
    multiply_block(rows, BLOCK_VECTORS / 2, 0, n, a, s, b, t);                                     \
  }
#define BLOCKS_OF(rows)                                                                            \
  { rows, { { rows_wide_##rows, rows_half_##rows }, { words_wide_##rows, words_half_##rows } } }

DEFINE_BLOCKS(1)
DEFINE_BLOCKS(2)
DEFINE_BLOCKS(4)
#if BLOCK_ROWS == 14
DEFINE_BLOCKS(8)
DEFINE_BLOCKS(14)
#else
DEFINE_BLOCKS(6)
#endif

/** Blocks by rows, tallest first, then [strip by words][half width]. */
static const struct {
  int rows;
  Block *blocks[2][2];
} BLOCKS[] = {
#if BLOCK_ROWS == 14
    BLOCKS_OF(14), BLOCKS_OF(8),
#else
    BLOCKS_OF(6),
#endif
    BLOCKS_OF(4), BLOCKS_OF(2), BLOCKS_OF(1)};

/** A strip times its panels; rows that make no full block are done by ever smaller ones. */
static void multiply_strip(const Strip *s) {
  float ragged[BLOCK_ROWS * BLOCK_COLUMNS] __attribute__((aligned(64)));
  const int by_words = s->a_stride == 0;
  const float *a = s->a;
  Target below_done = s->target;
  long left = s->rows;
  for (int c = 0; left > 0; c++) {
    while (left >= BLOCKS[c].rows) {
      const int rows = BLOCKS[c].rows;
      const float *b = s->b;
      for (long column = 0; column < s->columns; column += BLOCK_COLUMNS, b += s->panel_words) {
        const long columns = MIN(BLOCK_COLUMNS, s->columns - column);
        const int half = columns <= BLOCK_COLUMNS / 2;
        Block *block = BLOCKS[c].blocks[by_words][half];
        const Target target = right_of(below_done, column);
        if (columns == BLOCK_COLUMNS || columns == BLOCK_COLUMNS / 2) {
          block(s->words, a, s->a_stride, b, &target);
        } else {
          const Target in_memory = {(char *)ragged, BLOCK_COLUMNS, 0, 0, 0};
          block(s->words, a, s->a_stride, b, &in_memory);
          store_block(&target, ragged, rows, columns);
        }
      }
      a += by_words ? rows : rows * s->a_stride;
      below_done = below(below_done, rows);
      left -= rows;
    }
  }
}
