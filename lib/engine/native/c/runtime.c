/*
 * The interface of the runtime to Deno: starts the pool, decodes instruction tables and runs them. Every thread
 * walks the whole table and does its part of each instruction. Barriers occur only where the table requests
 * them. Reductions have fixed bounds, so results do not depend on timing.
 */
#include "operations/operations.h"
#include "pool/pool.h"
#include "program.h"
#include <string.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

static int64_t features;

/** Starts the pool if necessary and returns its number of threads: the requested one or, with 0, one per processor. */
EXPORT int rt_start(int threads) {
  pool_lock();
  if (pool_threads() == 0) features = gemm_setup(); // permission for tiles must precede the creation of threads
  int started = pool_start(threads);
  pool_unlock();
  return started;
}

/** Features that matrix products may use, as GEMM_HAS_ bits. */
EXPORT int64_t rt_features(void) { return features; }

/** Decodes a table. NULL if it is malformed or memory is short. Waits for a run in progress. */
EXPORT void *rt_program(const int64_t *words, int64_t count, int64_t scratch_bytes) {
  pool_lock(); // matrix products share work areas, which may grow here
  Program *program = program_decode(words, count, scratch_bytes, pool_threads());
  pool_unlock();
  return program;
}

/** Bytes of the persistent packed B of a matrix product with these numbers; 0 if it has none. */
EXPORT int64_t rt_persistent_bytes(const int64_t *numbers) {
  pool_lock();
  Gemm *matmul = gemm_plan(numbers, pool_threads());
  int64_t bytes = matmul ? gemm_persistent_bytes(matmul) : 0;
  gemm_release(matmul);
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
 * Writes the seconds of each instruction, then of each instruction's epilogue on the first thread, both summed over
 * runs. The time of an instruction includes its epilogue and waiting for other threads.
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

/** Records that instruction `index` found an index out of range; the first instruction in the table wins. */
static void report_fault(Program *program, int64_t index) {
  long long before = atomic_load(&program->fault);
  while ((before == 0 || before > index + 1) &&
         !atomic_compare_exchange_weak(&program->fault, &before, index + 1)) {
  }
}

/** Runs a kernel on this thread's chunks. Returns 1 if it found an index out of range. */
static int run_kernel(const Instruction *it, Scratch *scratch, int thread) {
  scratch->fault = 0;
  if (it->flags & EVERY_CHUNK) {
    for (long p = partition_chunks(&it->partition, thread); p < MAX_CHUNKS; p++) {
      scratch->chunk = thread * MAX_CHUNKS + (int)p;
      it->kernel(it->pointers, it->numbers, 0, 0, (char *)scratch);
    }
  }
  Walk walk = partition_begin(&it->partition, thread);
  for (long first, end; partition_next(&walk, &first, &end);) {
    scratch->chunk = walk.chunk;
    it->kernel(it->pointers, it->numbers, first, end, (char *)scratch);
  }
  return scratch->fault != 0;
}

/** A kernel as the epilogue of a matrix product, as run by one thread. */
typedef struct {
  Epilogue epilogue; // first, so that pointers to the two structs convert into each other
  const Instruction *it;
  Scratch *scratch;
  double *seconds; // time counter of the epilogue, or NULL
} KernelEpilogue;

static void run_epilogue(Epilogue *epilogue, long first, long end, int chunk) {
  const KernelEpilogue *self = (const KernelEpilogue *)epilogue;
  const Instruction *it = self->it;
  const double before = self->seconds ? now() : 0;
  self->scratch->chunk = chunk;
  it->kernel(it->pointers + matmul_pointers(it->numbers), it->numbers + GEMM_NUMBERS, first * it->unit,
             end * it->unit, (char *)self->scratch);
  if (self->seconds) *self->seconds += now() - before;
}

/** Runs this thread's part of a matrix product. Returns 1 if its epilogue found an index out of range. */
static int run_matmul(const Instruction *it, Scratch *scratch, double *seconds, int thread, int threads) {
  KernelEpilogue self = {{run_epilogue, (it->flags & EVERY_CHUNK) != 0}, it, scratch, seconds};
  scratch->fault = 0;
  gemm_run(it->matmul, it->pointers, it->kernel ? &self.epilogue : 0, thread, threads);
  return scratch->fault != 0;
}

/**
 * Runs this thread's part of one instruction. The time of an epilogue is added to `seconds` unless that is NULL.
 * Returns 1 if the instruction found an index out of range.
 */
static int run_instruction(const Instruction *it, Scratch *scratch, double *seconds, int thread,
                           int threads) {
  char *const *pointers = it->pointers;
  const int64_t *numbers = it->numbers;
  switch (it->opcode) {
  case OP_KERNEL:
    return run_kernel(it, scratch, thread);
  case OP_MATMUL:
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

/** Runs one thread through the table; thread 0 measures the times. */
static void run_table(void *argument, int thread) {
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

/** Computes the addresses of all pointers from slots and offsets. */
static void resolve(Program *program, char *const *slots) {
  const int64_t offset_mask = ((int64_t)1 << SLOT_SHIFT) - 1;
  for (int64_t i = 0; i < program->count; i++) {
    Instruction *instruction = program->instructions + i;
    for (int k = 0; k < instruction->pointer_count; k++) {
      int64_t place = instruction->places[k];
      // As integers: arrays without elements have a null slot, and adding to a null pointer is undefined.
      instruction->pointers[k] =
          place < 0 ? 0 : (char *)((uintptr_t)slots[place >> SLOT_SHIFT] + (uintptr_t)(place & offset_mask));
    }
  }
}

/**
 * Runs a program on the memory of `slots`. Returns 0, or 1 + the index of the first instruction that found an index
 * out of range; the other instructions have run nevertheless. Concurrent callers wait for each other.
 */
EXPORT int64_t rt_run(void *argument, char *const *slots) {
  Program *program = argument;
  pool_lock();
  resolve(program, slots);
  atomic_store(&program->fault, 0);
  pool_run(run_table, program);
  int64_t fault = atomic_load(&program->fault);
  pool_unlock();
  return fault;
}
