/**
 * Planning a matrix product: which path multiplies, how the work is partitioned among threads, and the block
 * sizes that keep reused data in a cache.
 */
#include "gemm_plan.h"
#include <stdlib.h>

static const double SHARED_WORK = 40000; // minimum M·N·K for running a product on several threads
static const long A_BLOCK_BYTES = 1 << 20; // bytes of rows packed at once
static const long B_GROUP_BYTES = 4 << 20; // bytes of panels that a thread packs at once for itself
/** Rows at a multiple of this distance compete for the same few lines of the L1 cache. */
static const long ALIAS_BYTES = 4096;

static int next_turn; // shared area for the next product that is planned

static long round_up(long x, long unit) { return (x + unit - 1) / unit * unit; }

#ifdef GEMM_PAIRS
/**
 * True if pairs of bfloat16 multiply faster than float32. They are twice as fast on AMD's processors, which
 * issue one vdpbf16ps per cycle, but half as fast on Intel's, which issue one vdpbf16ps in the time of four
 * multiply-adds (measured on Emerald Rapids: 176 and 352 GFLOP/s). The decision is made by vendor instead of
 * by measurement, so results never depend on timing.
 */
static int pairs_pay(void) {
#ifdef GEMM_ALWAYS_PAIRS // set by tests
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
  if (pairs_pay()) features |= GEMM_HAS_AVX512_BFLOAT16;
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
 * Fills in an operand of `extent` x `depth` from its strides across and along K. Returns 0 if neither stride is
 * 1. The stride of a dimension of size 1 is ignored.
 */
static int describe(Operand *x, long extent, long depth, int64_t across, int64_t along) {
  x->extent = extent;
  x->depth = depth;
  x->across = !(along == 1 || (depth == 1 && across != 1));
  x->stride = x->across ? along : across;
  return along == 1 || across == 1 || extent == 1 || depth == 1;
}

/**
 * Cuts K into slices that are multiplied one after another. There is one slice if C cannot hold float32 sums
 * in between, or if the result is rounded, since only the complete sum may be rounded.
 */
static void cut_into_slices(Gemm *g) {
  g->words = round_up((g->a.depth + g->path->elements - 1) / g->path->elements, g->path->step);
  const int at_once = g->c.is_bf16 || g->c.rounding;
  const long longest = at_once ? g->words : g->path->longest_slice;
  g->slices = (g->words + longest - 1) / longest;
  g->slice = round_up((g->words + g->slices - 1) / g->slices, 16);
  g->slices = (g->words + g->slice - 1) / g->slice;
  g->panel_words = g->slice * BLOCK_COLUMNS;
}

/** True if strips of A can be read in place: full words along K, and a row stride without cache conflicts. */
static int is_in_place(const Gemm *g) {
  const Operand *a = &g->a;
  const int elements = g->path->elements,
            is_word = elements == 2 ? a->is_bf16 : !a->is_bf16 && !a->rounds;
  if (!is_word || a->across || g->words * elements != a->depth || a->stride % elements) return 0;
  return a->stride * element_bytes(a->is_bf16) % ALIAS_BYTES != 0;
}

static enum Split choose_split(const Gemm *g, int threads) {
  const long items = g->items_1 * g->items_2;
  // A persistent B is split by columns: each thread packs the panels that it reads in every later run.
  if (g->persistent_b) return threads > 1 ? BY_COLUMNS : UNSPLIT;
  if ((double)g->m * g->n * g->a.depth * items < SHARED_WORK || threads == 1) return UNSPLIT;
  if (items > 1) return BY_ITEMS;
  // With few rows, a split by columns packs each panel once and needs no barrier.
  const long strips = (g->m + g->path->rows - 1) / g->path->rows;
  if (strips < 4 * threads && g->panels >= threads && g->panels > strips) return BY_COLUMNS;
  return BY_ROWS;
}

/** Partitions the work among threads. Returns 0 if memory is short. */
static int partition_work(Gemm *g, int threads) {
  const Path *path = g->path;
  switch (g->split) {
    case BY_ROWS: return partition_make(&g->partition, g->m, path->row_unit, path->rows, threads);
    case BY_COLUMNS: return partition_make(&g->partition, g->m, 1, 1, threads);
    case BY_ITEMS: return partition_make(&g->partition, g->items_1 * g->items_2, 1, 1, threads);
    default: return 1;
  }
}

/** Sets block sizes and acquires work areas. Returns 0 if memory is short. */
static int acquire_areas(Gemm *g, int threads) {
  const Path *path = g->path;
  const long panel_bytes = g->panel_words * (long)sizeof(float);
  const long strip_floats = MAX(strip_stride(g->slice) * path->rows, g->slice * STRIP_PITCH);
  const long most_rows = MAX(1, A_BLOCK_BYTES / (strip_floats * (long)sizeof(float))) * path->rows;
  const long all_rows = round_up(g->m, path->rows);
  g->block_panels = MAX(1, path->block_bytes / panel_bytes);
  g->block_rows = g->a_in_place ? all_rows : MIN(most_rows, all_rows);
  g->private_a_floats = g->block_rows / path->rows * strip_floats;
  if (g->a_in_place)
    g->private_a_floats = path->step == 1 ? 0 : strip_floats; // space for a last strip with fewer rows

  long private_b_floats = 0;
  if (g->split == BY_ROWS) {
    const size_t bytes = (size_t)g->panels * panel_bytes;
    for (int i = 0; i < 2; i++)
      if (!(g->shared[i] = area_acquire(AREA_SHARED_0 + i, bytes))) return 0;
    g->turn = next_turn;
    next_turn = (next_turn + g->slices) % 2;
  } else {
    const long own = g->split == BY_COLUMNS ? (g->panels + threads - 1) / threads : g->panels;
    g->group_panels = MIN(own, MAX(1, B_GROUP_BYTES / panel_bytes));
    private_b_floats = g->persistent_b ? 0 : g->group_panels * g->panel_words;
  }
  g->private_floats = round_up(g->private_a_floats + private_b_floats, 1024);
  const size_t bytes = round_up(g->private_floats * (long)sizeof(float), 4096) * (size_t)threads;
  return (g->private = area_acquire(AREA_PRIVATE, bytes)) != 0;
}

Gemm *gemm_plan(const int64_t *w, int threads) {
  const int64_t flags = w[GEMM_FLAGS];
  const int64_t known = GEMM_A_BF16 | GEMM_B_BF16 | GEMM_C_BF16 | GEMM_ACCUMULATE | GEMM_IN_BF16 |
                        GEMM_ROUND_BF16 | GEMM_ROUND_F16 | GEMM_PERSISTENT_B;
  const int both = GEMM_ROUND_BF16 | GEMM_ROUND_F16;
  const int is_batch = w[GEMM_OUTER_ITEMS] > 1 || w[GEMM_INNER_ITEMS] > 1;
  if ((flags & GEMM_PERSISTENT_B) && is_batch) return 0;
  if (w[GEMM_M] < 1 || w[GEMM_N] < 1 || w[GEMM_K] < 1 || w[GEMM_OUTER_ITEMS] < 1 ||
      w[GEMM_INNER_ITEMS] < 1 || (flags & ~known) || (flags & both) == both || threads < 1)
    return 0;
  Gemm *g = calloc(1, sizeof *g);
  if (!g) return 0;
  g->path = choose_path(flags);
  g->m = w[GEMM_M];
  g->n = w[GEMM_N];
  g->panels = (g->n + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS;
  g->items_1 = w[GEMM_OUTER_ITEMS];
  g->items_2 = w[GEMM_INNER_ITEMS];
  g->a.is_bf16 = (flags & GEMM_A_BF16) != 0;
  g->b.is_bf16 = (flags & GEMM_B_BF16) != 0;
  g->c.is_bf16 = (flags & GEMM_C_BF16) != 0;
  g->a.rounds = g->b.rounds = (flags & GEMM_IN_BF16) != 0;
  g->c.accumulates = (flags & GEMM_ACCUMULATE) != 0;
  g->c.rounding = flags & GEMM_ROUND_BF16 ? TO_BF16 : flags & GEMM_ROUND_F16 ? TO_F16 : EXACT;
  g->c.stride = w[GEMM_ROW_C];
  g->persistent_b = (flags & GEMM_PERSISTENT_B) != 0;
  const int types[3] = {g->a.is_bf16, g->b.is_bf16, g->c.is_bf16};
  for (int i = 0; i < 6; i++) g->batch[i] = w[GEMM_OUTER_STRIDE_A + i] * element_bytes(types[i / 2]);
  if (!describe(&g->a, g->m, w[GEMM_K], w[GEMM_ROW_A], w[GEMM_COLUMN_A]) ||
      !describe(&g->b, g->n, w[GEMM_K], w[GEMM_COLUMN_B], w[GEMM_ROW_B])) {
    free(g);
    return 0;
  }
  cut_into_slices(g);
  g->a_in_place = is_in_place(g);
  g->split = choose_split(g, threads);
  if (!partition_work(g, threads) || !acquire_areas(g, threads)) {
    gemm_release(g);
    return 0;
  }
  return g;
}

int64_t gemm_persistent_bytes(const Gemm *g) {
  if (!g->persistent_b) return 0;
  return PERSISTENT_HEAD + (int64_t)g->slices * g->panels * g->panel_words * (int64_t)sizeof(float);
}

void gemm_release(Gemm *g) {
  if (!g) return;
  area_release(g->shared[0]);
  area_release(g->shared[1]);
  area_release(g->private);
  partition_free(&g->partition);
  free(g);
}
