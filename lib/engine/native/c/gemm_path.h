/**
 * What the driver (gemm.c) asks of a way to multiply. A path packs operands into 32-bit words along
 * K, one float32 or a pair of bfloat16, and multiplies a strip of A with panels of B.
 *
 *   panel of B   [words][BLOCK_COLUMNS]: what a block of C needs of B, contiguous
 *   strip of A   `rows` rows of A, either by rows ([row][words], any distance between rows; A
 * itself may serve) or by words ([words][STRIP_PITCH], for a transposed A)
 */
#ifndef GEMM_PATH_H
#define GEMM_PATH_H
#include "gemm_vector.h"

/** Words from one k to the next in a strip stored by words. */
#define STRIP_PITCH ((BLOCK_ROWS + LANES - 1) / LANES * LANES)

/** Words between rows of a packed strip: whole cache lines, and no power of two (rows would evict
 * one another). */
INLINE long strip_stride(long words) { return (words + 15) / 16 * 16 + 16; }

INLINE long element_bytes(int is_bf16) { return is_bf16 ? sizeof(bf16) : sizeof(float); }

/** An operand in memory, seen along K and across it (rows of A, columns of B). */
typedef struct {
  const char *data;
  long stride; // elements between stored rows
  long extent; // M or N
  long depth; // K
  int is_bf16;
  int across; // stored rows run across K (a transposed A, an ordinary B)
  int rounds; // float32 values are rounded to bfloat16
} Operand;

enum Rounding { EXACT, TO_BF16, TO_F16 };

/** Where a block of C goes, and what is added on the way. */
typedef struct {
  char *data;
  long stride; // elements between rows
  const float *bias; // of the first column, or NULL
  int is_bf16;
  int accumulates;
  enum Rounding rounding; // of sums and bias, before they are added to C
} Target;

/** Work of one call: a strip of A times neighboring panels of B. */
typedef struct {
  const float *a;
  long a_stride; // words between rows, where the strip is stored by rows
  int by_words;
  long rows;
  const float *b;
  long panel_words; // from one panel to the next
  long words; // along K
  long columns; // of C; panels = columns / BLOCK_COLUMNS, rounded up
  Target target;
} Strip;

typedef struct {
  int elements; // of K in a word: 1 or 2
  int rows; // of a strip
  int step; // words are padded to a multiple of it
  int row_unit; // shares of threads are cut at multiples of it
  long longest_chunk; // words of K multiplied at once where C can hold sums between chunks
  long block_bytes; // of panels that should stay in the second-level cache
  /** Packs panels [first, last) of B, words [from, to) counted from element k; `panels`: the first.
   */
  void (*pack_panels)(const Operand *b, float *panels, long panel_words, long k, long first,
                      long last, long from, long to);
  /** Packs rows [from, to) of A, `words` words from element k, into strips `strip_floats` apart. */
  void (*pack_strips)(const Operand *a, float *strips, long strip_floats, long from, long to,
                      long k, long words);
  void (*multiply)(const Strip *strip);
  void (*begin)(void); // of a thread's share, or NULL
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
