/**
 * Dealing work out to threads. Each thread has a share with fixed bounds, cut into pieces; who is done
 * with its own share helps with the others, so that nobody waits for all that a thread has to do which
 * the system holds up, or for a slower core. Which thread does a piece must make no difference to its
 * results.
 *
 * Nothing is reset between rounds of the same work: every round draws one number a piece, and one for
 * each thread that finds no piece left, so the numbers of a round begin where those of the last one end.
 * All threads must be done with a round (a barrier) before the next one begins.
 */
#ifndef DEAL_H
#define DEAL_H
#include "pool.h"
#include "system.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/**
 * Pieces of a share, and the most that one can have: cut at units, a share may be up to a unit longer than
 * others. lib/engine/native/instruction.ts knows PARTS too.
 */
enum { PIECES = 8, PARTS = PIECES + 1 };

/** One thread's share, on a cache line of its own. */
typedef struct {
  _Alignas(64) atomic_long drawn; // numbers drawn from it, over all rounds
  long rounds; // that this thread has begun
} Pile;

typedef struct {
  long total, unit, piece; // items; shares are cut at multiples of `unit`, each into pieces
  int threads, visitors; // visitors draw from a pile: all, or its owner alone where shares are a piece each
  Pile *piles;
} Deal;

/** Work of `total` items; pieces are multiples of `step`, itself one of `unit`. 0 when memory is short. */
static inline int deal_make(Deal *deal, long total, long unit, long step, int threads) {
  const long share = (total + threads - 1) / threads;
  const long eighth = ((share + PIECES - 1) / PIECES + step - 1) / step * step;
  const long piece = share == 0 ? 1 : threads == 1 ? share : eighth;
  void *piles = aligned_take(64, (size_t)threads * sizeof(Pile));
  if (!piles) return 0;
  memset(piles, 0, (size_t)threads * sizeof(Pile));
  const int visitors = share + unit - 1 <= piece ? 1 : threads; // the last share has the rest of a unit
  *deal = (Deal){total, unit, piece, threads, visitors, piles};
  return 1;
}

static inline void deal_free(Deal *deal) { aligned_release(deal->piles); }

/** How many pieces a thread's share has. */
static inline long deal_pieces(const Deal *deal, int owner) {
  const long from = share_start(deal->total, owner, deal->threads, deal->unit);
  const long to = share_start(deal->total, owner + 1, deal->threads, deal->unit);
  return (to - from + deal->piece - 1) / deal->piece;
}

/** One thread's hand in a round. */
typedef struct {
  const Deal *deal;
  long round;
  int thread, helped; // shares that it found empty, its own first
  int part; // of the piece drawn last: its number among all of PARTS a thread, whoever draws it
} Hand;

static inline Hand deal_begin(const Deal *deal, int thread) {
  return (Hand){deal, deal->piles[thread].rounds++, thread, 0, 0};
}

/** The next piece [first, end) for this thread; 0 when none is left. */
static inline int deal_next(Hand *hand, long *first, long *end) {
  const Deal *deal = hand->deal;
  for (; hand->helped < deal->visitors; hand->helped++) {
    const int owner = (hand->thread + hand->helped) % deal->threads;
    const long from = share_start(deal->total, owner, deal->threads, deal->unit);
    const long to = share_start(deal->total, owner + 1, deal->threads, deal->unit);
    const long pieces = deal_pieces(deal, owner);
    const long number =
        atomic_fetch_add_explicit(&deal->piles[owner].drawn, 1, memory_order_relaxed) -
        hand->round * (pieces + deal->visitors);
    if (number >= pieces) continue;
    hand->part = owner * PARTS + (int)number;
    *first = from + number * deal->piece;
    *end = *first + deal->piece < to ? *first + deal->piece : to;
    return 1;
  }
  return 0;
}

#endif
