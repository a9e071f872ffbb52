/*
 * The dropout mask of lib/engine/dropout_mask.ts, bit for bit. The element at row r and column c is kept if
 * z (2z + 1) < threshold (signed, with wrap-around), with z = rho(r) + gamma(c), both hashes of a counter.
 */
#ifndef VEC_DROPOUT_H
#define VEC_DROPOUT_H

/* The finalizer of MurmurHash3. */
FN uint32_t mix32(uint32_t h) {
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

/* out[i] = mix32(start + i) for i < n. */
FN void hash_indices(int32_t *out, uint32_t start, long n) {
  long i = 0;
  for (; i + LANES <= n; i += LANES) {
    I h = i_add(i_set(start + (uint32_t)i), i_count());
    h = i_mul(i_xor(h, i_shift_right(h, 16)), i_set(0x85ebca6bu));
    h = i_mul(i_xor(h, i_shift_right(h, 13)), i_set(0xc2b2ae35u));
    stI(out + i, i_xor(h, i_shift_right(h, 16)));
  }
  for (; i < n; i++) out[i] = (int32_t)mix32(start + (uint32_t)i);
}

/* `scale` in kept lanes, else 0. gamma holds the hashes of LANES columns, rho is the hash of the row. */
FN V v_dropmask(I gamma, uint32_t rho, int32_t threshold, float scale) {
  I z = i_add(gamma, i_set(rho));
  I product = i_mul(z, i_add(i_add(z, z), i_set(1)));
  return keep(i_lt(product, i_set((uint32_t)threshold)), S(scale));
}

#endif
