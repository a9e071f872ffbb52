/**
 * Planning products and sharing them among threads. K is cut into chunks; of a chunk, panels of B are
 * packed (by all threads for all, or by each for itself), then strips of A meet blocks of panels small
 * enough for the second-level cache:
 *
 *   for chunks of K / for blocks of rows (pack A) / for blocks of panels / for strips: multiply
 *
 * A strip of A thus stays in the first-level cache while a block of B streams past it.
 */
#include "gemm.h"
#include "gemm_area.h"
#include "gemm_path.h"
#include "gemm_store.h"
#include <stdlib.h>

/** How threads share a product. */
enum Split {
  BY_ROWS, // each some rows of C; B is packed by all for all
  BY_COLUMNS, // each some panels of B
  BY_ITEMS, // each some items of the batch
  ALONE, // too small to share
};

struct Gemm {
  const Path *path;
  enum Split split;
  Operand a, b; // data: set by each run
  Target c;
  long m, n, panels;
  long items_1, items_2, batch[6]; // batch strides in bytes: A, A, B, B, C, C
  long words, chunk, chunks; // along K: in all, of a chunk (the last may be shorter), number
  long block_rows, block_panels; // rows packed at once, panels that fit the second-level cache
  int a_in_place; // strips of A need no packing
  long group_panels; // packed at once where a thread packs for itself
  int turn; // which of the shared areas the first chunk uses
  Area *shared[2], *private;
  long private_floats, private_a_floats; // of each thread; the strips of A come first
};

static const double SHARED_WORK = 40000; // M·N·K from which it pays to share a product
static const long CHUNK_WORDS = 1024; // longest chunk of K where C can hold sums between chunks
static const long B_BLOCK_BYTES = 512 << 10; // of the second-level cache, for a block of panels
static const long A_BLOCK_BYTES = 1 << 20; // rows packed at once
static const long B_GROUP_BYTES = 4 << 20; // panels a thread packs at once for itself

static int next_turn; // over the products planned so far

static long round_up(long x, long unit) { return (x + unit - 1) / unit * unit; }
static long part(long whole, int thread, int threads) { return whole * thread / threads; }

int gemm_setup(void) {
  int features = 0;
#ifdef GEMM_AVX512
  features |= GEMM_HAS_AVX512;
#endif
#ifdef GEMM_PAIRS
  features |= GEMM_HAS_AVX512_BF16;
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
    return &gemm_pairs;
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

/** The share of K that is multiplied at once: all of it where C cannot hold float32 sums. */
static void cut_into_chunks(Gemm *g) {
  g->words = round_up((g->a.depth + g->path->elements - 1) / g->path->elements, g->path->step);
  const long longest = g->c.is_bf16 ? g->words : CHUNK_WORDS;
  g->chunks = (g->words + longest - 1) / longest;
  g->chunk = round_up((g->words + g->chunks - 1) / g->chunks, 16);
  g->chunks = (g->words + g->chunk - 1) / g->chunk;
}

static enum Split choose_split(const Gemm *g, int threads) {
  const long items = g->items_1 * g->items_2;
  if ((double)g->m * g->n * g->a.depth * items < SHARED_WORK || threads == 1) return ALONE;
  if (items > 1) return BY_ITEMS;
  // Few rows: a split by columns packs each panel once, and needs no barrier.
  const long strips = (g->m + g->path->rows - 1) / g->path->rows;
  if (strips < 4 * threads && g->panels >= threads && g->panels > strips) return BY_COLUMNS;
  return BY_ROWS;
}

/** Sizes of blocks and of the work areas; 0 when memory is short. */
static int take_areas(Gemm *g, int threads) {
  const long panel_floats = round_up(g->chunk, 16) * BLOCK_COLUMNS;
  const long panel_bytes = panel_floats * (long)sizeof(float);
  const long row_floats = MAX(strip_stride(g->chunk), g->chunk * STRIP_PITCH / BLOCK_ROWS + 1);
  g->block_panels = MAX(1, B_BLOCK_BYTES / panel_bytes);

  const long a_rows = MAX(1, A_BLOCK_BYTES / (row_floats * (long)sizeof(float)) / g->path->rows) * g->path->rows;
  const long strips_end = round_up(g->m, g->path->rows);
  if (g->a_in_place && g->path->step == 1) {
    g->block_rows = strips_end;
    g->private_a_floats = 0;
  } else if (g->a_in_place) { // only a last, ragged strip is packed
    g->block_rows = strips_end;
    g->private_a_floats = g->path->rows * row_floats;
  } else {
    g->block_rows = MIN(a_rows, strips_end);
    g->private_a_floats = g->block_rows * row_floats;
  }
  g->private_a_floats = round_up(g->private_a_floats, 1024);

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
    private_b_floats = g->group_panels * panel_floats;
  }
  g->private_floats = round_up(g->private_a_floats + private_b_floats, 1024) + 16;
  const size_t bytes = (size_t)g->private_floats * sizeof(float) * threads;
  return (g->private = area_take(AREA_PRIVATE, bytes)) != 0;
}

Gemm *gemm_plan(const int64_t *w, int threads) {
  const int64_t flags = w[GEMM_FLAGS];
  const int64_t known = GEMM_A_BF16 | GEMM_B_BF16 | GEMM_C_BF16 | GEMM_ACCUMULATE | GEMM_IN_BF16;
  if (w[GEMM_M] < 1 || w[GEMM_N] < 1 || w[GEMM_K] < 1 || w[GEMM_ITEMS_1] < 1 ||
      w[GEMM_ITEMS_2] < 1 || (flags & ~known) || threads < 1)
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
  g->c.stride = w[GEMM_ROW_C];
  const int bytes[3] = {g->a.is_bf16 ? 2 : 4, g->b.is_bf16 ? 2 : 4, g->c.is_bf16 ? 2 : 4};
  for (int i = 0; i < 6; i++) g->batch[i] = w[GEMM_BATCH_A_1 + i] * bytes[i / 2];
  if (!describe(&g->a, g->m, w[GEMM_K], w[GEMM_ROW_A], w[GEMM_COLUMN_A]) ||
      !describe(&g->b, g->n, w[GEMM_K], w[GEMM_COLUMN_B], w[GEMM_ROW_B])) {
    free(g);
    return 0;
  }
  cut_into_chunks(g);
  const int fits_words = g->path->elements == 2 ? g->a.is_bf16 : !g->a.is_bf16 && !g->a.rounds;
  g->a_in_place = fits_words && !g->a.across && g->words * g->path->elements == g->a.depth &&
                  g->a.stride % g->path->elements == 0;
  g->split = choose_split(g, threads);
  if (!take_areas(g, threads)) {
    gemm_release(g);
    return 0;
  }
  return g;
}

void gemm_release(Gemm *g) {
  if (!g) return;
  area_drop(g->shared[0]);
  area_drop(g->shared[1]);
  area_drop(g->private);
  free(g);
}

/** A product of one item by one thread: operands in place, work area, range of rows. */
typedef struct {
  const Gemm *g;
  Operand a, b;
  Target c;
  float *strips; // the thread's packed rows of A
  long from, to; // rows
} Job;

/** Multiplies packed panels [first, last) of chunk q with the job's rows. */
static void multiply_chunk(const Job *job, long q, const float *panels, long first, long last) {
  const Gemm *g = job->g;
  const long k = q * g->chunk, words = MIN(g->chunk, g->words - k), element = k * g->path->elements;
  const long panel_words = round_up(g->chunk, 16) * BLOCK_COLUMNS;
  const int by_words = job->a.across && g->path->step == 1;
  const long strip_floats = by_words ? words * STRIP_PITCH : strip_stride(words) * g->path->rows;
  Target c = job->c;
  c.accumulates |= q > 0;
  if (q > 0) c.bias = 0;
  for (long m0 = job->from; m0 < job->to; m0 += g->block_rows)
    for (long p0 = first; p0 < last; p0 += g->block_panels)
      for (long m = m0; m < MIN(job->to, m0 + g->block_rows); m += g->path->rows) {
        const long column = p0 * BLOCK_COLUMNS;
        const long end = MIN(g->n, MIN(last, p0 + g->block_panels) * BLOCK_COLUMNS);
        Strip s = {
            .rows = MIN(g->path->rows, job->to - m),
            .b = panels + (p0 - first) * panel_words,
            .panel_words = panel_words,
            .words = words,
            .columns = end - column,
            .target = right_of(below(c, m), column),
        };
        if (g->a_in_place && (g->path->step == 1 || s.rows == g->path->rows)) {
          s.a = (const float *)(job->a.data + (m * job->a.stride + element) * (job->a.is_bf16 ? 2 : 4));
          s.a_stride = job->a.stride / g->path->elements;
        } else {
          float *strip = job->strips + (g->a_in_place ? 0 : (m - m0) / g->path->rows * strip_floats);
          if (p0 == first || g->a_in_place) g->path->pack_strip(&job->a, strip, m, s.rows, element, words);
          s.a = strip;
          s.a_stride = by_words ? 0 : strip_stride(words);
        }
        g->path->multiply(&s);
      }
}

/** The job's rows and panels [first, last), packed by this thread for itself, a group at a time. */
static void multiply_alone(const Job *job, long first, long last) {
  const Gemm *g = job->g;
  float *panels = job->strips + g->private_a_floats;
  const long panel_words = round_up(g->chunk, 16) * BLOCK_COLUMNS;
  for (long p = first; p < last; p += g->group_panels) {
    const long end = MIN(last, p + g->group_panels);
    for (long q = 0; q < g->chunks; q++) {
      const long k = q * g->chunk, words = MIN(g->chunk, g->words - k);
      g->path->pack_panels(&job->b, panels, panel_words, k * g->path->elements, p, end, 0, words);
      multiply_chunk(job, q, panels, p, end);
    }
  }
}

/**
 * The job's rows and all panels, packed by all threads together. Chunks use two areas in turn: a thread
 * that passed the barrier of one chunk may pack the next while others still multiply.
 */
static void multiply_shared(const Job *job, int thread, int threads) {
  const Gemm *g = job->g;
  const long panel_words = round_up(g->chunk, 16) * BLOCK_COLUMNS;
  for (long q = 0; q < g->chunks; q++) {
    float *panels = (float *)g->shared[(g->turn + q) % 2]->data;
    const long k = q * g->chunk, words = MIN(g->chunk, g->words - k), element = k * g->path->elements;
    if (job->b.across) { // rows of B, of which a thread wrote its part itself
      const long sixteens = (words + 15) / 16;
      const long from = part(sixteens, thread, threads) * 16, to = MIN(words, part(sixteens, thread + 1, threads) * 16);
      g->path->pack_panels(&job->b, panels, panel_words, element, 0, g->panels, from, to);
    } else {
      const long from = part(g->panels, thread, threads), to = part(g->panels, thread + 1, threads);
      g->path->pack_panels(&job->b, panels + from * panel_words, panel_words, element, from, to, 0, words);
    }
    if (threads > 1) rt_barrier();
    multiply_chunk(job, q, panels, 0, g->panels);
  }
}

void gemm_run(const Gemm *g, char *const *pointers, int thread, int threads) {
  if (g->split == ALONE && thread > 0) return;
  if (g->path->begin) g->path->begin();
  Job job = {g, g->a, g->b, g->c, (float *)g->private->data + thread * g->private_floats, 0, g->m};
  job.a.data = pointers[0];
  job.b.data = pointers[1];
  job.c.data = pointers[2];
  job.c.bias = (const float *)pointers[3];
  if (g->split == BY_ROWS) {
    job.from = part(g->m, thread, threads);
    job.to = part(g->m, thread + 1, threads);
    multiply_shared(&job, thread, threads);
  } else if (g->split == BY_COLUMNS) {
    multiply_alone(&job, part(g->panels, thread, threads), part(g->panels, thread + 1, threads));
  } else {
    const int share = g->split == BY_ITEMS ? thread : 0, shares = g->split == BY_ITEMS ? threads : 1;
    const long items = g->items_1 * g->items_2, last = part(items, share + 1, shares);
    for (long i = part(items, share, shares); i < last; i++) {
      const long i1 = i / g->items_2, i2 = i % g->items_2;
      job.a.data = pointers[0] + i1 * g->batch[0] + i2 * g->batch[1];
      job.b.data = pointers[1] + i1 * g->batch[2] + i2 * g->batch[3];
      job.c.data = pointers[2] + i1 * g->batch[4] + i2 * g->batch[5];
      multiply_alone(&job, 0, g->panels);
    }
  }
  if (g->path->end) g->path->end();
}
