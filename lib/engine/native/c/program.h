/**
 * Programs: the decoded instruction table. The table is a stream of 64-bit words. Each instruction has a head of
 * HEAD_WORDS words, then its pointers (slot * 2^48 + byte offset, or -1 for NULL) and its numbers.
 */
#ifndef PROGRAM_H
#define PROGRAM_H
#include "pool/partition.h"
#include "matmul/gemm.h"
#include <stdatomic.h>
#include <stdint.h>

enum Opcode {
  OP_KERNEL,
  OP_GEMM,
  OP_SCATTER,
  OP_PAD,
  OP_COMBINE,
  OP_COPY,
  OP_REDUCE,
  OP_ARG_REDUCE,
  OP_CONCAT,
  OP_INTEGER_MATMUL,
  OP_TOP,
  OPCODES
};

/**
 * Words of an instruction's head. If the head of a matrix product contains a kernel, the kernel is its epilogue:
 * HEAD_ROWS is then the number of rows of C, HEAD_UNIT the kernel's iterations per row, and the kernel's pointers and
 * numbers follow those of the product.
 */
enum Head {
  HEAD_LENGTH, // number of words of the instruction
  HEAD_OPCODE,
  HEAD_BARRIER, // 1: all threads wait for each other before the instruction
  HEAD_TAG,     // ignored; identifies the instruction in profiles
  HEAD_POINTERS,
  HEAD_NUMBERS,
  HEAD_ROWS, // iterations of a kernel, partitioned among threads
  HEAD_UNIT, // row ranges are cut at multiples of it
  HEAD_KERNEL,
  HEAD_FLAGS,
  HEAD_WORDS
};

/**
 * Flag of a kernel with one result per chunk: it runs for all MAX_CHUNKS (partition.h) chunks of every thread, also for
 * those without rows.
 */
enum { EVERY_CHUNK = 1 };

/** A generated kernel: runs rows [first, end), with the scratch memory of the calling thread. */
typedef void (*Kernel)(char *const *pointers, const int64_t *numbers, long first, long end, char *scratch);

/** The head of a thread's scratch memory; the data begin at SCRATCH_HEAD. */
typedef struct {
  int32_t chunk; // index of the current chunk, independent of the thread that runs it
  int32_t fault; // set by a kernel that found an index out of range
} Scratch;
enum { SCRATCH_HEAD = 64 };

typedef struct {
  int opcode, barrier, pointer_count;
  int64_t rows, unit, flags;
  Kernel kernel;
  Partition partition; // of a kernel's rows
  Gemm *matmul;
  int64_t *places; // encoded pointers: slot * 2^48 + byte offset, or -1
  char **pointers; // addresses in the current run
  int64_t *numbers;
} Instruction;

typedef struct {
  int64_t count, runs;
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
