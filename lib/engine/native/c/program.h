/**
 * Programs: the instruction table as the runtime keeps it. The table is a stream of 64-bit words, for each
 * instruction a head of HEAD_WORDS, then its pointers (slot * 2^48 + byte offset, or -1 for none) and its
 * numbers.
 */
#ifndef PROGRAM_H
#define PROGRAM_H
#include "partition.h"
#include "gemm.h"
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
 * Words of an instruction's head. A product whose head names a kernel has it as its epilogue: HEAD_ROWS are
 * the rows of C, HEAD_UNIT what the kernel counts as one of them, and the kernel's pointers and numbers follow
 * the product's own.
 */
enum Head {
  HEAD_LENGTH, // words of the instruction in all
  HEAD_OPCODE,
  HEAD_BARRIER, // 1: all threads wait for each other before it
  HEAD_TAG,     // for profiles only
  HEAD_POINTERS,
  HEAD_NUMBERS,
  HEAD_ROWS, // iterations of a kernel, dealt out to threads
  HEAD_UNIT, // row ranges are cut at multiples of it
  HEAD_KERNEL,
  HEAD_FLAGS,
  HEAD_WORDS
};

/**
 * A flag: the kernel makes something of each part of the rows, and runs for all PARTS (partition.h) times the
 * threads of them, be there rows or not.
 */
enum { ALL_PARTS = 1 };

/** A generated kernel: rows [first, end), with the scratch memory of the thread that runs it. */
typedef void (*Kernel)(char *const *pointers, const int64_t *numbers, long first, long end, char *scratch);

/** The head of a thread's scratch memory; its own data begin at SCRATCH_HEAD. */
typedef struct {
  int32_t part; // number of the rows that it is at, the same whoever does them
  int32_t fault; // set by a kernel that met an index out of range
} Scratch;
enum { SCRATCH_HEAD = 64 };

typedef struct {
  int opcode, barrier, pointer_count;
  int64_t rows, unit, flags;
  Kernel kernel;
  Partition partition; // of a kernel's rows
  Gemm *product;
  int64_t *places; // where the pointers come from
  char **pointers; // of the current run
  int64_t *numbers;
} Instruction;

typedef struct {
  int64_t count, runs;
  Instruction *instructions;
  int64_t *words;  // the table's copy
  char **pointers; // of all instructions
  char *scratch;   // one piece a thread
  int64_t scratch_stride;
  double *seconds;  // of each instruction, and then of the epilogue of each
  atomic_llong fault; // 1 + index of the first instruction at fault in the current run, or 0
} Program;

/** Pointers of a product itself, from its numbers; those of an epilogue come after them. */
int product_pointers(const int64_t *numbers);

/** Decodes a table; NULL when it is malformed or memory is short. */
Program *program_decode(const int64_t *words, int64_t count, int64_t scratch_bytes, int threads);

void program_release(Program *program);

#endif
