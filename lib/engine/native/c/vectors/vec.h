/*
 * The vector operations of generated kernels, for one instruction set.
 *
 * A vector has LANES lanes. `V` holds floats and has the operators + - * /; `B` is a mask, one boolean per
 * lane; `I` holds 32-bit integers; `bf16` is the storage type of a bfloat16. Functions ending in `m` take a mask
 * first: lanes outside it are not accessed in memory and read as 0.
 *
 *   S(x)                      x in every lane
 *   ld ldb ldw ldq            load float, bf16, int32 (as bits), uint8;             ldm ldbm ldwm ldqm
 *   st stb stw stq            store float, bf16 (to nearest even, NaN stays), int32 (bits), uint8
 *                             (0 or 1);                                             stm stbm stwm stqm
 *   tail(n)                   mask of the first n lanes;  m_and m_or m_not: masks;  m_any: true if any lane is
 *   sel(mask, then, else)     keep(mask, v): 0 in other lanes
 *   lane0 hsum hmax hmin      one float from a vector; hmax and hmin propagate NaN
 *   v_gt v_ge v_lt v_le v_eq v_ne (with NaN only v_ne is true);  m2f: 1 or 0;  f2m: not equal to 0 (true for NaN)
 *   v_max v_min (propagate NaN of either operand) v_neg v_abs v_sign (0 for NaN) v_copysign
 *   v_floor v_ceil v_round (half to even) v_sqrt v_rsqrt v_rcp (correctly rounded divisions) v_fma(a, b, c)
 *   v_exp v_log v_erf v_tanh v_sin v_cos v_pow         accuracies: vec_math.h
 *   v_rbf v_rhf               round to bfloat16 or float16 and back
 *   w_set w_add …             32-bit integers stored in the bits of a V:           vec_integer.h
 *   iota(c)                   c, c + 1, … as floats
 *   b2f f2b                   convert bfloat16 scalars
 *   mix32 hash_indices ldI v_dropmask                  dropout: vec_dropout.h
 *   set_fault(T)              reports an index out of range; T is the kernel's scratch memory
 *
 * If the processor's bfloat16 conversion is used, denormal floats round to 0.
 */
#ifndef VEC_H
#define VEC_H

#include "abi.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

#define FN static inline __attribute__((always_inline, unused))

typedef uint16_t bf16;

/* Converts a bfloat16 to float: its bits are the upper half of the float's bits. */
FN float b2f(bf16 x) {
  union {
    uint32_t bits;
    float value;
  } u = {.bits = (uint32_t)x << 16};
  return u.value;
}

/* Rounds a float to bfloat16, half to even; NaN becomes a quiet NaN. */
FN bf16 f2b(float x) {
  union {
    float value;
    uint32_t bits;
  } u = {.value = x};
  if (x != x) return (bf16)(u.bits >> 16 | 0x40);
  return (bf16)((u.bits + 0x7fff + (u.bits >> 16 & 1)) >> 16);
}

/* Records an index out of range in a kernel's scratch memory; the run then reports the instruction. */
FN void set_fault(char *scratch) { ((volatile Scratch *)scratch)->fault = 1; }

#if defined(VEC_GENERIC)
#include "vec_generic.h"
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include "vec_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "vec_avx2.h"
#else
#include "vec_generic.h"
#endif

#include "vec_math.h"
#include "vec_dropout.h"
#include "vec_integer.h"

#endif
