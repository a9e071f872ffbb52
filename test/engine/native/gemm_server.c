/**
 * Runs matrix products for gemm_test.ts. Reads requests from standard input until it ends and answers on standard
 * output. Operands are in blocks of exactly their size, so a sanitizer finds every access beyond them.
 *
 * Request: int64 number of threads, number of consecutive products, when to delay the first thread, whether an
 * epilogue follows, bytes of A, B, C and bias (0: no bias), then GEMM_NUMBERS numbers, then the bytes of A, B, C
 * and bias. Answer: int64 status, then the bytes of C.
 *
 * The consecutive products are equal and have separate copies of C, with no barrier between them; the answer
 * contains the last copy. An epilogue copies the rows of C that it gets. A delayed thread continues when the others
 * have returned. If B is persistent, the products run a second time, on the packed B and a B of zeros.
 *
 * Status: 0 success, 1 not planned, 2 the copies differ, 3 the delayed thread still found work, 4 the epilogue did
 * not get every row exactly once with its final values, or not every chunk exactly once.
 */
#include "pool/partition.h"
#include "matmul/gemm.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 8, MOST_MATMULS = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t everyone = PTHREAD_COND_INITIALIZER;
static int thread_count, arrived, returned;
static long generation;

/** The point at which the first thread waits until the others have returned. */
enum Delay { NO_DELAY, BEFORE_PRODUCTS, AFTER_BARRIER };
static int64_t delay;
static char *c_then; // C when the others have returned
static size_t c_bytes;
static _Thread_local int is_first;

static int matmul_count;
static Gemm *plans[MOST_MATMULS];
static char *pointers[MOST_MATMULS][5];

/** Records the rows and chunks that the epilogue of a product gets. */
typedef struct {
  Epilogue epilogue;
  const int64_t *numbers;
  const char *c;
  char *copy; // of C, with the values of each row when the epilogue got it
  atomic_int *visits, chunks[MOST_THREADS * MAX_CHUNKS];
} Watch;
static Watch watches[MOST_MATMULS];
static int follows;

/** Offset in bytes of a row of C; rows are counted through all batch items. */
static size_t row_offset(const int64_t *n, long row) {
  const long item = row / n[GEMM_M], i1 = item / n[GEMM_INNER_ITEMS], i2 = item % n[GEMM_INNER_ITEMS];
  const long at = i1 * n[GEMM_OUTER_STRIDE_C] + i2 * n[GEMM_INNER_STRIDE_C] + row % n[GEMM_M] * n[GEMM_ROW_C];
  return (size_t)at * (n[GEMM_FLAGS] & GEMM_C_BF16 ? 2 : 4);
}
static long row_count(const int64_t *n) { return n[GEMM_M] * n[GEMM_OUTER_ITEMS] * n[GEMM_INNER_ITEMS]; }
static size_t row_bytes(const int64_t *n) { return n[GEMM_N] * (n[GEMM_FLAGS] & GEMM_C_BF16 ? 2 : 4); }

static void watch(Epilogue *epilogue, long first, long end, int chunk) {
  Watch *w = (Watch *)epilogue;
  atomic_fetch_add(&w->chunks[chunk], 1);
  for (long row = first; row < end; row++) {
    const size_t at = row_offset(w->numbers, row);
    memcpy(w->copy + at, w->c + at, row_bytes(w->numbers));
    atomic_fetch_add(&w->visits[row], 1);
  }
}

/** Prepares the record of a product. */
static void start_watch(Watch *w, const int64_t *numbers, const char *c) {
  memset(w, 0, sizeof *w);
  w->epilogue = (Epilogue){watch, 1};
  w->numbers = numbers;
  w->c = c;
  w->copy = malloc(c_bytes);
  w->visits = calloc(row_count(numbers), sizeof *w->visits);
  if (!w->copy || !w->visits) exit(1);
}

/** True if the epilogue got every row once with its final values, and every chunk once. */
static int is_complete(const Watch *w) {
  int complete = 1;
  for (int chunk = 0; chunk < thread_count * MAX_CHUNKS; chunk++) complete &= w->chunks[chunk] == 1;
  for (long row = 0; row < row_count(w->numbers); row++) {
    const size_t at = row_offset(w->numbers, row);
    complete &= w->visits[row] == 1 && !memcmp(w->copy + at, w->c + at, row_bytes(w->numbers));
  }
  return complete;
}

static void end_watch(Watch *w) { free(w->copy), free(w->visits); }

static void wait_for_others(void) {
  pthread_mutex_lock(&lock);
  while (returned < thread_count - 1) pthread_cond_wait(&everyone, &lock);
  pthread_mutex_unlock(&lock);
  memcpy(c_then, pointers[0][2], c_bytes);
}

void rt_barrier(void) {
  pthread_mutex_lock(&lock);
  const long mine = generation;
  if (++arrived == thread_count) {
    arrived = 0;
    generation++;
    pthread_cond_broadcast(&everyone);
  } else {
    while (generation == mine) pthread_cond_wait(&everyone, &lock);
  }
  pthread_mutex_unlock(&lock);
  if (is_first && delay == AFTER_BARRIER) wait_for_others();
}

static void *run_thread(void *number) {
  is_first = !number;
  if (is_first && delay == BEFORE_PRODUCTS) wait_for_others();
  for (int i = 0; i < matmul_count; i++)
    gemm_run(plans[i], pointers[i], follows ? &watches[i].epilogue : 0, (int)(intptr_t)number,
             thread_count);
  pthread_mutex_lock(&lock);
  returned++;
  pthread_cond_broadcast(&everyone);
  pthread_mutex_unlock(&lock);
  return 0;
}

static void read_all(void *data, size_t bytes) {
  if (bytes && fread(data, 1, bytes, stdin) != bytes) exit(0);
}

/** Runs all products, each on all threads. Returns true if their epilogues got all rows and chunks. */
static int run_matmuls(const int64_t *numbers) {
  pthread_t threads[MOST_THREADS];
  returned = 0;
  for (int i = 0; follows && i < matmul_count; i++) start_watch(&watches[i], numbers, pointers[i][2]);
  for (int t = 1; t < thread_count; t++)
    pthread_create(&threads[t], 0, run_thread, (void *)(intptr_t)t);
  run_thread(0);
  for (int t = 1; t < thread_count; t++) pthread_join(threads[t], 0);
  int complete = 1;
  for (int i = 0; follows && i < matmul_count; i++) {
    complete &= is_complete(&watches[i]);
    end_watch(&watches[i]);
  }
  return complete;
}

/** Reads an aligned block of exactly `bytes` from the request. */
static char *read_block(size_t bytes) {
  void *data;
  if (posix_memalign(&data, 64, bytes)) exit(1);
  read_all(data, bytes);
  return data;
}

int main(void) {
  gemm_setup();
  for (;;) {
    int64_t head[8], numbers[GEMM_NUMBERS];
    read_all(head, sizeof head);
    read_all(numbers, sizeof numbers);
    thread_count = (int)head[0];
    matmul_count = (int)head[1];
    delay = head[2];
    follows = (int)head[3];
    c_bytes = head[6];
    char *a = read_block(head[4]), *b = read_block(head[5]), *c = read_block(c_bytes);
    char *bias = read_block(head[7]), *copies[MOST_MATMULS];
    char *packed = 0;
    int64_t status = 0;
    for (int i = 0; i < matmul_count; i++) {
      plans[i] = gemm_plan(numbers, thread_count);
      if (!plans[i]) status = 1;
      if (posix_memalign((void **)&copies[i], 64, c_bytes)) exit(1);
      memcpy(copies[i], c, c_bytes);
      const int64_t persistent_bytes = plans[i] ? gemm_persistent_bytes(plans[i]) : 0;
      if (persistent_bytes && !packed) {
        if (posix_memalign((void **)&packed, 64, persistent_bytes)) exit(1);
        memset(packed, 0, PERSISTENT_HEAD);
      }
      char *const all[5] = {a, b, copies[i], head[7] ? bias : 0, packed};
      memcpy(pointers[i], all, sizeof all);
    }
    if (!(c_then = malloc(c_bytes))) exit(1);
    if (!status && !run_matmuls(numbers)) status = 4;
    if (!status && delay && memcmp(c_then, copies[0], c_bytes)) status = 3;
    if (!status && packed) {
      *(int32_t *)packed = 1;
      memset(b, 0, head[5]);
      for (int i = 0; i < matmul_count; i++) memcpy(copies[i], c, c_bytes);
      if (!run_matmuls(numbers)) status = 4;
    }
    for (int i = 0; i < matmul_count; i++) {
      gemm_release(plans[i]);
      if (memcmp(copies[i], copies[matmul_count - 1], c_bytes)) status = 2;
    }
    fwrite(&status, sizeof status, 1, stdout);
    fwrite(copies[matmul_count - 1], 1, c_bytes, stdout);
    fflush(stdout);
    for (int i = 0; i < matmul_count; i++) free(copies[i]);
    free(a), free(b), free(c), free(bias), free(packed), free(c_then);
  }
}
