#include "pool.h"
#include "sleep.h"
#include "system.h"
#include <pthread.h>
#include <sched.h>

/** Polls of a waiting thread before it yields, and yields before it sleeps. */
enum { SPINS = 4000, YIELDS = 400 };

/** A counter that threads wait for, on a separate cache line. */
typedef struct {
  _Alignas(64) atomic_int value;
  atomic_int sleepers;
} Signal;

static int threads;
static int spins;
static Signal runs;   // counts calls of pool_run; workers wait for it to change
static Signal phases; // counts barriers
static _Alignas(64) atomic_int arrived;
static void (*current_task)(void *, int);
static void *current_argument;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/** Waits until the signal's value is no longer `value`. */
static void signal_wait(Signal *signal, int value) {
  for (int n = 0; n < spins + YIELDS; n++) {
    if (atomic_load_explicit(&signal->value, memory_order_acquire) != value) return;
    if (n < spins)
      spin_pause();
    else
      sched_yield();
  }
  atomic_fetch_add(&signal->sleepers, 1);
  while (atomic_load(&signal->value) == value) sleep_while(&signal->value, value);
  atomic_fetch_sub(&signal->sleepers, 1);
}

/**
 * Increments the signal. A thread that is not yet counted as a sleeper when `sleepers` is read sees the new
 * value before it sleeps.
 */
static void signal_raise(Signal *signal) {
  atomic_fetch_add(&signal->value, 1);
  if (atomic_load(&signal->sleepers) > 0) wake_all(&signal->value);
}

void rt_barrier(void) {
  if (threads == 1) return;
  int phase = atomic_load(&phases.value);
  if (atomic_fetch_add(&arrived, 1) < threads - 1) return signal_wait(&phases, phase);
  atomic_store(&arrived, 0);
  signal_raise(&phases);
}

static void *work(void *number) {
  int thread = (int)(intptr_t)number;
  for (unsigned seen = 0;; seen++) {
    signal_wait(&runs, (int)seen);
    current_task(current_argument, thread);
    rt_barrier();
  }
  return 0;
}

/** Starts the workers with all signals blocked; fewer than wanted if the system grants no more. */
static void start_workers(int wanted) {
  const SignalMask before = block_signals();
  for (threads = 1; threads < wanted; threads++) {
    pthread_t worker;
    if (pthread_create(&worker, 0, work, (void *)(intptr_t)threads) != 0) break;
    pthread_detach(worker);
  }
  restore_signals(before);
}

void pool_lock(void) { pthread_mutex_lock(&mutex); }

void pool_unlock(void) { pthread_mutex_unlock(&mutex); }

int pool_start(int wanted) {
  if (threads > 0) return threads;
  int processors = count_processors();
  if (wanted <= 0) wanted = processors;
  if (wanted > MAX_THREADS) wanted = MAX_THREADS;
  spins = wanted > processors ? SPINS / 100 : SPINS;
  start_workers(wanted);
  return threads;
}

int pool_threads(void) { return threads; }

void pool_run(void (*task)(void *, int), void *argument) {
  current_task = task;
  current_argument = argument;
  if (threads > 1) signal_raise(&runs);
  task(argument, 0);
  rt_barrier();
}
