/**
 * Work areas that all matrix products of the process share. Each plan acquires one area of each kind and keeps
 * it. If a later plan needs a larger area, the smaller one is freed when the last plan that uses it is
 * released. Plans are made and released by one thread at a time.
 */
#ifndef GEMM_AREA_H
#define GEMM_AREA_H
#include <stddef.h>

/** Panels that all threads pack together (two areas, used in turn), and what each thread packs for itself. */
enum AreaKind { AREA_SHARED_0, AREA_SHARED_1, AREA_PRIVATE, AREA_KINDS };

typedef struct {
  char *data; // page-aligned
  size_t bytes;
  int users;
  int is_current;
} Area;

/** An area of at least `bytes`: the current one of its kind, or a new, larger one. NULL if memory is short. */
Area *area_acquire(enum AreaKind kind, size_t bytes);

/** Releases an area; NULL is allowed. */
void area_release(Area *area);

#endif
