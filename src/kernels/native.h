/* The parts of the native back end (backend_native.c) that exist once per instruction set: the tile of a product, and
 * transposition. Nothing here is collective. */
#ifndef MLPDIST_NATIVE_H
#define MLPDIST_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* C (rows, columns) = A (rows, depth) B (depth, columns) for one tile; strides in floats. */
typedef struct tile_job {
  uint64_t depth;
  const float *a; /* element (i, k) at a[i * a_row + k * a_step]; one of the two strides is 1 */
  ptrdiff_t a_row, a_step;
  const float *b; /* element (k, j) at b[k * b_step + j] */
  ptrdiff_t b_step;
  float *c; /* element (i, j) at c[i * c_row + j] */
  ptrdiff_t c_row;
  int columns;     /* 1 to tile_columns */
  bool accumulate; /* the chains continue from the values in C */
  /* Prefetched in step k: a line at next_a + k * a_step (if a_row is 1), and a row of B at next_b + k * b_step.
   * Hardware does not predict rows that are a page apart. */
  const float *next_a, *next_b;
  const float *later_b; /* if a_step is 1, a row of B needed much later: prefetched into the level-2 cache */
  /* Then C = addends[n - 1] + (... + (addends[0] + C)), each laid out like C but rows addend_row apart. */
  uint32_t num_addends;
  const float **addends;
  ptrdiff_t addend_row;
} tile_job;

typedef struct native_kernels {
  int tile_rows, tile_columns; /* the largest tile */
  int narrow_rows;             /* of tiles of up to tile_columns / 2 columns: more, to keep as many sums in registers */
  int square;                  /* rows and columns that transpose handles */
  void (*run)(int rows, const tile_job *job);
  /* to (square, square) = transpose of from; strides in floats between rows */
  void (*transpose)(const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row);
} native_kernels;

#if defined(__x86_64__)
extern const native_kernels native_avx512, native_avx2;
#endif

#endif
