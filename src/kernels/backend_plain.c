/* Plain C: the reference for tests, which builds without any library. Each element of C is summed over k in ascending
 * order, in float, whatever the blocks. */
#include <string.h>

#include "kernels/backend_parts.h"
#include "kernels/multiversion.h"

enum {
  ROWS = 4,     /* rows of C computed at once, with each row of the panel */
  COLUMNS = 32, /* columns of C in a panel: the ROWS x COLUMNS sums fit in registers */
  DEPTH = 128,  /* rows of op(B) in a panel: 16 KiB, half a level-1 cache */
};

/* panel (depth, COLUMNS) = op(B)[k0.., j0..]; b points at element (k0, j0). Columns past width are zero. */
static void pack_panel(bool transpose, int depth, int width, const float *b, size_t ldb, float *panel) {
  for (int k = 0; k < depth; k++)
    for (int j = 0; j < COLUMNS; j++) {
      const size_t index = transpose ? (size_t)j * ldb + (size_t)k : (size_t)k * ldb + (size_t)j;
      panel[k * COLUMNS + j] = j < width ? b[index] : 0;
    }
}

/* strip (depth, ROWS) = transpose of op(A)[i0.., k0..]; a points at element (i0, k0). Rows past height are zero. */
static void pack_strip(bool transpose, int depth, int height, const float *a, size_t lda, float *strip) {
  for (int k = 0; k < depth; k++)
    for (int i = 0; i < ROWS; i++) {
      const size_t index = transpose ? (size_t)k * lda + (size_t)i : (size_t)i * lda + (size_t)k;
      strip[k * ROWS + i] = i < height ? a[index] : 0;
    }
}

/* sums (ROWS, COLUMNS) += strip^T panel. */
MULTIVERSION static void multiply_panel(int depth, const float *strip, const float *panel, float *sums) {
  float s0[COLUMNS], s1[COLUMNS], s2[COLUMNS], s3[COLUMNS];
  memcpy(s0, sums, sizeof s0);
  memcpy(s1, sums + COLUMNS, sizeof s1);
  memcpy(s2, sums + 2 * COLUMNS, sizeof s2);
  memcpy(s3, sums + 3 * COLUMNS, sizeof s3);
  for (int k = 0; k < depth; k++) {
    const float *row = panel + k * COLUMNS;
    const float a0 = strip[k * ROWS], a1 = strip[k * ROWS + 1], a2 = strip[k * ROWS + 2], a3 = strip[k * ROWS + 3];
#pragma omp simd
    for (int j = 0; j < COLUMNS; j++) {
      s0[j] += a0 * row[j];
      s1[j] += a1 * row[j];
      s2[j] += a2 * row[j];
      s3[j] += a3 * row[j];
    }
  }
  memcpy(sums, s0, sizeof s0);
  memcpy(sums + COLUMNS, s1, sizeof s1);
  memcpy(sums + 2 * COLUMNS, s2, sizeof s2);
  memcpy(sums + 3 * COLUMNS, s3, sizeof s3);
}

/* C[i0.., j0..] (height, width) += strip^T panel; if first, = strip^T panel. */
static void update_block(bool first, int depth, int height, int width, const float *strip, const float *panel, float *c,
                         size_t ldc) {
  float sums[ROWS * COLUMNS] = {0};
  const size_t row_bytes = (size_t)width * sizeof(float);
  for (int i = 0; i < height && !first; i++) memcpy(sums + i * COLUMNS, c + (size_t)i * ldc, row_bytes);
  multiply_panel(depth, strip, panel, sums);
  for (int i = 0; i < height; i++) memcpy(c + (size_t)i * ldc, sums + i * COLUMNS, row_bytes);
}

static int smaller(int x, int y) { return x < y ? x : y; }

static const float *element(const float *x, bool transpose, int row, int column, size_t ld) {
  return transpose ? x + (size_t)column * ld + (size_t)row : x + (size_t)row * ld + (size_t)column;
}

static void plain_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda,
                        const float *b, int ldb, float *c, int ldc) {
  const size_t a_stride = (size_t)lda, b_stride = (size_t)ldb, c_stride = (size_t)ldc;
  float panel[DEPTH * COLUMNS], strip[DEPTH * ROWS];
  for (int j = 0; j < n; j += COLUMNS)
    for (int l = 0; l < k; l += DEPTH) {
      const int width = smaller(COLUMNS, n - j), depth = smaller(DEPTH, k - l);
      pack_panel(transpose_b, depth, width, element(b, transpose_b, l, j, b_stride), b_stride, panel);
      for (int i = 0; i < m; i += ROWS) {
        const int height = smaller(ROWS, m - i);
        pack_strip(transpose_a, depth, height, element(a, transpose_a, i, l, a_stride), a_stride, strip);
        update_block(l == 0, depth, height, width, strip, panel, c + (size_t)i * c_stride + (size_t)j, c_stride);
      }
    }
}

const backend backend_plain = {.name = "plain", .description = "plain C loops", .sgemm = plain_sgemm};
