/**
 * Vectors for matrix products, written in the vector extensions of GCC and clang. One source serves AVX-512,
 * AVX2, NEON and SSE2. A vector has LANES floats; a register block of C has BLOCK_ROWS rows of BLOCK_VECTORS
 * vectors.
 */
#ifndef GEMM_VECTOR_H
#define GEMM_VECTOR_H
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// BLOCK_SIZES: rows of a full block, then of the ever smaller blocks for the remaining rows.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define GEMM_AVX512 1
#define LANES 16
#define BLOCK_ROWS 14 // 28 of 32 registers hold the block
#define BLOCK_VECTORS 2
#define BLOCK_SIZES(DO) DO(14) DO(8) DO(4) DO(2) DO(1)
#elif defined(__AVX2__) && defined(__FMA__)
#define LANES 8
#define BLOCK_ROWS 6 // 12 of 16
#define BLOCK_VECTORS 2
#define BLOCK_SIZES(DO) DO(6) DO(4) DO(2) DO(1)
#elif defined(__aarch64__)
#define LANES 4
#define BLOCK_ROWS 5 // 20 of 32: compilers load all of a row of B and five words at once
#define BLOCK_VECTORS 4
#define BLOCK_SIZES(DO) DO(5) DO(4) DO(2) DO(1)
#else
#define LANES 4
#define BLOCK_ROWS 6 // 12 of 16
#define BLOCK_VECTORS 2
#define BLOCK_SIZES(DO) DO(6) DO(4) DO(2) DO(1)
#endif
#define BLOCK_COLUMNS (LANES * BLOCK_VECTORS)

#define INLINE static inline __attribute__((always_inline))
/** Placed before a loop with few iterations, a constant number. Without it, sums would not stay in registers. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

typedef uint16_t bf16;
typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef uint32_t Bits __attribute__((vector_size(LANES * 4)));
typedef uint16_t Halves __attribute__((vector_size(LANES * 2)));
typedef float WordAnywhere __attribute__((aligned(2))); // a pair may start at an odd multiple of two bytes
typedef Vector VectorAnywhere __attribute__((aligned(4)));
typedef Halves HalvesAnywhere __attribute__((aligned(2)));

INLINE Vector load(const float *p) { return *(const VectorAnywhere *)p; }
INLINE void store(float *p, Vector v) { *(VectorAnywhere *)p = v; }

/** Converts bfloat16 to float32 exactly. */
INLINE Vector widen(Halves h) { return (Vector)(__builtin_convertvector(h, Bits) << 16); }

/** Converts float32 to bfloat16, to nearest even; NaN stays NaN. */
INLINE Halves narrow(Vector v) {
#if defined(GEMM_AVX512) && defined(__AVX512BF16__)
  return (Halves)_mm512_cvtneps_pbh((__m512)v);
#else
  const Bits bits = (Bits)v, rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const Bits nan = (Bits)(v != v);
  return __builtin_convertvector(((rounded & ~nan) | ((bits | 0x400000) & nan)) >> 16, Halves);
#endif
}

/** Rounds float32 to float16, to nearest even, and converts back. */
INLINE Vector round_f16(Vector v) {
#if defined(GEMM_AVX512)
  return (Vector)_mm512_cvtph_ps(
      _mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#elif LANES == 8 && defined(__F16C__)
  return (Vector)_mm256_cvtph_ps(_mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT));
#else
  // Bitwise. Below the smallest normal float16, adding and subtracting .5 rounds to a multiple of 2^-24.
  const Bits bits = (Bits)v, sign = bits & 0x80000000u, size = bits ^ sign;
  const Vector magnitude = (Vector)size;
  const Bits normal = (size + 0xfff + ((size >> 13) & 1)) & 0xffffe000u;
  const Bits small = (Bits)((magnitude + .5f) - .5f);
  const Bits is_small = (Bits)(magnitude < 6.103515625e-5f), is_large = (Bits)(magnitude >= 65520);
  const Bits finite = (small & is_small) | (normal & ~is_small);
  const Bits number = (finite & ~is_large) | (0x7f800000u & is_large);
  const Bits nan = (Bits)(v != v);
  return (Vector)((bits & nan) | ((number | sign) & ~nan));
#endif
}

INLINE Vector load_bf16(const bf16 *p) { return widen(*(const HalvesAnywhere *)p); }
INLINE void store_bf16(bf16 *p, Vector v) { *(HalvesAnywhere *)p = narrow(v); }

/** A mask of the first `count` lanes. */
#ifdef GEMM_AVX512
INLINE __mmask16 first_lanes(long count) {
  return count >= LANES ? 0xffff : count <= 0 ? 0 : (1u << count) - 1;
}
#endif

/** The first `count` floats at `p`, then zeros; memory beyond them is not accessed. */
INLINE Vector load_some(const float *p, long count) {
#ifdef GEMM_AVX512
  return (Vector)_mm512_maskz_loadu_ps(first_lanes(count), p);
#else
  Vector v = {0};
  for (int i = 0; i < LANES; i++)
    if (i < count) v[i] = p[i];
  return v;
#endif
}

INLINE Vector load_bf16_some(const bf16 *p, long count) {
#ifdef GEMM_AVX512
  return widen((Halves)_mm256_maskz_loadu_epi16(first_lanes(count), p));
#else
  Halves h = {0};
  for (int i = 0; i < LANES; i++)
    if (i < count) h[i] = p[i];
  return widen(h);
#endif
}

INLINE void store_some(float *p, Vector v, long count) {
#ifdef GEMM_AVX512
  _mm512_mask_storeu_ps(p, first_lanes(count), (__m512)v);
#else
  for (int i = 0; i < LANES; i++)
    if (i < count) p[i] = v[i];
#endif
}

INLINE void store_bf16_some(bf16 *p, Vector v, long count) {
  const Halves h = narrow(v);
#ifdef GEMM_AVX512
  _mm256_mask_storeu_epi16(p, first_lanes(count), (__m256i)h);
#else
  for (int i = 0; i < LANES; i++)
    if (i < count) p[i] = h[i];
#endif
}

#endif
