/* Tiles of 6 x 16: 12 sums, two vectors of B and one of A in 16 registers. */
#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define VEC static inline __attribute__((always_inline)) TARGET
typedef __m256 vec;
typedef __m256i vec_mask;
enum { WIDTH = 8, TILE_ROWS = 6, NARROW_ROWS = 12 };
#define NARROW_ROWS_12

VEC vec vec_zero(void) { return _mm256_setzero_ps(); }
VEC vec vec_load(const float *from) { return _mm256_loadu_ps(from); }
VEC vec vec_load_masked(const float *from, vec_mask mask) { return _mm256_maskload_ps(from, mask); }
VEC void vec_store(float *to, vec value) { _mm256_storeu_ps(to, value); }
VEC void vec_store_masked(float *to, vec value, vec_mask mask) { _mm256_maskstore_ps(to, mask, value); }
VEC vec vec_broadcast(const float *from) { return _mm256_broadcast_ss(from); }
VEC vec vec_add(vec x, vec y) { return _mm256_add_ps(x, y); }
VEC vec vec_multiply_add(vec x, vec y, vec z) { return _mm256_fmadd_ps(x, y, z); }
VEC vec_mask vec_mask_of(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#include "kernels/native_tile.h"

TARGET static void transpose(const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row) {
  __m256 pair[8], four[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    const __m256 upper = vec_load(from + i * from_row), lower = vec_load(from + (i + 1) * from_row);
    pair[i] = _mm256_unpacklo_ps(upper, lower);
    pair[i + 1] = _mm256_unpackhi_ps(upper, lower);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
    four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    vec_store(to + i * to_row, _mm256_permute2f128_ps(four[i], four[4 + i], 0x20));
    vec_store(to + (4 + i) * to_row, _mm256_permute2f128_ps(four[i], four[4 + i], 0x31));
  }
}

const native_kernels native_avx2 = {TILE_ROWS, VECTORS *WIDTH, NARROW_ROWS, WIDTH, tile_run, transpose};

#else
typedef int not_built; /* C requires a declaration in each file */
#endif
