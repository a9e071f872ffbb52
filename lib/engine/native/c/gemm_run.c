/**
 * Running a product. K is cut into chunks; of a chunk, panels of B are packed (by all threads for
 * all, or by each for itself), then strips of A meet blocks of panels small enough for the
 * second-level cache:
 *
 *   for chunks of K / for blocks of rows (pack A) / for blocks of panels / for strips: multiply
 *
 * A strip of A thus stays near the first-level cache while a block of B streams past it, and C is
 * written row by row.
 */
#include "gemm_plan.h"
#include "gemm_store.h"

/** One thread's part of a product of one item. */
typedef struct {
  const Gemm *g;
  Epilogue *epilogue; // or NULL
  Operand a, b;
  Target c;
  float *strips, *panels; // the thread's work area
  float *persistent; // panels of all chunks where B is persistent, or NULL
  int is_packed; // those are there from an earlier run
  long from, to; // rows of C
} Job;

/** A chunk of K. */
typedef struct {
  long element, words; // where it begins, how long it is
  int is_first;
} Chunk;

static Chunk chunk_at(const Gemm *g, long q) {
  const long word = q * g->chunk;
  return (Chunk){word * g->path->elements, MIN(g->chunk, g->words - word), q == 0};
}

/** Multiplies packed panels [first, last) of a chunk with rows [m, end), which are packed if need
 * be. */
static void multiply_rows(const Job *job, Chunk chunk, long m, long end, const float *panels,
                          long first, long last) {
  const Gemm *g = job->g;
  const Path *path = g->path;
  const int by_words = job->a.across && path->step == 1;
  const long row_floats = strip_stride(chunk.words);
  const long strip_floats = by_words ? chunk.words * STRIP_PITCH : row_floats * path->rows;
  if (!g->a_in_place)
    path->pack_strips(&job->a, job->strips, strip_floats, m, end, chunk.element, chunk.words);
  Target c = job->c;
  if (!chunk.is_first) {
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
          .words = chunk.words,
          .columns = columns,
          .target = right_of(below(c, row), column),
      };
      if (g->a_in_place && (path->step == 1 || s.rows == path->rows)) {
        const long at = row * job->a.stride + chunk.element;
        s.a = (const float *)(job->a.data + at * element_bytes(job->a.is_bf16));
        s.a_stride = job->a.stride / path->elements;
      } else if (g->a_in_place) {
        path->pack_strips(&job->a, job->strips, 0, row, end, chunk.element, chunk.words);
        s.a = job->strips;
      }
      path->multiply(&s);
    }
  }
}

static void multiply_chunk(const Job *job, Chunk chunk, const float *panels, long first,
                           long last) {
  for (long m = job->from; m < job->to; m += job->g->block_rows)
    multiply_rows(job, chunk, m, MIN(job->to, m + job->g->block_rows), panels, first, last);
}

/** The job's rows and panels [first, last), packed by this thread for itself, a group at a time. */
static void multiply_alone(const Job *job, long first, long last) {
  const Gemm *g = job->g;
  for (long p = first; p < last; p += g->group_panels) {
    const long end = MIN(last, p + g->group_panels);
    for (long q = 0; q < g->chunks; q++) {
      const Chunk chunk = chunk_at(g, q);
      float *panels = job->persistent ? job->persistent + (q * g->panels + p) * g->panel_words : job->panels;
      if (!job->is_packed)
        g->path->pack_panels(&job->b, panels, g->panel_words, chunk.element, p, end, 0,
                             chunk.words);
      multiply_chunk(job, chunk, panels, p, end);
    }
  }
}

/** Packs this thread's part of a chunk's panels: rows of B as they are stored, or else whole
 * panels. */
static void pack_part(const Job *job, Chunk chunk, float *panels, int thread, int threads) {
  const Gemm *g = job->g;
  if (job->b.across) {
    const long sixteens = (chunk.words + 15) / 16;
    const long from = share_start(sixteens, thread, threads, 1) * 16;
    const long to = MIN(chunk.words, share_start(sixteens, thread + 1, threads, 1) * 16);
    g->path->pack_panels(&job->b, panels, g->panel_words, chunk.element, 0, g->panels, from, to);
  } else {
    const long from = share_start(g->panels, thread, threads, 1);
    const long to = share_start(g->panels, thread + 1, threads, 1);
    panels += from * g->panel_words;
    g->path->pack_panels(&job->b, panels, g->panel_words, chunk.element, from, to, 0, chunk.words);
  }
}

/** Has the epilogue do rows that are whole. */
static void follow(Epilogue *epilogue, long first, long end, int part) {
  if (epilogue) epilogue->run(epilogue, first, end, part);
}

/** Gives the epilogue the numbers of this thread that none of its `pieces` has. */
static void follow_nothing(Epilogue *epilogue, int thread, long pieces) {
  if (!epilogue || !epilogue->all_parts) return;
  for (long p = pieces; p < PARTS; p++) follow(epilogue, 0, 0, thread * PARTS + (int)p);
}

/**
 * All rows, dealt out, and all panels, packed by all threads together. Chunks use two areas in turn: a
 * thread that passed the barrier of one chunk may pack the next while others still multiply.
 */
static void multiply_shared(Job *job, int thread, int threads) {
  const Gemm *g = job->g;
  for (long q = 0; q < g->chunks; q++) {
    float *panels = (float *)g->shared[(g->turn + q) % 2]->data;
    const Chunk chunk = chunk_at(g, q);
    pack_part(job, chunk, panels, thread, threads);
    if (threads > 1) rt_barrier(); // nobody is at work on the chunk before any more
    Walk walk = partition_begin(&g->partition, thread);
    while (partition_next(&walk, &job->from, &job->to)) {
      multiply_chunk(job, chunk, panels, 0, g->panels);
      if (q == g->chunks - 1) follow(job->epilogue, job->from, job->to, walk.part);
    }
  }
}

/** Items [from, to) of a batch, one after another. */
static void multiply_items(Job *job, char *const *pointers, long from, long to) {
  const Gemm *g = job->g;
  for (long i = from; i < to; i++) {
    const long i1 = i / g->items_2, i2 = i % g->items_2;
    job->a.data = pointers[0] + i1 * g->batch[0] + i2 * g->batch[1];
    job->b.data = pointers[1] + i1 * g->batch[2] + i2 * g->batch[3];
    job->c.data = pointers[2] + i1 * g->batch[4] + i2 * g->batch[5];
    multiply_alone(job, 0, g->panels);
  }
}

/** Items of a batch as they are dealt out. */
static void multiply_partitioned_items(Job *job, char *const *pointers, int thread) {
  const long m = job->g->m;
  Walk walk = partition_begin(&job->g->partition, thread);
  for (long first, end; partition_next(&walk, &first, &end);) {
    multiply_items(job, pointers, first, end);
    follow(job->epilogue, first * m, end * m, walk.part);
  }
}

/** The epilogue alone: all rows, dealt out, when all threads are done with the product. */
static void follow_partitioned(const Job *job, int thread, int threads) {
  if (!job->epilogue) return;
  if (threads > 1) rt_barrier(); // of each row every thread has made a part
  Walk walk = partition_begin(&job->g->partition, thread);
  for (long first, end; partition_next(&walk, &first, &end);)
    follow(job->epilogue, first, end, walk.part);
}

/** Pieces of a thread's share that an epilogue is given. */
static long pieces_of(const Gemm *g, int thread) {
  return g->split == ALONE ? thread == 0 : partition_chunks(&g->partition, thread);
}

void gemm_run(const Gemm *g, char *const *pointers, Epilogue *epilogue, int thread, int threads) {
  follow_nothing(epilogue, thread, pieces_of(g, thread));
  if (g->split == ALONE && thread > 0) return;
  if (g->path->begin) g->path->begin();
  // A thread has the same place in every product, since another may still be at the one before.
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
      multiply_alone(&job, share_start(g->panels, thread, threads, 1),
                     share_start(g->panels, thread + 1, threads, 1));
      follow_partitioned(&job, thread, threads);
      break;
    case BY_ITEMS:
      multiply_partitioned_items(&job, pointers, thread);
      break;
    case ALONE:
      multiply_items(&job, pointers, 0, g->items_1 * g->items_2);
      follow(epilogue, 0, g->items_1 * g->items_2 * g->m, 0);
      break;
  }
  if (g->path->end) g->path->end();
}
