/**
 * Sleeping until a value changes: futexes on Linux, a condition variable elsewhere.
 */
#ifndef SLEEP_H
#define SLEEP_H
#include <stdatomic.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/** Sleeps while `*word` is `value`; may return early. */
static inline void sleep_while(atomic_int *word, int value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}

/** Wakes all threads that sleep on `word`. The caller has changed its value before. */
static inline void wake_all(atomic_int *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1 << 30, 0, 0, 0);
}

#else
#include <pthread.h>

static pthread_mutex_t sleep_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_condition = PTHREAD_COND_INITIALIZER;

/** Sleeps while `*word` is `value`. */
static inline void sleep_while(atomic_int *word, int value) {
  pthread_mutex_lock(&sleep_mutex);
  while (atomic_load(word) == value) pthread_cond_wait(&sleep_condition, &sleep_mutex);
  pthread_mutex_unlock(&sleep_mutex);
}

/** Wakes all sleeping threads. The caller has changed `*word` before. */
static inline void wake_all(atomic_int *word) {
  (void)word;
  pthread_mutex_lock(&sleep_mutex);
  pthread_cond_broadcast(&sleep_condition);
  pthread_mutex_unlock(&sleep_mutex);
}
#endif

/** Tells the processor that the calling thread is in a spin loop. */
static inline void spin_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
