/* The tile of the native back end: C (rows, columns) = A (rows, depth) B (depth, columns), its sums in registers. Each
 * element is one chain of fused multiply-adds in ascending order of depth, from 0, so its bits depend neither on the
 * instruction set nor on how a product is cut into tiles.
 *
 * Each instruction set has a file that includes this one and defines TARGET, the vector type vec of WIDTH floats and
 * its operations (vec_*), the mask type vec_mask of its first elements, TILE_ROWS and NARROW_ROWS (at most 14):
 * TILE_ROWS * 2 sums, or NARROW_ROWS, with their vectors of B and one of A have to fit in the registers. */
#include "kernels/native.h"

/* Vectors per row of a full tile; those that share a cache line, for which one prefetch is enough: a second one takes
 * 3 % of a product's time (AVX2, Zen 3). */
enum { VECTORS = 2, VECTORS_IN_LINE = 16 / WIDTH };

#define INLINE static inline __attribute__((always_inline)) TARGET

INLINE vec tile_load(const float *from, bool masked, vec_mask mask) {
  return masked ? vec_load_masked(from, mask) : vec_load(from);
}

INLINE void tile_store(float *to, vec value, bool masked, vec_mask mask) {
  if (masked)
    vec_store_masked(to, value, mask);
  else
    vec_store(to, value);
}

/* rows, vectors, masked and by_columns are constants wherever this is inlined. masked: the last vector is not full.
 * by_columns: a_step is 1 (else a_row is). */
INLINE void tile(const int rows, const int vectors, const bool masked, const bool by_columns, const tile_job *job) {
  const ptrdiff_t a_row = by_columns ? job->a_row : 1, a_step = by_columns ? 1 : job->a_step, b_step = job->b_step;
  const vec_mask mask = vec_mask_of(job->columns - (vectors - 1) * WIDTH);
  /* One pointer per four rows, which the addressing modes reach with one stride. */
  const float *a[4] = {job->a, rows > 4 ? job->a + 4 * a_row : NULL, rows > 8 ? job->a + 8 * a_row : NULL,
                       rows > 12 ? job->a + 12 * a_row : NULL};
  const float *b = job->b, *next_b = job->next_b, *later_b = job->later_b, *const next_a = job->next_a;
  vec sum[NARROW_ROWS][VECTORS];
#pragma GCC unroll 14
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++)
      sum[i][j] = job->accumulate ? tile_load(job->c + i * job->c_row + j * WIDTH, masked && j + 1 == vectors, mask)
                                  : vec_zero();
  for (uint64_t k = 0; k < job->depth; k++) {
    vec row[VECTORS];
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) {
      row[j] = tile_load(b + j * WIDTH, masked && j + 1 == vectors, mask);
      if (j % VECTORS_IN_LINE == 0) __builtin_prefetch(next_b + j * WIDTH);
    }
    if (by_columns) {
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j += VECTORS_IN_LINE) __builtin_prefetch(later_b + j * WIDTH, 0, 2);
      later_b += b_step;
    } else {
      __builtin_prefetch(next_a + k * (uint64_t)a_step);
    }
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) {
      const vec factor = vec_broadcast(a[i / 4] + (i % 4) * a_row);
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++) sum[i][j] = vec_multiply_add(factor, row[j], sum[i][j]);
    }
#pragma GCC unroll 4
    for (int i = 0; 4 * i < rows; i++) a[i] += a_step;
    b += b_step;
    next_b += b_step;
  }
  for (uint32_t s = 0; s < job->num_addends; s++) {
    const float *const addend = job->addends[s];
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++)
        sum[i][j] =
            vec_add(tile_load(addend + i * job->addend_row + j * WIDTH, masked && j + 1 == vectors, mask), sum[i][j]);
  }
#pragma GCC unroll 14
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++)
      tile_store(job->c + i * job->c_row + j * WIDTH, sum[i][j], masked && j + 1 == vectors, mask);
}

#define TILE(ROWS)                          \
  case ROWS:                                \
    tile(ROWS, vectors, masked, step, job); \
    break;
#if defined(TILE_ROWS_14)
#define TILES_ABOVE_6 TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#else
#define TILES_ABOVE_6
#endif
#if defined(NARROW_ROWS_12)
#define NARROW_TILES_ABOVE_6 TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
#else
#define NARROW_TILES_ABOVE_6 TILES_ABOVE_6
#endif
#define DEFINE_TILES(NAME, VECTORS_, MASKED, STEP, ABOVE_6)                   \
  TARGET static void NAME(int rows, const tile_job *job) {                    \
    enum { vectors = VECTORS_, masked = MASKED, step = STEP };                \
    switch (rows) { TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) ABOVE_6 } \
  }

DEFINE_TILES(tile_by_columns, 2, 0, 1, TILES_ABOVE_6)
DEFINE_TILES(tile_by_columns_edge, 2, 1, 1, TILES_ABOVE_6)
DEFINE_TILES(tile_by_columns_narrow, 1, 1, 1, NARROW_TILES_ABOVE_6)
DEFINE_TILES(tile_by_rows, 2, 0, 0, TILES_ABOVE_6)
DEFINE_TILES(tile_by_rows_edge, 2, 1, 0, TILES_ABOVE_6)
DEFINE_TILES(tile_by_rows_narrow, 1, 1, 0, NARROW_TILES_ABOVE_6)

static void tile_run(int rows, const tile_job *job) {
  const bool by_columns = job->a_step == 1;
  if (job->columns == VECTORS * WIDTH)
    (by_columns ? tile_by_columns : tile_by_rows)(rows, job);
  else if (job->columns > WIDTH)
    (by_columns ? tile_by_columns_edge : tile_by_rows_edge)(rows, job);
  else
    (by_columns ? tile_by_columns_narrow : tile_by_rows_narrow)(rows, job);
}
