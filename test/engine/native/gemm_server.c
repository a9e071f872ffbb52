/**
 * Runs matrix products for gemm_test.ts: reads requests from standard input until it ends, answers
 * on standard output. Operands lie in blocks of exactly their size, so that a sanitizer sees every
 * access beyond them. A request is int64 words threads, products in a row, how the first thread is
 * held up, whether an epilogue follows, bytes of A, B, C, bias (0: none), then GEMM_NUMBERS words, then
 * the bytes of A, B, C and bias; the answer is one int64, the status (1: not planned, 0: done), and the
 * bytes of C. An epilogue copies the rows of C that it is given; status 4 if it was not given every row
 * once, as it stays, and every part once. Several
 * products in a row are the same one onto copies of C, with no barrier between them; the answer is
 * the last copy, and status 2 if the copies differ. A thread that is held up goes on when the others
 * have returned; status 3 if it then still found something to do. Where B is kept, the products run
 * once more on what was kept, with a B of zeros.
 */
#include "partition.h"
#include "gemm.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 8, MOST_MATMULS = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t everyone = PTHREAD_COND_INITIALIZER;
static int thread_count, arrived, returned;
static long generation;

/** Where the first thread waits until the others have returned. */
enum { NOWHERE, BEFORE_PRODUCTS, BEHIND_BARRIER };
static int64_t held_up;
static char *c_then; // C when they have
static size_t c_bytes;
static _Thread_local int is_first;

static int product_count;
static Gemm *plans[MOST_MATMULS];
static char *pointers[MOST_MATMULS][5];

/** What the epilogue of a product was given. */
typedef struct {
  Epilogue epilogue;
  const int64_t *numbers;
  const char *c;
  char *copy; // of C, as rows were when they were given
  atomic_int *visits, parts[MOST_THREADS * PARTS];
} Watch;
static Watch watches[MOST_MATMULS];
static int follows;

/** Bytes from the beginning of C to a row, counted through all items. */
static size_t row_offset(const int64_t *n, long row) {
  const long item = row / n[GEMM_M], i1 = item / n[GEMM_ITEMS_2], i2 = item % n[GEMM_ITEMS_2];
  const long at = i1 * n[GEMM_BATCH_C_1] + i2 * n[GEMM_BATCH_C_2] + row % n[GEMM_M] * n[GEMM_ROW_C];
  return (size_t)at * (n[GEMM_FLAGS] & GEMM_C_BF16 ? 2 : 4);
}
static long row_count(const int64_t *n) { return n[GEMM_M] * n[GEMM_ITEMS_1] * n[GEMM_ITEMS_2]; }
static size_t row_bytes(const int64_t *n) { return n[GEMM_N] * (n[GEMM_FLAGS] & GEMM_C_BF16 ? 2 : 4); }

static void watch(Epilogue *epilogue, long first, long end, int part) {
  Watch *w = (Watch *)epilogue;
  atomic_fetch_add(&w->parts[part], 1);
  for (long row = first; row < end; row++) {
    const size_t at = row_offset(w->numbers, row);
    memcpy(w->copy + at, w->c + at, row_bytes(w->numbers));
    atomic_fetch_add(&w->visits[row], 1);
  }
}

/** Makes ready to watch a product. */
static void start_watch(Watch *w, const int64_t *numbers, const char *c) {
  memset(w, 0, sizeof *w);
  w->epilogue = (Epilogue){watch, 1};
  w->numbers = numbers;
  w->c = c;
  w->copy = malloc(c_bytes);
  w->visits = calloc(row_count(numbers), sizeof *w->visits);
  if (!w->copy || !w->visits) exit(1);
}

/** Whether every row was given once and as it is, and every part once. */
static int has_followed(const Watch *w) {
  int right = 1;
  for (int part = 0; part < thread_count * PARTS; part++) right &= w->parts[part] == 1;
  for (long row = 0; row < row_count(w->numbers); row++) {
    const size_t at = row_offset(w->numbers, row);
    right &= w->visits[row] == 1 && !memcmp(w->copy + at, w->c + at, row_bytes(w->numbers));
  }
  return right;
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
  if (is_first && held_up == BEHIND_BARRIER) wait_for_others();
}

static void *run_thread(void *number) {
  is_first = !number;
  if (is_first && held_up == BEFORE_PRODUCTS) wait_for_others();
  for (int i = 0; i < product_count; i++)
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

/** Runs all products, each on all threads; whether their epilogues had what they must. */
static int run_matmuls(const int64_t *numbers) {
  pthread_t threads[MOST_THREADS];
  returned = 0;
  for (int i = 0; follows && i < product_count; i++) start_watch(&watches[i], numbers, pointers[i][2]);
  for (int t = 1; t < thread_count; t++)
    pthread_create(&threads[t], 0, run_thread, (void *)(intptr_t)t);
  run_thread(0);
  for (int t = 1; t < thread_count; t++) pthread_join(threads[t], 0);
  int right = 1;
  for (int i = 0; follows && i < product_count; i++) {
    right &= has_followed(&watches[i]);
    end_watch(&watches[i]);
  }
  return right;
}

/** An aligned block of exactly `bytes`, filled from the request. */
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
    product_count = (int)head[1];
    held_up = head[2];
    follows = (int)head[3];
    c_bytes = head[6];
    char *a = read_block(head[4]), *b = read_block(head[5]), *c = read_block(c_bytes);
    char *bias = read_block(head[7]), *copies[MOST_MATMULS];
    char *kept = 0;
    int64_t status = 0;
    for (int i = 0; i < product_count; i++) {
      plans[i] = gemm_plan(numbers, thread_count);
      if (!plans[i]) status = 1;
      if (posix_memalign((void **)&copies[i], 64, c_bytes)) exit(1);
      memcpy(copies[i], c, c_bytes);
      const int64_t persistent_bytes = plans[i] ? gemm_persistent_bytes(plans[i]) : 0;
      if (persistent_bytes && !kept) {
        if (posix_memalign((void **)&kept, 64, persistent_bytes)) exit(1);
        memset(kept, 0, PERSISTENT_HEAD);
      }
      char *const all[5] = {a, b, copies[i], head[7] ? bias : 0, kept};
      memcpy(pointers[i], all, sizeof all);
    }
    if (!(c_then = malloc(c_bytes))) exit(1);
    if (!status && !run_matmuls(numbers)) status = 4;
    if (!status && held_up && memcmp(c_then, copies[0], c_bytes)) status = 3;
    if (!status && kept) {
      *(int32_t *)kept = 1;
      memset(b, 0, head[5]);
      for (int i = 0; i < product_count; i++) memcpy(copies[i], c, c_bytes);
      if (!run_matmuls(numbers)) status = 4;
    }
    for (int i = 0; i < product_count; i++) {
      gemm_release(plans[i]);
      if (memcmp(copies[i], copies[product_count - 1], c_bytes)) status = 2;
    }
    fwrite(&status, sizeof status, 1, stdout);
    fwrite(copies[product_count - 1], 1, c_bytes, stdout);
    fflush(stdout);
    for (int i = 0; i < product_count; i++) free(copies[i]);
    free(a), free(b), free(c), free(bias), free(kept), free(c_then);
  }
}
