/**
 * Work areas that all products of the process share. A plan takes one of each kind at planning time
 * and keeps that very block, so a block outgrown by a later plan lives on until the plans that know
 * it are released. One thread plans and releases.
 */
#ifndef GEMM_AREA_H
#define GEMM_AREA_H
#include <stddef.h>

/** Packed panels for all threads (two, used in turn), and what each thread packs for itself. */
enum AreaKind { AREA_SHARED_0, AREA_SHARED_1, AREA_PRIVATE, AREA_KINDS };

typedef struct {
  char *data; // page-aligned
  size_t bytes;
  int users;
  int is_current;
} Area;

/** An area of at least `bytes`, the current one of its kind or a new, larger one; NULL: out of
 * memory. */
Area *area_take(enum AreaKind kind, size_t bytes);

/** Gives an area (or NULL) back. */
void area_drop(Area *area);

#endif
