/** Programs: decoded instruction tables, which are streams of 64-bit words (abi.h). */
#ifndef PROGRAM_H
#define PROGRAM_H
#include "abi.h"
#include "pool/partition.h"
#include "matmul/gemm.h"
#include <stdatomic.h>
#include <stdint.h>

/** A generated kernel: runs rows [first, end), with the scratch memory of the calling thread. */
typedef void (*Kernel)(char *const *pointers, const int64_t *numbers, long first, long end, char *scratch);

typedef struct {
  int opcode, barrier, pointer_count;
  int64_t rows, unit, flags;
  Kernel kernel;
  Partition partition; // of a kernel's rows
  Gemm *matmul;
  int64_t *places; // encoded pointers
  char **pointers; // addresses in the current run
  int64_t *numbers;
} Instruction;

typedef struct {
  int64_t count;
  Instruction *instructions;
  int64_t *words;  // copy of the table
  char **pointers; // of all instructions
  char *scratch;   // of all threads, scratch_stride bytes apart
  int64_t scratch_stride;
  double *seconds;  // of each instruction, then of the epilogue of each instruction
  atomic_llong fault; // 1 + index of the first instruction of the current run that found an index out of range, or 0
} Program;

/** Number of pointers of the matrix product itself, from its numbers; the pointers of an epilogue follow them. */
int matmul_pointers(const int64_t *numbers);

/** Decodes a table. NULL if it is malformed or memory is short. */
Program *program_decode(const int64_t *words, int64_t count, int64_t scratch_bytes, int threads);

void program_release(Program *program);

#endif
