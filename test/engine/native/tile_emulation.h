/** The AMX instructions in plain C, for testing the tile path on a CPU without them. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

static _Thread_local struct {
  uint8_t configured;
  uint32_t words[16][16];
} emulated_tile[8];

static inline void emulate_config(const void *config) {
  const uint8_t *rows = (const uint8_t *)config + 48;
  for (int t = 0; t < 8; t++) emulated_tile[t].configured = rows[t] == 16;
}
static inline void emulate_load(int t, const void *data, long stride) {
  if (!emulated_tile[t].configured) __builtin_trap();
  for (int i = 0; i < 16; i++)
    memcpy(emulated_tile[t].words[i], (const char *)data + i * stride, 64);
}
static inline void emulate_store(int t, void *data, long stride) {
  for (int i = 0; i < 16; i++) memcpy((char *)data + i * stride, emulated_tile[t].words[i], 64);
}
static inline float emulated_value(uint32_t bits) {
  float f;
  memcpy(&f, &bits, 4);
  return f;
}
static inline void emulate_multiply(int c, int a, int b) {
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) {
      float sum = emulated_value(emulated_tile[c].words[i][j]);
      for (int k = 0; k < 16; k++) {
        const uint32_t x = emulated_tile[a].words[i][k], y = emulated_tile[b].words[k][j];
        sum += emulated_value(x << 16) * emulated_value(y << 16);
        sum += emulated_value(x & 0xffff0000) * emulated_value(y & 0xffff0000);
      }
      memcpy(&emulated_tile[c].words[i][j], &sum, 4);
    }
}
#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig(config) emulate_config(config)
#define _tile_release() memset(emulated_tile, 0, sizeof emulated_tile)
#define _tile_zero(t) memset(emulated_tile[t].words, 0, sizeof emulated_tile[t].words)
#define _tile_loadd(t, data, stride) emulate_load(t, data, stride)
#define _tile_stored(t, data, stride) emulate_store(t, data, stride)
#define _tile_dpbf16ps(c, a, b) emulate_multiply(c, a, b)
