/**
 * Planning a product: which path multiplies, how threads share it, and how it is cut so that what
 * is reused stays in a cache.
 */
#include "gemm_plan.h"
#include <stdlib.h>

static const double SHARED_WORK = 40000; // M·N·K from which it pays to share a product
static const long A_BLOCK_BYTES = 1 << 20; // rows packed at once
static const long B_GROUP_BYTES = 4 << 20; // panels a thread packs at once for itself
static const long ALIAS_BYTES =
    4096; // rows so far apart share the same few lines of the first-level cache

static int next_turn; // over the products planned so far

static long round_up(long x, long unit) { return (x + unit - 1) / unit * unit; }

#ifdef GEMM_PAIRS
/**
 * Do pairs of bfloat16 multiply faster than float32? Twice as fast on AMD's processors, which begin
 * vdpbf16ps every cycle, but half as fast on Intel's, which begin one where they begin four
 * multiply-adds (measured on Emerald Rapids: 176 and 352 GFLOP/s). The vendor decides rather than a
 * measurement, so that results never depend on timing.
 */
static int pairs_pay(void) {
#ifdef GEMM_ALWAYS_PAIRS // of tests
  return 1;
#else
  __builtin_cpu_init();
  return !__builtin_cpu_is("intel");
#endif
}
#endif

int gemm_setup(void) {
  int features = 0;
#ifdef GEMM_AVX512
  features |= GEMM_HAS_AVX512;
#endif
#ifdef GEMM_PAIRS
  if (pairs_pay()) features |= GEMM_HAS_AVX512_BF16;
#endif
#ifdef GEMM_TILES
  static int asked, permitted;
  if (!asked) permitted = gemm_tiles_permitted();
  asked = 1;
  if (permitted) features |= GEMM_HAS_AMX;
#endif
#if defined(__AVX2__) && defined(__FMA__)
  features |= GEMM_HAS_AVX2;
#endif
#ifdef __aarch64__
  features |= GEMM_HAS_NEON;
#endif
  return features;
}

static const Path *choose_path(int64_t flags) {
#ifdef GEMM_PAIRS
  if (flags & GEMM_IN_BF16) {
#ifdef GEMM_TILES
    if (gemm_setup() & GEMM_HAS_AMX) return &gemm_tiles;
#endif
    if (pairs_pay()) return &gemm_pairs;
  }
#else
  (void)flags;
#endif
  return &gemm_float32;
}

/**
 * An operand of `extent` x `depth` from its strides across and along K; 0 when neither is 1. In a
 * dimension of size 1 the stride means nothing.
 */
static int describe(Operand *x, long extent, long depth, int64_t across, int64_t along) {
  x->extent = extent;
  x->depth = depth;
  x->across = !(along == 1 || (depth == 1 && across != 1));
  x->stride = x->across ? along : across;
  return along == 1 || across == 1 || extent == 1 || depth == 1;
}

/**
 * The share of K that is multiplied at once: all of it where C cannot hold float32 sums, or must not,
 * since only the whole sum may be rounded.
 */
static void cut_into_chunks(Gemm *g) {
  g->words = round_up((g->a.depth + g->path->elements - 1) / g->path->elements, g->path->step);
  const int at_once = g->c.is_bf16 || g->c.rounding;
  const long longest = at_once ? g->words : g->path->longest_chunk;
  g->chunks = (g->words + longest - 1) / longest;
  g->chunk = round_up((g->words + g->chunks - 1) / g->chunks, 16);
  g->chunks = (g->words + g->chunk - 1) / g->chunk;
  g->panel_words = g->chunk * BLOCK_COLUMNS;
}

/** Can strips of A be read where they lie: whole words, along K, rows not in one another's way? */
static int is_in_place(const Gemm *g) {
  const Operand *a = &g->a;
  const int elements = g->path->elements,
            is_word = elements == 2 ? a->is_bf16 : !a->is_bf16 && !a->rounds;
  if (!is_word || a->across || g->words * elements != a->depth || a->stride % elements) return 0;
  return a->stride * element_bytes(a->is_bf16) % ALIAS_BYTES != 0;
}

static enum Split choose_split(const Gemm *g, int threads) {
  const long items = g->items_1 * g->items_2;
  if (g->persistent_b) return threads > 1 ? BY_COLUMNS : ALONE; // who packs panels reads them, ever after
  if ((double)g->m * g->n * g->a.depth * items < SHARED_WORK || threads == 1) return ALONE;
  if (items > 1) return BY_ITEMS;
  // Few rows: a split by columns packs each panel once, and needs no barrier.
  const long strips = (g->m + g->path->rows - 1) / g->path->rows;
  if (strips < 4 * threads && g->panels >= threads && g->panels > strips) return BY_COLUMNS;
  return BY_ROWS;
}

/** Deals out to threads what they share; 0 when memory is short. */
static int deal_out(Gemm *g, int threads) {
  const Path *path = g->path;
  switch (g->split) {
    case BY_ROWS: return partition_make(&g->partition, g->m, path->row_unit, path->rows, threads);
    case BY_COLUMNS: return partition_make(&g->partition, g->m, 1, 1, threads);
    case BY_ITEMS: return partition_make(&g->partition, g->items_1 * g->items_2, 1, 1, threads);
    default: return 1;
  }
}

/** Sizes of blocks and of the work areas; 0 when memory is short. */
static int take_areas(Gemm *g, int threads) {
  const Path *path = g->path;
  const long panel_bytes = g->panel_words * (long)sizeof(float);
  const long strip_floats = MAX(strip_stride(g->chunk) * path->rows, g->chunk * STRIP_PITCH);
  const long most_rows = MAX(1, A_BLOCK_BYTES / (strip_floats * (long)sizeof(float))) * path->rows;
  const long all_rows = round_up(g->m, path->rows);
  g->block_panels = MAX(1, path->block_bytes / panel_bytes);
  g->block_rows = g->a_in_place ? all_rows : MIN(most_rows, all_rows);
  g->private_a_floats = g->block_rows / path->rows * strip_floats;
  if (g->a_in_place)
    g->private_a_floats = path->step == 1 ? 0 : strip_floats; // a last, ragged strip

  long private_b_floats = 0;
  if (g->split == BY_ROWS) {
    const size_t bytes = (size_t)g->panels * panel_bytes;
    for (int i = 0; i < 2; i++)
      if (!(g->shared[i] = area_take(AREA_SHARED_0 + i, bytes))) return 0;
    g->turn = next_turn;
    next_turn = (next_turn + g->chunks) % 2;
  } else {
    const long own = g->split == BY_COLUMNS ? (g->panels + threads - 1) / threads : g->panels;
    g->group_panels = MIN(own, MAX(1, B_GROUP_BYTES / panel_bytes));
    private_b_floats = g->persistent_b ? 0 : g->group_panels * g->panel_words;
  }
  g->private_floats = round_up(g->private_a_floats + private_b_floats, 1024);
  const size_t bytes = round_up(g->private_floats * (long)sizeof(float), 4096) * (size_t)threads;
  return (g->private = area_take(AREA_PRIVATE, bytes)) != 0;
}

Gemm *gemm_plan(const int64_t *w, int threads) {
  const int64_t flags = w[GEMM_FLAGS];
  const int64_t known = GEMM_A_BF16 | GEMM_B_BF16 | GEMM_C_BF16 | GEMM_ACCUMULATE | GEMM_IN_BF16 |
                        GEMM_ROUND_BF16 | GEMM_ROUND_F16 | GEMM_PERSISTENT_B;
  const int both = GEMM_ROUND_BF16 | GEMM_ROUND_F16;
  const int is_batch = w[GEMM_ITEMS_1] > 1 || w[GEMM_ITEMS_2] > 1;
  if ((flags & GEMM_PERSISTENT_B) && is_batch) return 0;
  if (w[GEMM_M] < 1 || w[GEMM_N] < 1 || w[GEMM_K] < 1 || w[GEMM_ITEMS_1] < 1 ||
      w[GEMM_ITEMS_2] < 1 || (flags & ~known) || (flags & both) == both || threads < 1)
    return 0;
  Gemm *g = calloc(1, sizeof *g);
  if (!g) return 0;
  g->path = choose_path(flags);
  g->m = w[GEMM_M];
  g->n = w[GEMM_N];
  g->panels = (g->n + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS;
  g->items_1 = w[GEMM_ITEMS_1];
  g->items_2 = w[GEMM_ITEMS_2];
  g->a.is_bf16 = (flags & GEMM_A_BF16) != 0;
  g->b.is_bf16 = (flags & GEMM_B_BF16) != 0;
  g->c.is_bf16 = (flags & GEMM_C_BF16) != 0;
  g->a.rounds = g->b.rounds = (flags & GEMM_IN_BF16) != 0;
  g->c.accumulates = (flags & GEMM_ACCUMULATE) != 0;
  g->c.rounding = flags & GEMM_ROUND_BF16 ? TO_BF16 : flags & GEMM_ROUND_F16 ? TO_F16 : EXACT;
  g->c.stride = w[GEMM_ROW_C];
  g->persistent_b = (flags & GEMM_PERSISTENT_B) != 0;
  const int types[3] = {g->a.is_bf16, g->b.is_bf16, g->c.is_bf16};
  for (int i = 0; i < 6; i++) g->batch[i] = w[GEMM_BATCH_A_1 + i] * element_bytes(types[i / 2]);
  if (!describe(&g->a, g->m, w[GEMM_K], w[GEMM_ROW_A], w[GEMM_COLUMN_A]) ||
      !describe(&g->b, g->n, w[GEMM_K], w[GEMM_COLUMN_B], w[GEMM_ROW_B])) {
    free(g);
    return 0;
  }
  cut_into_chunks(g);
  g->a_in_place = is_in_place(g);
  g->split = choose_split(g, threads);
  if (!deal_out(g, threads) || !take_areas(g, threads)) {
    gemm_release(g);
    return 0;
  }
  return g;
}

int64_t gemm_persistent_bytes(const Gemm *g) {
  if (!g->persistent_b) return 0;
  return PERSISTENT_HEAD + (int64_t)g->chunks * g->panels * g->panel_words * (int64_t)sizeof(float);
}

void gemm_release(Gemm *g) {
  if (!g) return;
  area_drop(g->shared[0]);
  area_drop(g->shared[1]);
  area_drop(g->private);
  partition_free(&g->partition);
  free(g);
}
