/** A planned product: shared by gemm_plan.c, which makes it, and gemm_run.c, which runs it. */
#ifndef GEMM_PLAN_H
#define GEMM_PLAN_H
#include "partition.h"
#include "gemm.h"
#include "gemm_area.h"
#include "gemm_path.h"

/** How threads share a product. */
enum Split {
  BY_ROWS, // rows of C are dealt out; B is packed by all for all
  BY_COLUMNS, // each some panels of B
  BY_ITEMS, // items of the batch are dealt out
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
  long panel_words; // from one packed panel to the next
  Partition partition; // of rows or items, where it is split so; of an epilogue's rows, where by columns
  long block_rows, block_panels; // rows packed at once, panels that fit the second-level cache
  int a_in_place; // strips of A need no packing
  int persistent_b; // panels of B are packed once, into memory that outlives the run
  long group_panels; // packed at once where a thread packs for itself
  int turn; // which of the shared areas the first chunk uses
  Area *shared[2], *private;
  long private_floats, private_a_floats; // of each thread; the strips of A come first
};

#endif
