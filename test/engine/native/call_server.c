/**
 * Server process of emulated_process.ts: reads requests from standard input until it ends and answers on standard output.
 * It first sends four int64 words, the addresses of dlopen, dlsym, aligned_alloc and free, for loading libraries and
 * allocating memory. A request has ten words: the request type, an address, and
 *   CALL   eight arguments                 the answer is one word, the return value
 *   WRITE  a number of bytes, which follow; no answer
 *   READ   a number of bytes               the answer is the bytes at the address
 * Return values of narrower types are in the lower bits of the word.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CALL, WRITE, READ };
typedef int64_t (*Function)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);

static void read_all(void *data, size_t bytes) {
  if (bytes && fread(data, 1, bytes, stdin) != bytes) exit(0);
}

static void answer(const void *data, size_t bytes) {
  if (fwrite(data, 1, bytes, stdout) != bytes || fflush(stdout)) exit(1);
}

int main(void) {
  const int64_t greeting[] = {(intptr_t)dlopen, (intptr_t)dlsym, (intptr_t)aligned_alloc, (intptr_t)free};
  answer(greeting, sizeof greeting);
  for (;;) {
    int64_t words[10];
    read_all(words, sizeof words);
    const int64_t *a = words + 2;
    void *address = (void *)(intptr_t)words[1];
    if (words[0] == CALL) {
      int64_t result = ((Function)(intptr_t)words[1])(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
      answer(&result, sizeof result);
    } else if (words[0] == WRITE) {
      read_all(address, (size_t)a[0]);
    } else if (words[0] == READ) {
      answer(address, (size_t)a[0]);
    } else {
      return 1;
    }
  }
}
