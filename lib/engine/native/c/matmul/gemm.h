/**
 * Matrix products of the runtime: C = round(A·B (+ bias)) (+ C). Operands and results are float32 or bfloat16
 * in any combination. Strides describe transposition, and the product may be batched. A product is planned
 * once, when its program is decoded. All threads of the pool then run it together.
 *
 * The order in which an element of C is summed does not depend on the number of threads, so results are
 * bitwise identical for any number of threads.
 */
#ifndef GEMM_H
#define GEMM_H
#include <stdint.h>

typedef struct Gemm Gemm;

/** Numbers of a matrix product in the instruction table. They follow the pointers A, B, C and bias. */
enum GemmNumber {
  GEMM_M,
  GEMM_N,
  GEMM_K,
  GEMM_FLAGS,
  GEMM_ROW_A, // strides in elements of the operand's type; of the two strides of A, and of B, one is 1
  GEMM_COLUMN_A,
  GEMM_ROW_B,
  GEMM_COLUMN_B,
  GEMM_ROW_C, // rows of C are contiguous
  GEMM_ITEMS_1,
  GEMM_ITEMS_2,
  GEMM_BATCH_A_1, // stride from one batch item to the next
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
  GEMM_ROUND_BF16 = 64, // A·B (+ bias) is rounded before it is added to a float32 C
  GEMM_ROUND_F16 = 128, // as GEMM_ROUND_BF16, to float16
  GEMM_PERSISTENT_B = 256, // B is packed once, into memory that outlives the run
};

/**
 * Bytes before the panels in the memory of a persistent B. The first word is nonzero once B is packed.
 */
enum { PERSISTENT_HEAD = 64 };

enum GemmFeature {
  GEMM_HAS_AVX512 = 1,
  GEMM_HAS_AVX512_BF16 = 2, // set only if it is faster than float32 on this CPU
  GEMM_HAS_AMX = 4,
  GEMM_HAS_AVX2 = 8,
  GEMM_HAS_NEON = 16,
};

/**
 * Detects the features of this build and this CPU, and requests permission for the AMX tiles from the
 * operating system. Call it once before threads are started. Returns GemmFeature bits; GEMM_HAS_AMX is set
 * only if the permission was granted.
 */
int gemm_setup(void);

/**
 * Plans a matrix product for at most `threads` threads from its GEMM_NUMBERS numbers. All matrix products share
 * their work areas, which grow here. Plan the products of a program in the order in which they run. Returns
 * NULL if the numbers are invalid (a size below 1, no unit stride, an unknown flag) or memory is short.
 */
Gemm *gemm_plan(const int64_t *numbers, int threads);

/** Bytes of the persistent packed B, including its head; 0 without GEMM_PERSISTENT_B. */
int64_t gemm_persistent_bytes(const Gemm *plan);

/**
 * The epilogue of a matrix product: a function that is called with rows of C as soon as they are complete, while
 * they are still in a cache. Rows are counted through all batch items, M per item. Each row is passed exactly
 * once, by any thread, in chunks with fixed bounds. `chunk` is the index of the chunk, less than MAX_CHUNKS
 * (partition.h) times the number of threads. With `every_chunk`, the remaining indices are passed too, once
 * each, with an empty range of rows.
 */
typedef struct Epilogue Epilogue;
struct Epilogue {
  void (*run)(Epilogue *epilogue, long first, long end, int chunk);
  int every_chunk;
};

/**
 * Runs the calling thread's part of a matrix product and of its epilogue, which may be NULL. Every thread of the
 * pool calls this function. `pointers`: A, B, C, bias (float32 [N] or NULL) and, with GEMM_PERSISTENT_B, the
 * memory of the packed B. It may wait at rt_barrier(), equally often on all threads. An epilogue must not write
 * to A or B.
 */
void gemm_run(const Gemm *plan, char *const *pointers, Epilogue *epilogue, int thread, int threads);

/** Frees a plan, and the work areas that no other plan uses and that are no longer current. */
void gemm_release(Gemm *plan);

/** Barrier of the pool, provided by the runtime: returns when all threads of the run have called it. */
extern void rt_barrier(void);

#endif
