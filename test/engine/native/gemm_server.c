/**
 * Runs matrix products for gemm_test.ts: reads requests from standard input until it ends, answers
 * on standard output. Operands lie in blocks of exactly their size, so that a sanitizer sees every
 * access beyond them. A request is int64 words threads, products in a row, how the first thread is
 * held up, bytes of A, B, C, bias (0: none), then GEMM_NUMBERS words, then the bytes of A, B, C and
 * bias; the answer is one int64, the status (1: not planned, 0: done), and the bytes of C. Several
 * products in a row are the same one onto copies of C, with no barrier between them; the answer is
 * the last copy, and status 2 if the copies differ. A thread that is held up goes on when the others
 * have returned; status 3 if it then still found something to do. Where B is kept, the products run
 * once more on what was kept, with a B of zeros.
 */
#include "gemm.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 8, MOST_PRODUCTS = 8 };

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
static Gemm *plans[MOST_PRODUCTS];
static char *pointers[MOST_PRODUCTS][5];

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
    gemm_run(plans[i], pointers[i], (int)(intptr_t)number, thread_count);
  pthread_mutex_lock(&lock);
  returned++;
  pthread_cond_broadcast(&everyone);
  pthread_mutex_unlock(&lock);
  return 0;
}

static void read_all(void *data, size_t bytes) {
  if (bytes && fread(data, 1, bytes, stdin) != bytes) exit(0);
}

/** Runs all products, each on all threads. */
static void run_products(void) {
  pthread_t threads[MOST_THREADS];
  returned = 0;
  for (int t = 1; t < thread_count; t++)
    pthread_create(&threads[t], 0, run_thread, (void *)(intptr_t)t);
  run_thread(0);
  for (int t = 1; t < thread_count; t++) pthread_join(threads[t], 0);
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
    int64_t head[7], numbers[GEMM_NUMBERS];
    read_all(head, sizeof head);
    read_all(numbers, sizeof numbers);
    thread_count = (int)head[0];
    product_count = (int)head[1];
    held_up = head[2];
    c_bytes = head[5];
    char *a = read_block(head[3]), *b = read_block(head[4]), *c = read_block(c_bytes);
    char *bias = read_block(head[6]), *copies[MOST_PRODUCTS];
    char *kept = 0;
    int64_t status = 0;
    for (int i = 0; i < product_count; i++) {
      plans[i] = gemm_plan(numbers, thread_count);
      if (!plans[i]) status = 1;
      if (posix_memalign((void **)&copies[i], 64, c_bytes)) exit(1);
      memcpy(copies[i], c, c_bytes);
      const int64_t kept_bytes = plans[i] ? gemm_kept_bytes(plans[i]) : 0;
      if (kept_bytes && !kept) {
        if (posix_memalign((void **)&kept, 64, kept_bytes)) exit(1);
        memset(kept, 0, KEPT_HEAD);
      }
      char *const all[5] = {a, b, copies[i], head[6] ? bias : 0, kept};
      memcpy(pointers[i], all, sizeof all);
    }
    if (!(c_then = malloc(c_bytes))) exit(1);
    if (!status) run_products();
    if (!status && held_up && memcmp(c_then, copies[0], c_bytes)) status = 3;
    if (!status && kept) {
      *(int32_t *)kept = 1;
      memset(b, 0, head[4]);
      for (int i = 0; i < product_count; i++) memcpy(copies[i], c, c_bytes);
      run_products();
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
