/**
 * The interface between the driver (gemm_run.c) and a path: one way to multiply. A path packs operands into
 * 32-bit words along K (one float32 or a pair of bfloat16) and multiplies a strip of A with panels of B.
 *
 *   panel of B   [words][BLOCK_COLUMNS]: the part of B that a block of C needs, contiguous
 *   strip of A   `rows` rows of A, stored by rows ([row][words] with any row stride, so A itself can serve)
 *                or by words ([words][STRIP_PITCH], for a transposed A)
 */
#ifndef GEMM_PATH_H
#define GEMM_PATH_H
#include "gemm_vector.h"

/** Stride in words from one k to the next in a strip stored by words. */
#define STRIP_PITCH ((BLOCK_ROWS + LANES - 1) / LANES * LANES)

/** Row stride in words of a packed strip: full cache lines, but not a power of two, which causes cache conflicts. */
INLINE long strip_stride(long words) { return (words + 15) / 16 * 16 + 16; }

INLINE long element_bytes(int is_bf16) { return is_bf16 ? sizeof(bf16) : sizeof(float); }

/** An operand in memory: its extent across K (rows of A, columns of B) and its depth along K. */
typedef struct {
  const char *data;
  long stride; // elements between stored rows
  long extent; // M or N
  long depth; // K
  int is_bf16;
  int across; // stored rows run across K (a transposed A, a B that is not transposed)
  int rounds; // float32 values are rounded to bfloat16
} Operand;

enum Rounding { EXACT, TO_BF16, TO_F16 };

/** Destination of a block of C, with the bias, accumulation and rounding to apply. */
typedef struct {
  char *data;
  long stride; // elements between rows
  const float *bias; // of the first column, or NULL
  int is_bf16;
  int accumulates;
  enum Rounding rounding; // applied to sums and bias before they are added to C
} Target;

/** The work of one call: a strip of A times neighboring panels of B. */
typedef struct {
  const float *a;
  long a_stride; // row stride in words of a strip stored by rows
  int by_words;
  long rows;
  const float *b;
  long panel_words; // from one panel to the next
  long words; // along K
  long columns; // of C; the number of panels is columns / BLOCK_COLUMNS, rounded up
  Target target;
} Strip;

typedef struct {
  int elements; // elements of K per word: 1 or 2
  int rows; // rows of a strip
  int step; // the number of words is padded to a multiple of this
  int row_unit; // partitions are cut at multiples of this number of rows
  long longest_slice; // maximum words of a slice of K, if C can hold sums between slices
  long block_bytes; // bytes of panels that should stay in the L2 cache
  /** Packs panels [first, last) of B, words [from, to) counted from element k. `panels` points to panel `first`. */
  void (*pack_panels)(const Operand *b, float *panels, long panel_words, long k, long first,
                      long last, long from, long to);
  /** Packs rows [from, to) of A, `words` words from element k, into strips `strip_floats` apart. */
  void (*pack_strips)(const Operand *a, float *strips, long strip_floats, long from, long to,
                      long k, long words);
  void (*multiply)(const Strip *strip);
  void (*begin)(void); // called by a thread before and after its work; may be NULL
  void (*end)(void);
} Path;

extern const Path gemm_float32;
#if defined(GEMM_AVX512) && defined(__AVX512BF16__)
#define GEMM_PAIRS 1
extern const Path gemm_pairs;
#endif
#if defined(__AMX_TILE__) && defined(__AMX_BF16__)
#define HAS_TILE_CODE 1
#elif defined(__AMXTILE__) && defined(__AMXBF16__) // clang before 15
#define HAS_TILE_CODE 1
#elif defined(GEMM_EMULATE_TILES)
#define HAS_TILE_CODE 1
#endif
#if defined(GEMM_PAIRS) && defined(HAS_TILE_CODE)
#define GEMM_TILES 1
extern const Path gemm_tiles;
int gemm_tiles_permitted(void);
#endif

#endif
