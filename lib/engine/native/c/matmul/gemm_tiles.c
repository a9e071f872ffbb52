/**
 * Matrix products in bfloat16 by AMX tiles: 32 x 32 sums of C in tiles 0 to 3, 32 rows of A in tiles 4 and 5,
 * 32 columns of B in tiles 6 and 7; each step takes 16 words (32 elements) of K. Panels of B are those of
 * the pairs path, read with a stride of two cache lines. A bfloat16 A that is not transposed is read in place.
 * Adding the bias and storing a block is interleaved with the steps of the next block, when the vector units
 * are idle.
 */
#include "gemm_pairs.h"
#include "gemm_store.h"

#ifdef GEMM_TILES
#ifndef GEMM_EMULATE_TILES
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum { TILE_ROWS = 16, STEP = 16, STRIP_ROWS = 32 };

/** True if this CPU has bfloat16 tiles and the operating system lets this process use them. */
int gemm_tiles_permitted(void) {
#if defined(GEMM_EMULATE_TILES)
  return 1;
#elif defined(__linux__)
  const unsigned tile_unit = 1u << 24, tile_bf16 = 1u << 22;
  const long request_permission = 0x1023, tile_data = 18;
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  if ((d & (tile_unit | tile_bf16)) != (tile_unit | tile_bf16)) return 0;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return 0;
#endif
}

/** All eight tiles are full: 16 rows of 64 bytes. */
static const struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} SHAPES __attribute__((aligned(64))) = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16},
};

static void begin(void) { _tile_loadconfig(&SHAPES); }

static void end(void) { _tile_release(); }

/** Transposes stored rows: 16 words from element k, rows m to m + 32 of the strip. */
INLINE void pack_square(const Operand *a, float *strip, long m, long k, long stride) {
  float pairs[2][STEP * 16] __attribute__((aligned(64))); // [upper, lower 16 rows][word][row]
  for (long i = 0; i < STEP; i++) {
    __m512i upper, lower;
    read_pairs(a, k + 2 * i, m, &upper, &lower);
    _mm512_store_si512(pairs[0] + 16 * i, upper);
    _mm512_store_si512(pairs[1] + 16 * i, lower);
  }
  transpose_words(pairs[0], 16, strip, stride);
  transpose_words(pairs[1], 16, strip + 16 * stride, stride);
}

/** Packs strips by rows, always 32 rows; missing ones are 0. */
static void pack_strips(const Operand *a, float *strips, long strip_floats, long from, long to,
                        long k, long words) {
  const long stride = strip_stride(words);
  if (a->across) {
    for (long w = 0; w < words; w += STEP) { // whole rows as they are stored, a few at a time
      float *strip = strips + w;
      for (long m = from; m < to; m += STRIP_ROWS, strip += strip_floats)
        pack_square(a, strip, m, k + 2 * w, stride);
    }
    return;
  }
  for (long m = from; m < to; m += STRIP_ROWS, strips += strip_floats) {
    const long rows = MIN(STRIP_ROWS, to - m);
    gemm_pack_pair_rows(a, strips, m, rows, k, words);
    for (long i = rows; i < STRIP_ROWS; i++) memset(strips + i * stride, 0, words * sizeof *strips);
  }
}

/** A finished block whose sums are in memory and not yet stored in C. */
typedef struct {
  float sums[STRIP_ROWS * BLOCK_COLUMNS] __attribute__((aligned(64)));
  Target target;
  long rows, columns, stored;
} Pending;

INLINE void store_pending_rows(Pending *w, long count) {
  const long rows = MIN(count, w->rows - w->stored);
  if (rows <= 0) return;
  const Target target = below(w->target, w->stored);
  store_block(&target, w->sums + w->stored * BLOCK_COLUMNS, rows, w->columns);
  w->stored += rows;
}

/** Multiplies one block over all words and meanwhile stores rows of the block before. */
INLINE void multiply_tiles(const Strip *s, const float *b, Pending *before) {
  const long steps = s->words / STEP;
  const long quiet = steps > 5 ? 2 : 0; // steps until the tile stores of `before` have completed
  const long pending = before->rows - before->stored;
  const long per_step = (pending + steps - quiet - 1) / (steps - quiet);
  const long a_bytes = s->a_stride * (long)sizeof(float), b_bytes = BLOCK_COLUMNS * sizeof(float);
  const float *a = s->a, *a_low = s->a + TILE_ROWS * s->a_stride;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (long step = 0; step < steps; step++) {
    _tile_loadd(6, b, b_bytes);
    _tile_loadd(4, a, a_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + 16, b_bytes);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a_low, a_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    a += STEP;
    a_low += STEP;
    b += STEP * BLOCK_COLUMNS;
    if (step >= quiet) store_pending_rows(before, per_step);
  }
  store_pending_rows(before, STRIP_ROWS);
}

static void multiply_strip(const Strip *s) {
  Pending pending;
  pending.rows = pending.stored = 0;
  const float *b = s->b;
  const long bytes = BLOCK_COLUMNS * sizeof(float);
  for (long column = 0; column < s->columns; column += BLOCK_COLUMNS, b += s->panel_words) {
    multiply_tiles(s, b, &pending);
    _tile_stored(0, pending.sums, bytes);
    _tile_stored(1, pending.sums + 16, bytes);
    _tile_stored(2, pending.sums + 16 * BLOCK_COLUMNS, bytes);
    _tile_stored(3, pending.sums + 16 * BLOCK_COLUMNS + 16, bytes);
    pending.target = right_of(s->target, column);
    pending.rows = s->rows;
    pending.columns = MIN(BLOCK_COLUMNS, s->columns - column);
    pending.stored = 0;
  }
  store_pending_rows(&pending, STRIP_ROWS);
}

const Path gemm_tiles = {
    .elements = 2,
    .rows = STRIP_ROWS,
    .step = STEP,
    .row_unit = STRIP_ROWS,
    .longest_slice = 2048,
    .block_bytes = 1280 << 10,
    .pack_panels = gemm_pack_pair_panels,
    .pack_strips = pack_strips,
    .multiply = multiply_strip,
    .begin = begin,
    .end = end,
};

#else
typedef int no_tiles_in_this_build; // ISO C forbids an empty translation unit
#endif
