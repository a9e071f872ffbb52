/* Memory and libraries for Deno: blocks on pages of their own, addresses of generated kernels. */
#include "system.h"
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { PAGE = 16384, HUGE_PAGE = 1 << 21 };

static int64_t round_up(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

/** What a block takes: blocks of some megabytes lie on huge pages. */
static int64_t block_unit(int64_t bytes) { return bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : PAGE; }

#if defined(__SANITIZE_ADDRESS__)
#define GUARDS_BLOCKS 1
#elif defined(__has_feature) // how clang tells
#if __has_feature(address_sanitizer)
#define GUARDS_BLOCKS 1
#endif
#endif

#ifdef GUARDS_BLOCKS
/** In a test build, of exactly the bytes asked for: what is read or written past them is found. */
EXPORT void *rt_alloc(int64_t bytes) {
  void *block = bytes < 0 ? 0 : aligned_take((size_t)block_unit(bytes), (size_t)bytes);
  return block ? memset(block, 0, (size_t)bytes) : 0;
}

EXPORT void rt_free(void *block, int64_t bytes) {
  (void)bytes;
  aligned_release(block);
}
#else
/** Pages that a block of so many bytes takes, in bytes. */
static int64_t block_size(int64_t bytes) { return round_up(bytes > 0 ? bytes : 1, block_unit(bytes)); }

/** A block of negative size, or of more bytes than an address space holds, is refused before the system is asked. */
static int is_possible(int64_t bytes) { return bytes >= 0 && bytes <= (int64_t)1 << 46; }

/** Asks for huge pages where a block is large. */
static void *prefer_huge(void *block, int64_t bytes) {
  if (block_unit(bytes) == HUGE_PAGE) prefer_huge_pages(block, (size_t)block_size(bytes));
  return block;
}

/** Zeroed memory on pages of its own, huge ones where the system grants them; NULL when it is short. */
EXPORT void *rt_alloc(int64_t bytes) {
  if (!is_possible(bytes)) return 0;
  void *block = take_pages((size_t)block_size(bytes), (size_t)block_unit(bytes));
  return block ? prefer_huge(block, bytes) : 0;
}

/** Frees a block that rt_alloc or rt_grow gave for as many bytes. */
EXPORT void rt_free(void *block, int64_t bytes) { release_pages(block, (size_t)block_size(bytes)); }
#endif

/**
 * A block of `grown` bytes in place of one of `bytes`, which is given back; what it holds is not kept. NULL
 * when memory is short, and then the block stays. Where the system can it moves pages that are there
 * already: on a virtual machine a fresh page may cost a hundred times as much as an old one.
 */
EXPORT void *rt_grow(void *block, int64_t bytes, int64_t grown) {
#if defined(MREMAP_FIXED) && !defined(GUARDS_BLOCKS)
  if (block_unit(bytes) == block_unit(grown) && is_possible(grown)) {
    void *place = reserve_pages((size_t)block_size(grown), (size_t)block_unit(grown), PROT_NONE);
    if (!place) return 0;
    void *moved = mremap(block, (size_t)block_size(bytes), (size_t)block_size(grown),
                         MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (moved != MAP_FAILED) return prefer_huge(moved, grown);
    // Then with fresh pages. The place may be somebody else's by now, so that it is not given back.
  }
#endif
  void *fresh = rt_alloc(grown);
  if (fresh) rt_free(block, bytes);
  return fresh;
}

/** Keeps this library in the process, whoever closes it: threads of the pool sleep in its code. */
EXPORT int rt_stay(void) { return library_stay((void *)(uintptr_t)rt_stay); }

/** Loads a library of kernels until the process ends; NULL when the system refuses, rt_error says why. */
EXPORT void *rt_load(const char *path) { return library_open(path); }

/** The address of a kernel of a loaded library; NULL when it has none of this name. */
EXPORT void *rt_symbol(void *library, const char *name) { return library_symbol(library, name); }

/** The last refusal of rt_load in words. */
EXPORT const char *rt_error(void) { return library_error(); }
