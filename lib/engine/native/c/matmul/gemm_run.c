/**
 * Running a matrix product. K is cut into slices. For each slice, panels of B are packed, either by all threads
 * together or by each thread for itself. Strips of A are then multiplied with blocks of panels that fit the L2
 * cache:
 *
 *   for slices of K / for blocks of rows (pack A) / for blocks of panels / for strips: multiply
 *
 * A strip of A thus stays in or near the L1 cache while a block of B streams past it, and C is written row by
 * row.
 */
#include "gemm_plan.h"
#include "gemm_store.h"

/** One thread's work on one batch item. */
typedef struct {
  const Gemm *g;
  Epilogue *epilogue; // or NULL
  Operand a, b;
  Target c;
  float *strips, *panels; // the thread's work area
  float *persistent; // panels of all slices if B is persistent, else NULL
  int is_packed; // persistent panels were packed by an earlier run
  long from, to; // rows of C
} Job;

/** A slice of K. */
typedef struct {
  long element, words; // position of its first element, and its length
  int is_first;
} Slice;

static Slice slice_at(const Gemm *g, long q) {
  const long word = q * g->slice;
  return (Slice){word * g->path->elements, MIN(g->slice, g->words - word), q == 0};
}

/** Multiplies packed panels [first, last) of a slice with rows [m, end), packing the rows if necessary. */
static void multiply_rows(const Job *job, Slice slice, long m, long end, const float *panels,
                          long first, long last) {
  const Gemm *g = job->g;
  const Path *path = g->path;
  const int by_words = job->a.across && path->step == 1;
  const long row_floats = strip_stride(slice.words);
  const long strip_floats = by_words ? slice.words * STRIP_PITCH : row_floats * path->rows;
  if (!g->a_in_place)
    path->pack_strips(&job->a, job->strips, strip_floats, m, end, slice.element, slice.words);
  Target c = job->c;
  if (!slice.is_first) {
    c.accumulates = 1;
    c.bias = 0;
  }
  for (long p = first; p < last; p += g->block_panels) {
    const long column = p * BLOCK_COLUMNS;
    const long columns = MIN(g->n, MIN(last, p + g->block_panels) * BLOCK_COLUMNS) - column;
    for (long row = m; row < end; row += path->rows) {
      Strip s = {
          .a = job->strips + (row - m) / path->rows * strip_floats,
          .a_stride = row_floats,
          .by_words = by_words,
          .rows = MIN(path->rows, end - row),
          .b = panels + (p - first) * g->panel_words,
          .panel_words = g->panel_words,
          .words = slice.words,
          .columns = columns,
          .target = right_of(below(c, row), column),
      };
      if (g->a_in_place && (path->step == 1 || s.rows == path->rows)) {
        const long at = row * job->a.stride + slice.element;
        s.a = (const float *)(job->a.data + at * element_bytes(job->a.is_bf16));
        s.a_stride = job->a.stride / path->elements;
      } else if (g->a_in_place) {
        path->pack_strips(&job->a, job->strips, 0, row, end, slice.element, slice.words);
        s.a = job->strips;
      }
      path->multiply(&s);
    }
  }
}

static void multiply_slice(const Job *job, Slice slice, const float *panels, long first,
                           long last) {
  for (long m = job->from; m < job->to; m += job->g->block_rows)
    multiply_rows(job, slice, m, MIN(job->to, m + job->g->block_rows), panels, first, last);
}

/** Multiplies the job's rows with panels [first, last), which this thread packs for itself, a group at a time. */
static void multiply_private(const Job *job, long first, long last) {
  const Gemm *g = job->g;
  for (long p = first; p < last; p += g->group_panels) {
    const long end = MIN(last, p + g->group_panels);
    for (long q = 0; q < g->slices; q++) {
      const Slice slice = slice_at(g, q);
      float *panels = job->persistent ? job->persistent + (q * g->panels + p) * g->panel_words : job->panels;
      if (!job->is_packed)
        g->path->pack_panels(&job->b, panels, g->panel_words, slice.element, p, end, 0,
                             slice.words);
      multiply_slice(job, slice, panels, p, end);
    }
  }
}

/** Packs this thread's part of the panels of a slice: stored rows of B if they run across K, else full panels. */
static void pack_own_panels(const Job *job, Slice slice, float *panels, int thread, int threads) {
  const Gemm *g = job->g;
  if (job->b.across) {
    const long sixteens = (slice.words + 15) / 16;
    const long from = range_start(sixteens, thread, threads, 1) * 16;
    const long to = MIN(slice.words, range_start(sixteens, thread + 1, threads, 1) * 16);
    g->path->pack_panels(&job->b, panels, g->panel_words, slice.element, 0, g->panels, from, to);
  } else {
    const long from = range_start(g->panels, thread, threads, 1);
    const long to = range_start(g->panels, thread + 1, threads, 1);
    panels += from * g->panel_words;
    g->path->pack_panels(&job->b, panels, g->panel_words, slice.element, from, to, 0, slice.words);
  }
}

/** Runs the epilogue on complete rows. */
static void run_epilogue(Epilogue *epilogue, long first, long end, int chunk) {
  if (epilogue) epilogue->run(epilogue, first, end, chunk);
}

/** Runs an epilogue that needs every chunk on the indices of this thread from `chunks` on, which have no rows. */
static void run_empty_chunks(Epilogue *epilogue, int thread, long chunks) {
  if (!epilogue || !epilogue->every_chunk) return;
  for (long p = chunks; p < MAX_CHUNKS; p++) run_epilogue(epilogue, 0, 0, thread * MAX_CHUNKS + (int)p);
}

/**
 * Multiplies partitioned rows with all panels, which the threads pack together. Slices alternate between two
 * areas: a thread that has passed the barrier of one slice may pack the next while others still multiply.
 */
static void multiply_shared(Job *job, int thread, int threads) {
  const Gemm *g = job->g;
  for (long q = 0; q < g->slices; q++) {
    float *panels = (float *)g->shared[(g->turn + q) % 2]->data;
    const Slice slice = slice_at(g, q);
    pack_own_panels(job, slice, panels, thread, threads);
    if (threads > 1) rt_barrier(); // the panels are packed, and no thread works on the slice before
    Walk walk = partition_begin(&g->partition, thread);
    while (partition_next(&walk, &job->from, &job->to)) {
      multiply_slice(job, slice, panels, 0, g->panels);
      if (q == g->slices - 1) run_epilogue(job->epilogue, job->from, job->to, walk.chunk);
    }
  }
}

/** Multiplies items [from, to) of a batch, one after another. */
static void multiply_items(Job *job, char *const *pointers, long from, long to) {
  const Gemm *g = job->g;
  for (long i = from; i < to; i++) {
    const long i1 = i / g->items_2, i2 = i % g->items_2;
    job->a.data = pointers[0] + i1 * g->batch[0] + i2 * g->batch[1];
    job->b.data = pointers[1] + i1 * g->batch[2] + i2 * g->batch[3];
    job->c.data = pointers[2] + i1 * g->batch[4] + i2 * g->batch[5];
    multiply_private(job, 0, g->panels);
  }
}

/** Multiplies the partitioned items of a batch. */
static void multiply_partitioned_items(Job *job, char *const *pointers, int thread) {
  const long m = job->g->m;
  Walk walk = partition_begin(&job->g->partition, thread);
  for (long first, end; partition_next(&walk, &first, &end);) {
    multiply_items(job, pointers, first, end);
    run_epilogue(job->epilogue, first * m, end * m, walk.chunk);
  }
}

/** Runs the epilogue on partitioned rows after all threads have finished the product. */
static void run_epilogue_partitioned(const Job *job, int thread, int threads) {
  if (!job->epilogue) return;
  if (threads > 1) rt_barrier(); // every thread has computed some columns of each row
  Walk walk = partition_begin(&job->g->partition, thread);
  for (long first, end; partition_next(&walk, &first, &end);)
    run_epilogue(job->epilogue, first, end, walk.chunk);
}

/** Number of this thread's chunks for which the epilogue is called with rows. */
static long chunk_count(const Gemm *g, int thread) {
  return g->split == UNSPLIT ? thread == 0 : partition_chunks(&g->partition, thread);
}

void gemm_run(const Gemm *g, char *const *pointers, Epilogue *epilogue, int thread, int threads) {
  run_empty_chunks(epilogue, thread, chunk_count(g, thread));
  if (g->split == UNSPLIT && thread > 0) return;
  if (g->path->begin) g->path->begin();
  // A thread has the same position in every product, since another thread may still run the product before.
  const size_t place = g->private->bytes / threads / 4096 * 4096;
  float *area = (float *)((char *)g->private->data + thread * place);
  Job job = {.g = g, .epilogue = epilogue, .a = g->a, .b = g->b, .c = g->c, .to = g->m};
  job.strips = area;
  job.panels = area + g->private_a_floats;
  if (g->persistent_b) {
    job.is_packed = *(const int32_t *)pointers[4];
    job.persistent = (float *)(pointers[4] + PERSISTENT_HEAD);
  }
  job.a.data = pointers[0];
  job.b.data = pointers[1];
  job.c.data = pointers[2];
  job.c.bias = (const float *)pointers[3];
  switch (g->split) {
    case BY_ROWS:
      multiply_shared(&job, thread, threads);
      break;
    case BY_COLUMNS:
      multiply_private(&job, range_start(g->panels, thread, threads, 1),
                       range_start(g->panels, thread + 1, threads, 1));
      run_epilogue_partitioned(&job, thread, threads);
      break;
    case BY_ITEMS:
      multiply_partitioned_items(&job, pointers, thread);
      break;
    case UNSPLIT:
      multiply_items(&job, pointers, 0, g->items_1 * g->items_2);
      run_epilogue(epilogue, 0, g->items_1 * g->items_2 * g->m, 0);
      break;
  }
  if (g->path->end) g->path->end();
}
