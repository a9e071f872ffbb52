#include "program.h"
#include "operations/operations.h"
#include "system.h"
#include <stdlib.h>
#include <string.h>

/** Minimum number of pointers and numbers of each opcode. */
static const struct {
  int pointers, numbers;
} NEEDS[OPCODES] = {
    [OP_KERNEL] = {0, 0}, [OP_MATMUL] = {MATMUL_POINTERS, GEMM_NUMBERS}, [OP_SCATTER] = {3, 4},
    [OP_PAD] = {2, 3},    [OP_COMBINE] = {2, 2},         [OP_COPY] = {2, 3},
    [OP_REDUCE] = {2, 4}, [OP_ARG_REDUCE] = {2, 4},      [OP_CONCAT] = {1, 2},
    [OP_TOP] = {2, 4},    [OP_INTEGER_MATMUL] = {3, 8},
};

static int is_element_size(int64_t bytes) {
  return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

static int all_non_negative(const int64_t *numbers, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (numbers[i] < 0) return 0;
  return 1;
}

int matmul_pointers(const int64_t *numbers) { return numbers[GEMM_FLAGS] & GEMM_PERSISTENT_B ? MATMUL_POINTERS + 1 : MATMUL_POINTERS; }

/** True if a matrix product has no words beyond its own, or an epilogue over all of its rows. */
static int has_epilogue_or_none(const int64_t *head) {
  const int64_t *numbers = head + HEAD_WORDS + head[HEAD_POINTERS];
  if (!head[HEAD_KERNEL])
    return head[HEAD_NUMBERS] == GEMM_NUMBERS && head[HEAD_POINTERS] == matmul_pointers(numbers);
  int64_t rows;
  return !__builtin_mul_overflow(numbers[GEMM_OUTER_ITEMS], numbers[GEMM_INNER_ITEMS], &rows) &&
         !__builtin_mul_overflow(rows, numbers[GEMM_M], &rows) && rows == head[HEAD_ROWS] &&
         head[HEAD_UNIT] >= 1;
}

/** True if x fits into y along each axis of a padding (elements before x, of x, of y). */
static int padding_fits(const int64_t *axes, int64_t rank) {
  for (int64_t k = 0; k < rank; k++)
    if (axes[3 * k] > axes[3 * k + 2] || axes[3 * k + 1] > axes[3 * k + 2] - axes[3 * k]) return 0;
  return 1;
}

/** True if the numbers of an operation are valid and agree with their count and the number of pointers. */
static int fits(int64_t opcode, const int64_t *numbers, int64_t count, int64_t pointers) {
  switch (opcode) {
  case OP_MATMUL:
    return pointers >= matmul_pointers(numbers);
  case OP_SCATTER:
  case OP_COMBINE:
  case OP_INTEGER_MATMUL:
    return all_non_negative(numbers, count);
  case OP_PAD:
    return numbers[0] >= 0 && numbers[0] <= MAX_RANK && count == 3 + 3 * numbers[0] &&
           is_element_size(numbers[1]) && all_non_negative(numbers + 3, count - 3) &&
           padding_fits(numbers + 3, numbers[0]);
  case OP_COPY:
    return is_element_size(numbers[0]) && numbers[2] >= 0 && numbers[2] <= MAX_DIGITS &&
           count == 3 + 2 * numbers[2];
  case OP_REDUCE:
    return all_non_negative(numbers, count) && numbers[0] < 2 * REDUCE_KINDS;
  case OP_ARG_REDUCE:
    return all_non_negative(numbers, count) && numbers[0] < 2 * ARG_REDUCE_KINDS;
  case OP_CONCAT:
    return is_element_size(numbers[0]) && all_non_negative(numbers, count) && count == 2 + pointers - 1;
  case OP_TOP:
    return all_non_negative(numbers, count) && numbers[0] < 2 && numbers[2] <= INT32_MAX && numbers[3] >= 1 &&
           numbers[3] <= numbers[2];
  default:
    return 1;
  }
}

/** True if the words [head, head + left) begin with a well-formed instruction. */
static int is_instruction(const int64_t *head, int64_t left) {
  if (left < HEAD_WORDS) return 0;
  int64_t opcode = head[HEAD_OPCODE], pointers = head[HEAD_POINTERS], numbers = head[HEAD_NUMBERS];
  if (opcode < 0 || opcode >= OPCODES || pointers < 0 || numbers < 0) return 0;
  if (pointers > left || numbers > left) return 0;
  if (head[HEAD_LENGTH] != HEAD_WORDS + pointers + numbers || head[HEAD_LENGTH] > left) return 0;
  if (pointers < NEEDS[opcode].pointers || numbers < NEEDS[opcode].numbers) return 0;
  for (int64_t i = 0; i < pointers; i++)
    if (head[HEAD_WORDS + i] < -1) return 0;
  if (opcode == OP_KERNEL && (!head[HEAD_KERNEL] || head[HEAD_ROWS] < 0 || head[HEAD_UNIT] < 1)) return 0;
  if (!fits(opcode, head + HEAD_WORDS + pointers, numbers, pointers)) return 0;
  return opcode != OP_MATMUL || has_epilogue_or_none(head);
}

/** Number of instructions in a table; adds the number of their pointers to `pointers`. -1 if the table is malformed. */
static int64_t count_instructions(const int64_t *words, int64_t count, int64_t *pointers) {
  int64_t instructions = 0;
  for (int64_t at = 0; at < count; at += words[at + HEAD_LENGTH], instructions++) {
    if (!is_instruction(words + at, count - at)) return -1;
    *pointers += words[at + HEAD_POINTERS];
  }
  return instructions;
}

/** Zeroed memory, at least one byte; NULL only if memory is short. */
static void *allocate(int64_t bytes) { return calloc(1, bytes > 0 ? (size_t)bytes : 1); }

/** Allocates the scratch memory of all threads, page-aligned for each thread, and fills in its heads. */
static int allocate_scratch(Program *program, int64_t bytes, int threads) {
  program->scratch_stride = (SCRATCH_HEAD + bytes + 4095) / 4096 * 4096;
  program->scratch = aligned_allocate(4096, (size_t)(program->scratch_stride * threads));
  if (!program->scratch) return 0;
  for (int t = 0; t < threads; t++)
    *(Scratch *)(program->scratch + t * program->scratch_stride) = (Scratch){0, 0};
  return 1;
}

Program *program_decode(const int64_t *words, int64_t count, int64_t scratch_bytes, int threads) {
  int64_t pointers = 0, instructions = count_instructions(words, count, &pointers);
  if (instructions < 0 || scratch_bytes < 0) return 0;
  Program *program = allocate(sizeof *program);
  if (!program) return 0;
  program->words = allocate(count * 8);
  program->instructions = allocate(instructions * (int64_t)sizeof(Instruction));
  program->pointers = allocate(pointers * (int64_t)sizeof(char *));
  program->seconds = allocate(2 * instructions * 8);
  int complete = program->words && program->instructions && program->pointers && program->seconds &&
                 allocate_scratch(program, scratch_bytes, threads);
  if (complete && count > 0) memcpy(program->words, words, (size_t)count * 8);
  char **next = program->pointers;
  for (int64_t at = 0; complete && at < count; at += program->words[at + HEAD_LENGTH]) {
    int64_t *head = program->words + at;
    Instruction *instruction = program->instructions + program->count++;
    *instruction = (Instruction){
        .opcode = (int)head[HEAD_OPCODE],
        .barrier = head[HEAD_BARRIER] != 0,
        .pointer_count = (int)head[HEAD_POINTERS],
        .rows = head[HEAD_ROWS],
        .unit = head[HEAD_UNIT],
        .flags = head[HEAD_FLAGS],
        .kernel = (Kernel)(uintptr_t)head[HEAD_KERNEL],
        .places = head + HEAD_WORDS,
        .pointers = next,
        .numbers = head + HEAD_WORDS + head[HEAD_POINTERS],
    };
    next += instruction->pointer_count;
    if (instruction->opcode == OP_MATMUL) {
      instruction->matmul = gemm_plan(instruction->numbers, threads);
      complete = instruction->matmul != 0;
    } else if (instruction->opcode == OP_KERNEL) {
      complete = partition_make(&instruction->partition, instruction->rows, instruction->unit,
                           instruction->unit, threads);
    }
  }
  if (complete) return program;
  program_release(program);
  return 0;
}

void program_release(Program *program) {
  for (int64_t i = 0; i < program->count; i++) {
    gemm_release(program->instructions[i].matmul);
    partition_free(&program->instructions[i].partition);
  }
  free(program->words);
  free(program->instructions);
  free(program->pointers);
  aligned_release(program->scratch);
  free(program->seconds);
  free(program);
}
