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
#include "abi.h"
#include <stdint.h>

typedef struct Gemm Gemm;

/**
 * Bytes before the panels in the memory of a persistent B. The first word is nonzero once B is packed.
 */
enum { PERSISTENT_HEAD = 64 };

/**
 * Detects the features of this build and this CPU, and requests permission for the AMX tiles from the
 * operating system. Call it once before threads are started. Returns GEMM_HAS_ bits; GEMM_HAS_AMX is set
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
