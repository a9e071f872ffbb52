/* Memory and shared libraries for Deno: page-aligned blocks, and the addresses of generated kernels. */
#include "system.h"
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { PAGE = 16384, HUGE_PAGE = 1 << 21 };

static int64_t round_up(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

/** The alignment of a block, and the unit of its size: blocks of several megabytes use huge pages. */
static int64_t block_unit(int64_t bytes) { return bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : PAGE; }

#if defined(__SANITIZE_ADDRESS__)
#define GUARDS_BLOCKS 1
#elif defined(__has_feature) // the equivalent in clang
#if __has_feature(address_sanitizer)
#define GUARDS_BLOCKS 1
#endif
#endif

#ifdef GUARDS_BLOCKS
/** In a build with AddressSanitizer, blocks have exactly the requested size, so accesses past their end are found. */
EXPORT void *rt_alloc(int64_t bytes) {
  void *block = bytes < 0 ? 0 : aligned_allocate((size_t)block_unit(bytes), (size_t)bytes);
  return block ? memset(block, 0, (size_t)bytes) : 0;
}

EXPORT void rt_free(void *block, int64_t bytes) {
  (void)bytes;
  aligned_release(block);
}
#else
/** Size in bytes of the pages of a block of `bytes` bytes. */
static int64_t block_size(int64_t bytes) { return round_up(bytes > 0 ? bytes : 1, block_unit(bytes)); }

/** False for negative sizes and sizes beyond the address space, which are refused without asking the system. */
static int is_possible(int64_t bytes) { return bytes >= 0 && bytes <= (int64_t)1 << 46; }

/** Asks for huge pages if the block is large. */
static void *prefer_huge(void *block, int64_t bytes) {
  if (block_unit(bytes) == HUGE_PAGE) prefer_huge_pages(block, (size_t)block_size(bytes));
  return block;
}

/** Zeroed, page-aligned memory, on huge pages if the system grants them. NULL if memory is short. */
EXPORT void *rt_alloc(int64_t bytes) {
  if (!is_possible(bytes)) return 0;
  void *block = allocate_pages((size_t)block_size(bytes), (size_t)block_unit(bytes));
  return block ? prefer_huge(block, bytes) : 0;
}

/** Frees a block of `bytes` bytes that rt_alloc or rt_grow returned. */
EXPORT void rt_free(void *block, int64_t bytes) { release_pages(block, (size_t)block_size(bytes)); }
#endif

/**
 * Replaces a block of `bytes` bytes by one of `grown` bytes. The contents are not preserved. Returns NULL if
 * memory is short; the old block then stays valid. If the system supports it, existing pages are moved: on a
 * virtual machine, a fresh page may cost a hundred times as much as a page that is already mapped.
 */
EXPORT void *rt_grow(void *block, int64_t bytes, int64_t grown) {
#if defined(MREMAP_FIXED) && !defined(GUARDS_BLOCKS)
  if (block_unit(bytes) == block_unit(grown) && is_possible(grown)) {
    void *place = reserve_pages((size_t)block_size(grown), (size_t)block_unit(grown), PROT_NONE);
    if (!place) return 0;
    void *moved = mremap(block, (size_t)block_size(bytes), (size_t)block_size(grown),
                         MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (moved != MAP_FAILED) return prefer_huge(moved, grown);
    // Fall back to fresh pages. The reserved pages are not released: the address range may be in use again.
  }
#endif
  void *fresh = rt_alloc(grown);
  if (fresh) rt_free(block, bytes);
  return fresh;
}

/** Keeps this library loaded until the process ends, since threads of the pool sleep in its code. */
EXPORT int rt_pin(void) { return library_pin((void *)(uintptr_t)rt_pin); }

/** Loads a library of kernels until the process ends. Returns NULL on failure; rt_error then returns the reason. */
EXPORT void *rt_load(const char *path) { return library_open(path); }

/** Address of a kernel in a loaded library; NULL if the library has no symbol of this name. */
EXPORT void *rt_symbol(void *library, const char *name) { return library_symbol(library, name); }

/** Reason of the last failure of rt_load. */
EXPORT const char *rt_error(void) { return library_error(); }
