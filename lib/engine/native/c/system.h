/**
 * Operating system interface of the runtime: aligned memory, pages, shared libraries, processors, signals.
 * All differences between Linux, macOS and Windows are in this file and in sleep.h.
 */
#ifndef SYSTEM_H
#define SYSTEM_H
#if defined(__linux__) && !defined(_GNU_SOURCE)
#error "Cannot compile without -D_GNU_SOURCE: the C library hides dladdr and sched_getaffinity"
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <stdio.h>
#include <windows.h>

/** Memory aligned to `alignment`, a power of two; NULL if memory is short. Free it with aligned_release. */
static inline void *aligned_allocate(size_t alignment, size_t bytes) {
  return _aligned_malloc(bytes ? bytes : 1, alignment);
}

static inline void aligned_release(void *memory) { _aligned_free(memory); }

/** Zeroed pages, aligned to 64 KiB on Windows; NULL if memory is short. */
static inline void *allocate_pages(size_t bytes, size_t alignment) {
  (void)alignment;
  return VirtualAlloc(0, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

/** Releases all pages of one call of allocate_pages. */
static inline void release_pages(void *memory, size_t bytes) {
  (void)bytes;
  VirtualFree(memory, 0, MEM_RELEASE);
}

/** Windows grants huge pages only to privileged accounts. */
static inline void prefer_huge_pages(void *memory, size_t bytes) { (void)memory, (void)bytes; }

static inline void *library_open(const char *path) { return (void *)LoadLibraryA(path); }

static inline void *library_symbol(void *library, const char *name) {
  return (void *)(uintptr_t)GetProcAddress((HMODULE)library, name);
}

/** Message for the calling thread's last error. */
static inline const char *library_error(void) {
  static char text[256];
  DWORD code = GetLastError();
  if (!FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, 0, code, 0, text, sizeof text, 0))
    snprintf(text, sizeof text, "Windows error %lu", (unsigned long)code);
  return text;
}

/** Keeps the library that contains `address` loaded until the process ends; 0 on failure. */
static inline int library_pin(void *address) {
  HMODULE library;
  return GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCSTR)address,
                            &library);
}

/** Number of processors that this process may use. */
static inline int count_processors(void) {
  DWORD_PTR process, system;
  if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system) && process)
    return __builtin_popcountll((unsigned long long)process);
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return (int)info.dwNumberOfProcessors;
}

/** Signal mask of the calling thread; Windows has no signals to block. */
typedef int SignalMask;
static inline SignalMask block_signals(void) { return 0; }
static inline void restore_signals(SignalMask before) { (void)before; }

#else
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

/** Memory aligned to `alignment`, a power of two; NULL if memory is short. Free it with aligned_release. */
static inline void *aligned_allocate(size_t alignment, size_t bytes) {
  void *memory;
  return posix_memalign(&memory, alignment, bytes) == 0 ? memory : 0;
}

static inline void aligned_release(void *memory) { free(memory); }

/** Address range aligned to `alignment` with the given access (PROT_*); NULL on failure. */
static inline void *reserve_pages(size_t bytes, size_t alignment, int access) {
  const size_t all = bytes + alignment;
  char *memory = mmap(0, all, access, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (memory == MAP_FAILED) return 0;
  char *block = (char *)(((uintptr_t)memory + alignment - 1) / alignment * alignment);
  if (block > memory) munmap(memory, (size_t)(block - memory));
  const size_t rest = (size_t)(memory + all - (block + bytes));
  if (rest > 0) munmap(block + bytes, rest);
  return block;
}

/** Zeroed pages aligned to `alignment`; NULL if memory is short. */
static inline void *allocate_pages(size_t bytes, size_t alignment) {
  return reserve_pages(bytes, alignment, PROT_READ | PROT_WRITE);
}

static inline void release_pages(void *memory, size_t bytes) { munmap(memory, bytes); }

/** Asks the system for huge pages; it may not grant them. */
static inline void prefer_huge_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}

/** Loads a library that stays loaded until the process ends; NULL on failure, see library_error. */
static inline void *library_open(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE); }

static inline void *library_symbol(void *library, const char *name) { return dlsym(library, name); }

/** Message for the last failure of library_open. */
static inline const char *library_error(void) {
  const char *error = dlerror();
  return error ? error : "unknown reason";
}

/** Keeps the library that contains `address` loaded until the process ends; 0 on failure. */
static inline int library_pin(void *address) {
  Dl_info info;
  return dladdr(address, &info) && dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

/** Number of processors that this process may use. */
static inline int count_processors(void) {
#ifdef __linux__
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}

/** Blocks all signals of the calling thread and of threads that it creates; returns the previous mask. */
typedef sigset_t SignalMask;
static inline SignalMask block_signals(void) {
  SignalMask all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  return before;
}
static inline void restore_signals(SignalMask before) { pthread_sigmask(SIG_SETMASK, &before, 0); }
#endif

#endif
