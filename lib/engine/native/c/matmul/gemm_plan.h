/** A planned matrix product: made by gemm_plan.c, run by gemm_run.c. */
#ifndef GEMM_PLAN_H
#define GEMM_PLAN_H
#include "pool/partition.h"
#include "gemm.h"
#include "gemm_area.h"
#include "gemm_path.h"

/** How the work is split among threads. */
enum Split {
  BY_ROWS, // by rows of C; all threads pack B together
  BY_COLUMNS, // by panels of B
  BY_ITEMS, // by items of the batch
  UNSPLIT, // too small: one thread does it all
};

struct Gemm {
  const Path *path;
  enum Split split;
  Operand a, b; // data: set by each run
  Target c;
  long m, n, panels;
  long items_1, items_2, batch[6]; // batch strides in bytes: A, A, B, B, C, C
  long words, slice, slices; // along K: words in total, words per slice (the last may be shorter), number of slices
  long panel_words; // from one packed panel to the next
  Partition partition; // of rows or items if split by these; of the epilogue's rows if split by columns
  long block_rows, block_panels; // rows packed at once; panels that fit the L2 cache
  int a_in_place; // strips of A are read in place, without packing
  int persistent_b; // panels of B are packed once, into memory that outlives the run
  long group_panels; // panels that a thread packs at once for itself
  int turn; // shared area of the first slice
  Area *shared[2], *private;
  long private_floats, private_a_floats; // floats of each thread's private area, and of the strips of A at its start
};

#endif
