/* Tiles of 14 x 32: 28 sums, two vectors of B and one of A in 32 registers. */
#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define VEC static inline __attribute__((always_inline)) TARGET
typedef __m512 vec;
typedef __mmask16 vec_mask;
enum { WIDTH = 16, TILE_ROWS = 14, NARROW_ROWS = TILE_ROWS };
#define TILE_ROWS_14

VEC vec vec_zero(void) { return _mm512_setzero_ps(); }
VEC vec vec_load(const float *from) { return _mm512_loadu_ps(from); }
VEC vec vec_load_masked(const float *from, vec_mask mask) { return _mm512_maskz_loadu_ps(mask, from); }
VEC void vec_store(float *to, vec value) { _mm512_storeu_ps(to, value); }
VEC void vec_store_masked(float *to, vec value, vec_mask mask) { _mm512_mask_storeu_ps(to, mask, value); }
VEC vec vec_broadcast(const float *from) { return _mm512_set1_ps(*from); }
VEC vec vec_add(vec x, vec y) { return _mm512_add_ps(x, y); }
VEC vec vec_multiply_add(vec x, vec y, vec z) { return _mm512_fmadd_ps(x, y, z); }
VEC vec_mask vec_mask_of(int count) { return (vec_mask)((1u << count) - 1); }

#include "kernels/native_tile.h"

/* Transposes the 4 x 4 blocks within groups of four rows, then rearranges the blocks. */
TARGET static void transpose(const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row) {
  __m512 part[16], mixed[16];
#pragma GCC unroll 4
  for (int g = 0; g < 4; g++) {
    const __m512 r0 = vec_load(from + (4 * g) * from_row), r1 = vec_load(from + (4 * g + 1) * from_row);
    const __m512 r2 = vec_load(from + (4 * g + 2) * from_row), r3 = vec_load(from + (4 * g + 3) * from_row);
    const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(r0, r1)),
                  low23 = _mm512_castps_pd(_mm512_unpacklo_ps(r2, r3));
    const __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(r0, r1)),
                  high23 = _mm512_castps_pd(_mm512_unpackhi_ps(r2, r3));
    /* part[4 g + c]: in its 128-bit lane q, column 4 q + c of rows 4 g to 4 g + 3. */
    part[4 * g] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
    part[4 * g + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
    part[4 * g + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
    part[4 * g + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; c++) {
    const __m512 even01 = _mm512_shuffle_f32x4(part[c], part[4 + c], 0x88),
                 odd01 = _mm512_shuffle_f32x4(part[c], part[4 + c], 0xdd);
    const __m512 even23 = _mm512_shuffle_f32x4(part[8 + c], part[12 + c], 0x88),
                 odd23 = _mm512_shuffle_f32x4(part[8 + c], part[12 + c], 0xdd);
    mixed[c] = _mm512_shuffle_f32x4(even01, even23, 0x88);     /* column c */
    mixed[8 + c] = _mm512_shuffle_f32x4(even01, even23, 0xdd); /* column 8 + c */
    mixed[4 + c] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);   /* column 4 + c */
    mixed[12 + c] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);  /* column 12 + c */
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) vec_store(to + i * to_row, mixed[i]);
}

const native_kernels native_avx512 = {TILE_ROWS, VECTORS *WIDTH, NARROW_ROWS, WIDTH, tile_run, transpose};

#else
typedef int not_built; /* C requires a declaration in each file */
#endif
