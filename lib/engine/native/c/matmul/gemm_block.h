/**
 * The register block: BLOCK_ROWS x BLOCK_COLUMNS sums of C stay in registers over all words of K. Each word
 * reads one row of a panel of B and broadcasts one word of each row of A. Each path that uses register blocks
 * includes this file after defining MULTIPLY_ADD(sums, word of A, vector of B).
 */
#include "gemm_store.h"

typedef Vector Sums[BLOCK_ROWS][BLOCK_VECTORS];

/**
 * Adds one word of K: a row of a panel times the words of `rows` rows of A. `thirds` points to every third row;
 * rows are `distance` words apart.
 */
INLINE void add_word(const int rows, const int vectors, Sums sums,
                     const WordAnywhere *const *thirds, long distance, const float *b) {
  Vector v[BLOCK_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) v[j] = *(const Vector *)(b + j * LANES);
  __builtin_prefetch(b + 16 * BLOCK_COLUMNS);
  if (vectors * LANES > 16) __builtin_prefetch(b + 16 * BLOCK_COLUMNS + 16);
  UNROLL for (int i = 0; i < rows; i++) {
    const float word = thirds[i / 3][i % 3 * distance];
    UNROLL for (int j = 0; j < vectors; j++) sums[i][j] = MULTIPLY_ADD(sums[i][j], word, v[j]);
  }
}

/** Adds the bias and stores the sums in a C that is not rounded. */
INLINE void store_rows(const int rows, const int vectors, Sums sums, const Target *t) {
  if (t->bias) {
    UNROLL for (int j = 0; j < vectors; j++) {
      const Vector bias = load(t->bias + j * LANES);
      UNROLL for (int i = 0; i < rows; i++) sums[i][j] += bias;
    }
  }
  if (t->is_bf16) {
    bf16 *c = (bf16 *)t->data;
    UNROLL for (int i = 0; i < rows; i++, c += t->stride) {
      UNROLL for (int j = 0; j < vectors; j++) {
        if (t->accumulates) sums[i][j] += load_bf16(c + j * LANES);
        store_bf16(c + j * LANES, sums[i][j]);
      }
    }
  } else {
    float *c = (float *)t->data;
    UNROLL for (int i = 0; i < rows; i++, c += t->stride) {
      UNROLL for (int j = 0; j < vectors; j++) {
        if (t->accumulates) sums[i][j] += load(c + j * LANES);
        store(c + j * LANES, sums[i][j]);
      }
    }
  }
}

/** Multiplies a block of `rows` x `vectors` (constants after inlining) over all words. */
INLINE void multiply_block(const int rows, const int vectors, const int by_words, long words,
                           const float *a, long a_stride, const float *b, const Target *target) {
  Sums sums;
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int j = 0; j < vectors; j++) sums[i][j] = (Vector){0};
  }
  if (by_words) {
    for (long k = 0; k < words; k++, a += STRIP_PITCH, b += BLOCK_COLUMNS) {
      const WordAnywhere *thirds[] = {a, a + 3, a + 6, a + 9, a + 12};
      add_word(rows, vectors, sums, thirds, 1, b);
    }
  } else {
    // Every third row has a pointer; addressing modes reach the two rows after it.
    const WordAnywhere *a0 = a, *a3 = a + 3 * a_stride, *a6 = a + 6 * a_stride,
                       *a9 = a + 9 * a_stride, *a12 = a + 12 * a_stride;
    for (long k = 0; k < words; k++, b += BLOCK_COLUMNS) {
      const WordAnywhere *thirds[] = {a0, a3, a6, a9, a12};
      add_word(rows, vectors, sums, thirds, a_stride, b);
      a0++, a3++, a6++, a9++, a12++;
      __asm__ volatile("" : "+r"(a0), "+r"(a3), "+r"(a6), "+r"(a9), "+r"(a12)); // in separate registers
    }
  }
  store_rows(rows, vectors, sums, target);
}

typedef void Block(long words, const float *a, long a_stride, const float *b, const Target *target);

// clang-format off
#define DEFINE_BLOCK(rows, name, vectors, by_words)                                                \
  static void name##rows(long words, const float *a, long stride, const float *b, const Target *t) { \
    multiply_block(rows, vectors, by_words, words, a, stride, b, t);                               \
  }
#define DEFINE_BLOCKS(rows)                                                                        \
  DEFINE_BLOCK(rows, rows_wide_, BLOCK_VECTORS, 0)                                                 \
  DEFINE_BLOCK(rows, rows_half_, BLOCK_VECTORS / 2, 0)                                             \
  DEFINE_BLOCK(rows, words_wide_, BLOCK_VECTORS, 1)                                                \
  DEFINE_BLOCK(rows, words_half_, BLOCK_VECTORS / 2, 1)
#define LIST_BLOCKS(rows)                                                                          \
  {rows, {{rows_wide_##rows, rows_half_##rows}, {words_wide_##rows, words_half_##rows}}},
// clang-format on

BLOCK_SIZES(DEFINE_BLOCKS)

/** Blocks by number of rows, largest first, then [strip stored by words][half width]. */
static const struct {
  int rows;
  Block *blocks[2][2];
} BLOCKS[] = {BLOCK_SIZES(LIST_BLOCKS)};

/** Multiplies a strip with its panels. Rows that do not fill a block use smaller blocks. */
static void multiply_strip(const Strip *s) {
  float sums[BLOCK_ROWS * BLOCK_COLUMNS] __attribute__((aligned(64)));
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
        Block *block = BLOCKS[c].blocks[s->by_words][half];
        const Target target = right_of(below_done, column);
        const int is_full = columns == BLOCK_COLUMNS || columns == BLOCK_COLUMNS / 2;
        if (is_full && !target.rounding) {
          block(s->words, a, s->a_stride, b, &target);
        } else {
          const Target in_memory = {(char *)sums, BLOCK_COLUMNS, 0, 0, 0, EXACT};
          block(s->words, a, s->a_stride, b, &in_memory);
          store_block(&target, sums, rows, columns);
        }
      }
      a += s->by_words ? rows : rows * s->a_stride;
      below_done = below(below_done, rows);
      left -= rows;
    }
  }
}
