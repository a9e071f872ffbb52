/*
 * The runtime as Deno calls it: starts the pool, decodes instruction tables and runs them. Every thread
 * walks the whole table and does its part of each instruction; barriers stand only where the table has
 * them. Sums are cut at fixed bounds, so results do not depend on timing.
 */
#include "operations.h"
#include "pool.h"
#include "program.h"
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

static int64_t features;

/** Starts the pool once; returns its number of threads (asked for or, with 0, one a processor). */
EXPORT int rt_start(int threads) {
  pool_lock();
  if (pool_threads() == 0) features = gemm_setup(); // tiles are asked for before threads are made
  int started = pool_start(threads);
  pool_unlock();
  return started;
}

/** What products may use here, as GemmFeature bits. */
EXPORT int64_t rt_features(void) { return features; }

/** Decodes a table; NULL when it is malformed or memory is short. Waits for a run in progress. */
EXPORT void *rt_program(const int64_t *words, int64_t count, int64_t scratch_bytes) {
  pool_lock(); // products share work areas, which may grow now
  Program *program = program_decode(words, count, scratch_bytes, pool_threads());
  pool_unlock();
  return program;
}

/** Bytes of memory in which a product of these numbers keeps its B; 0 where it keeps none. */
EXPORT int64_t rt_persistent_bytes(const int64_t *numbers) {
  pool_lock();
  Gemm *product = gemm_plan(numbers, pool_threads());
  int64_t bytes = product ? gemm_persistent_bytes(product) : 0;
  gemm_release(product);
  pool_unlock();
  return bytes;
}

/** Frees a program. Waits for a run in progress. */
EXPORT void rt_release(void *program) {
  pool_lock();
  program_release(program);
  pool_unlock();
}

/**
 * Seconds of each instruction, added up over runs (waiting for other threads included), and then those
 * of them that the first thread spent in the epilogue of each.
 */
EXPORT void rt_times(void *argument, double *seconds, int64_t reset) {
  Program *program = argument;
  const size_t bytes = 2 * (size_t)program->count * sizeof *seconds;
  memcpy(seconds, program->seconds, bytes);
  if (reset) memset(program->seconds, 0, bytes);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/** Remembers that instruction `index` met a bad index; the first in the table counts. */
static void report_fault(Program *program, int64_t index) {
  long long before = atomic_load(&program->fault);
  while ((before == 0 || before > index + 1) &&
         !atomic_compare_exchange_weak(&program->fault, &before, index + 1)) {
  }
}

/** Runs a kernel on the rows that fall to this thread; returns 1 when it met an index out of range. */
static int run_kernel(const Instruction *it, Scratch *scratch, int thread) {
  scratch->fault = 0;
  if (it->flags & ALL_PARTS) {
    for (long p = partition_chunks(&it->partition, thread); p < PARTS; p++) {
      scratch->part = thread * PARTS + (int)p;
      it->kernel(it->pointers, it->numbers, 0, 0, (char *)scratch);
    }
  }
  Walk walk = partition_begin(&it->partition, thread);
  for (long first, end; partition_next(&walk, &first, &end);) {
    scratch->part = walk.part;
    it->kernel(it->pointers, it->numbers, first, end, (char *)scratch);
  }
  return scratch->fault != 0;
}

/** A kernel as an epilogue, as one thread runs it. */
typedef struct {
  Epilogue epilogue; // first, so that one is the other
  const Instruction *it;
  Scratch *scratch;
  double *seconds; // that it takes, or NULL
} KernelEpilogue;

static void run_epilogue(Epilogue *epilogue, long first, long end, int part) {
  const KernelEpilogue *self = (const KernelEpilogue *)epilogue;
  const Instruction *it = self->it;
  const double before = self->seconds ? now() : 0;
  self->scratch->part = part;
  it->kernel(it->pointers + product_pointers(it->numbers), it->numbers + GEMM_NUMBERS, first * it->unit,
             end * it->unit, (char *)self->scratch);
  if (self->seconds) *self->seconds += now() - before;
}

/** This thread's share of a product; returns 1 when its epilogue met an index out of range. */
static int run_matmul(const Instruction *it, Scratch *scratch, double *seconds, int thread, int threads) {
  KernelEpilogue self = {{run_epilogue, (it->flags & ALL_PARTS) != 0}, it, scratch, seconds};
  scratch->fault = 0;
  gemm_run(it->product, it->pointers, it->kernel ? &self.epilogue : 0, thread, threads);
  return scratch->fault != 0;
}

/**
 * This thread's share of one instruction, which adds to `seconds`, unless NULL, the time of an epilogue;
 * returns 1 when it met an index out of range.
 */
static int run_instruction(const Instruction *it, Scratch *scratch, double *seconds, int thread,
                           int threads) {
  char *const *pointers = it->pointers;
  const int64_t *numbers = it->numbers;
  switch (it->opcode) {
  case OP_KERNEL:
    return run_kernel(it, scratch, thread);
  case OP_GEMM:
    return run_matmul(it, scratch, seconds, thread, threads);
  case OP_SCATTER:
    return run_scatter(pointers, numbers, thread, threads);
  case OP_PAD:
    run_pad(pointers, numbers, thread, threads);
    return 0;
  case OP_COMBINE:
    run_combine(pointers, numbers, thread, threads);
    return 0;
  case OP_COPY:
    run_copy(pointers, numbers, thread, threads);
    return 0;
  case OP_REDUCE:
    run_reduce(pointers, numbers, thread, threads);
    return 0;
  case OP_ARG_REDUCE:
    run_arg_reduce(pointers, numbers, thread, threads);
    return 0;
  case OP_CONCAT:
    run_concat(pointers, it->pointer_count - 1, numbers, thread, threads);
    return 0;
  case OP_INTEGER_MATMUL:
    run_integer_matmul(pointers, numbers, thread, threads);
    return 0;
  case OP_TOP:
    run_top(pointers, numbers, thread, threads);
    return 0;
  }
  return 0;
}

/** One thread's way through the table; thread 0 keeps the times. */
static void run_share(void *argument, int thread) {
  Program *program = argument;
  int threads = pool_threads();
  Scratch *scratch = (Scratch *)(program->scratch + thread * program->scratch_stride);
  double before = thread == 0 ? now() : 0;
  for (int64_t i = 0; i < program->count; i++) {
    const Instruction *instruction = program->instructions + i;
    if (instruction->barrier) rt_barrier();
    if (thread == 0 && i > 0) {
      double time = now();
      program->seconds[i - 1] += time - before;
      before = time;
    }
    double *seconds = thread == 0 ? program->seconds + program->count + i : 0;
    if (run_instruction(instruction, scratch, seconds, thread, threads)) report_fault(program, i);
  }
  if (thread == 0 && program->count > 0) program->seconds[program->count - 1] += now() - before;
}

/** Turns slots and offsets into addresses. */
static void resolve(Program *program, char *const *slots) {
  const int64_t offset_mask = ((int64_t)1 << 48) - 1;
  for (int64_t i = 0; i < program->count; i++) {
    Instruction *instruction = program->instructions + i;
    for (int k = 0; k < instruction->pointer_count; k++) {
      int64_t place = instruction->places[k];
      // By numbers: arrays without elements have no address, and adding to none means nothing.
      instruction->pointers[k] =
          place < 0 ? 0 : (char *)((uintptr_t)slots[place >> 48] + (uintptr_t)(place & offset_mask));
    }
  }
}

/**
 * Runs a program on the memory of `slots`; returns 0, or 1 + the index of the first instruction that met an
 * index out of range. The other instructions have run all the same. Callers take turns.
 */
EXPORT int64_t rt_run(void *argument, char *const *slots) {
  Program *program = argument;
  pool_lock();
  resolve(program, slots);
  atomic_store(&program->fault, 0);
  pool_run(run_share, program);
  int64_t fault = atomic_load(&program->fault);
  pool_unlock();
  return fault;
}
