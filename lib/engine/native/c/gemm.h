/**
 * Matrix products of the runtime: C = round(A·B (+ bias)) (+ C), float32 or bfloat16 operands and results
 * in any mix, every transposition by strides, single or batched. Products are planned once, when a
 * program is decoded, and then run by all threads of the pool together.
 *
 * Every element of C is summed in one fixed order, whatever the number of threads, so results are
 * the same bits on 1 thread and on many.
 */
#ifndef GEMM_H
#define GEMM_H
#include <stdint.h>

typedef struct Gemm Gemm;

/** Words of a product in the instruction table, after its pointers A, B, C, bias. */
enum GemmNumber {
  GEMM_M,
  GEMM_N,
  GEMM_K,
  GEMM_FLAGS,
  GEMM_ROW_A, // strides in elements of the operand's own type; one of the two of A is 1, so of B
  GEMM_COLUMN_A,
  GEMM_ROW_B,
  GEMM_COLUMN_B,
  GEMM_ROW_C, // rows of C are contiguous
  GEMM_ITEMS_1,
  GEMM_ITEMS_2,
  GEMM_BATCH_A_1, // from one item to the next
  GEMM_BATCH_A_2,
  GEMM_BATCH_B_1,
  GEMM_BATCH_B_2,
  GEMM_BATCH_C_1,
  GEMM_BATCH_C_2,
  GEMM_NUMBERS
};

enum GemmFlag {
  GEMM_A_BF16 = 1,
  GEMM_B_BF16 = 2,
  GEMM_C_BF16 = 4,
  GEMM_ACCUMULATE = 16, // C += A·B (+ bias)
  GEMM_IN_BF16 = 32, // round float32 operands to bfloat16 (nearest even); sums stay float32
  GEMM_ROUND_BF16 = 64, // A·B (+ bias) is rounded before it is added to a C in float32
  GEMM_ROUND_F16 = 128, // the same to float16
  GEMM_PERSISTENT_B = 256, // B is packed once, into memory that outlives the run
};

/**
 * Bytes before the panels in the memory where B is kept; the first word says whether it is packed
 * there already.
 */
enum { PERSISTENT_HEAD = 64 };

enum GemmFeature {
  GEMM_HAS_AVX512 = 1,
  GEMM_HAS_AVX512_BF16 = 2, // only where it pays
  GEMM_HAS_AMX = 4,
  GEMM_HAS_AVX2 = 8,
  GEMM_HAS_NEON = 16,
};

/**
 * Finds out what this build and this CPU can do and asks the kernel for the AMX tiles; call it once
 * before threads are started. Returns GemmFeature bits; GEMM_HAS_AMX only where it may be used.
 */
int gemm_setup(void);

/**
 * Plans a product for at most `threads` threads from its GEMM_NUMBERS words. Work areas are shared
 * by all products and grown here. Plan the products of a program in the order in which they will
 * run. Returns NULL when the words describe no product (a size below 1, no unit stride, an unknown
 * flag) or memory is short.
 */
Gemm *gemm_plan(const int64_t *numbers, int threads);

/** Bytes of memory in which a product with GEMM_PERSISTENT_B keeps its B, head included; else 0. */
int64_t gemm_persistent_bytes(const Gemm *plan);

/**
 * What follows a product on rows of C as soon as they are whole, while they are in a cache. Rows are
 * counted through all items, M each. Every row is given once, by whichever thread has it, in pieces
 * with fixed bounds; `part` is the piece's number, below PARTS (partition.h) times the threads. With
 * `all_parts` the numbers that no piece has are given too, once each, without rows.
 */
typedef struct Epilogue Epilogue;
struct Epilogue {
  void (*run)(Epilogue *epilogue, long first, long end, int part);
  int all_parts;
};

/**
 * Does this thread's share of a product, and of its epilogue unless that is NULL; every thread of the
 * pool calls it. `pointers`: A, B, C, bias (float32 [N], or NULL) and, with GEMM_PERSISTENT_B, the memory in
 * which B is kept. May wait at rt_barrier(), all threads equally often. An epilogue must write neither
 * A nor B.
 */
void gemm_run(const Gemm *plan, char *const *pointers, Epilogue *epilogue, int thread, int threads);

/** Frees a plan and what only it still used of the work areas. */
void gemm_release(Gemm *plan);

/** The pool's barrier, which the runtime gives: returns once all threads of the run called it. */
extern void rt_barrier(void);

#endif
