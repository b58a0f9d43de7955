/* Our own products, for processors with fused multiply-add. Every element is one chain of fused multiply-adds over k in
 * ascending order, from 0. Its bits are therefore the same on every instruction set and for any division into blocks.
 * Only a transposed second operand is packed; weights and activations are read in place.
 *
 * The loops keep a panel of B (depth x tile columns) in the level-2 cache while tiles of A pass it, as in K. Goto and
 * R. van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008. */
#include <stdlib.h>
#include <string.h>

#include "kernels/backend_parts.h"
#include "kernels/native.h"

enum {
  AHEAD = 8,          /* rows of B that are prefetched */
  DEPTH = 2048,       /* depth of a panel of B: 256 KiB at 32 columns */
  A_FLOATS = 1 << 17, /* part of A multiplied with a panel of B before the next one: 512 KiB */
  CACHE_LINE_FLOATS = 16,
  GROUP_ROWS = 112,   /* rows of a transposed product, or gradient, computed together: 8 tiles of 14, 7 squares of 16 */
  STACK_DEPTH = 1024, /* depth of a transposed panel on the stack: 128 KiB */
  SHALLOW = 16,       /* up to this depth, transposing the second operand is cheaper than the first */
  SHALLOW_COLUMNS = 512,
  MAX_COLUMNS = 32, /* widest tile of any instruction set */
  LANE_ROWS = 128,  /* rows of a lane that a gradient's tiles pass together: 56 KiB of A and 16 of the deltas */
  MAX_LEVELS = 26   /* partial sums of up to 2^24 lanes that wait at once, at most, and the one that is computed */
};

static const native_kernels *kernels;

static int smaller(int x, int y) { return x < y ? x : y; }

static int larger(int x, int y) { return x > y ? x : y; }

/* Prefetches rows [begin, end), from place on, of the arrays that the caller reads next, into the level-2 cache. */
static void fetch(const lane_products *wanted, ptrdiff_t place, int begin, int end, int columns) {
  for (uint32_t array = 0; array < wanted->num_next; array++)
    for (int i = begin; i < end; i++) {
      const float *const row = wanted->next[array] + place + i * (ptrdiff_t)wanted->next_row;
      for (int j = 0; j < columns; j += CACHE_LINE_FLOATS) __builtin_prefetch(row + j, 1, 2);
    }
}

/* Computes C (m, columns of job) in tiles with as equal rows as possible. job is complete except for the rows, and is
 * modified. wanted: what to prefetch for each tile, or NULL. */
static void run_tiles(tile_job *job, int m, const lane_products *wanted, ptrdiff_t place, const float *after_a,
                      const float *after_b) {
  const int most = 2 * job->columns > kernels->tile_columns ? kernels->tile_rows : kernels->narrow_rows;
  const int tiles = (m - 1) / most + 1, smallest = m / tiles, uneven = m % tiles;
  const float *const next_panel = job->later_b;
  for (int t = 0, row = 0; t < tiles; t++) {
    const int rows = smallest + (t < uneven);
    job->next_a = t + 1 < tiles ? job->a + 2 * rows - 1 : after_a + rows - 1;
    if (t + 1 == tiles && after_b != NULL) job->next_b = after_b;
    job->later_b = t + 1 == tiles && next_panel != NULL ? next_panel : job->next_b;
    kernels->run(rows, job);
    if (wanted != NULL) fetch(wanted, place, row, row + rows, job->columns);
    row += rows;
    job->a += rows * job->a_row;
    job->c += rows * job->c_row;
    for (uint32_t s = 0; s < job->num_addends; s++) job->addends[s] += rows * job->addend_row;
  }
}

/* Rows of A that are multiplied with a panel of B before the next one. */
static int rows_at_once(int k) { return larger(A_FLOATS / smaller(k, DEPTH), kernels->tile_rows); }

/* C (m, n) = A (m, k) B (k, n), A with any strides. */
static void multiply(int m, int n, int k, const float *a, ptrdiff_t a_row, ptrdiff_t a_step, const float *b,
                     ptrdiff_t b_step, float *c, ptrdiff_t c_row) {
  const int most = rows_at_once(k);
  const int row_blocks = (m - 1) / most + 1, row_block = (m - 1) / row_blocks + 1;
  for (int l = 0; l < k; l += DEPTH)
    for (int i = 0; i < m; i += row_block)
      for (int j = 0; j < n; j += kernels->tile_columns)
        run_tiles(
            &(tile_job){.depth = (uint64_t)smaller(DEPTH, k - l),
                        .a = a + i * a_row + l * a_step,
                        .a_row = a_row,
                        .a_step = a_step,
                        .b = b + l * b_step + j,
                        .b_step = b_step,
                        .c = c + i * c_row + j,
                        .c_row = c_row,
                        .columns = smaller(kernels->tile_columns, n - j),
                        .accumulate = l > 0,
                        .next_b = b + (l + AHEAD) * b_step + j,
                        .later_b = b + l * b_step + (j + kernels->tile_columns < n ? j + kernels->tile_columns : 0)},
            smaller(row_block, m - i), NULL, 0, a, NULL);
}

/* to (columns, rows) = transpose of from (rows, columns). */
static void transpose(int rows, int columns, const float *from, ptrdiff_t from_row, float *to, ptrdiff_t to_row) {
  const int square = kernels->square;
  for (int i = 0; i < rows; i += square)
    for (int j = 0; j < columns; j += square) {
      const float *const source = from + i * from_row + j;
      float *const target = to + j * to_row + i;
      if (rows - i >= square && columns - j >= square) {
        kernels->transpose(source, from_row, target, to_row);
        continue;
      }
      for (int s = 0; s < smaller(square, rows - i); s++)
        for (int t = 0; t < smaller(square, columns - j); t++) target[t * to_row + s] = source[s * from_row + t];
    }
}

/* Computes rows [0, columns) of C (m, n) = A B^T, B (n, k), as columns of C^T = B A^T; `at` (k, columns) is that part
 * of A^T. */
static void multiply_panel(int columns, int n, int k, const float *at, ptrdiff_t at_row, const float *b,
                           ptrdiff_t b_row, float *c, ptrdiff_t c_row) {
  _Alignas(64) float group[GROUP_ROWS * MAX_COLUMNS];
  for (int j = 0; j < n; j += GROUP_ROWS) {
    const int rows = smaller(GROUP_ROWS, n - j);
    multiply(rows, columns, k, b + j * b_row, b_row, 1, at, at_row, group, MAX_COLUMNS);
    transpose(rows, columns, group, MAX_COLUMNS, c + j, c_row);
  }
}

/* C (m, n) = A (m, k) B^T for small k. Transposes B part by part, because C is the largest of the three matrices. */
static void multiply_shallow(int m, int n, int k, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row,
                             float *c, ptrdiff_t c_row) {
  enum { STRIDE = SHALLOW_COLUMNS + CACHE_LINE_FLOATS };
  _Alignas(64) float bt[SHALLOW * STRIDE];
  for (int j = 0; j < n; j += SHALLOW_COLUMNS) {
    const int columns = smaller(SHALLOW_COLUMNS, n - j);
    transpose(columns, k, b + j * b_row, b_row, bt, STRIDE);
    multiply(m, columns, k, a, a_row, 1, bt, STRIDE, c + j, c_row);
  }
}

/* C (m, n) = A (m, k) B^T for many rows and k up to STACK_DEPTH. Transposes B, again for every block of rows. */
static void multiply_tall(int m, int n, int k, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row,
                          float *c, ptrdiff_t c_row) {
  _Alignas(64) float bt[MAX_COLUMNS * STACK_DEPTH];
  const int width = kernels->tile_columns, most = rows_at_once(k);
  for (int i = 0; i < m; i += most)
    for (int j = 0; j < n; j += width) {
      const int columns = smaller(width, n - j);
      transpose(columns, k, b + j * b_row, b_row, bt, width);
      multiply(smaller(most, m - i), columns, k, a + i * a_row, a_row, 1, bt, width, c + i * c_row + j, c_row);
    }
}

/* true if B (n, k) has fewer elements than A and C, of as many rows as are multiplied at once. */
static bool is_tall(int m, int n, int k) {
  return k <= STACK_DEPTH && (int64_t)n * k < (int64_t)smaller(m, rows_at_once(k)) * (n + k);
}

/* C (m, n) = A (m, k) B^T. Of few rows, transposes A: in a network B is far larger then. */
static void multiply_transposed(int m, int n, int k, const float *a, ptrdiff_t a_row, const float *b, ptrdiff_t b_row,
                                float *c, ptrdiff_t c_row) {
  _Alignas(64) float panel[MAX_COLUMNS * STACK_DEPTH];
  const int width = kernels->tile_columns;
  float *at = panel, *allocated = NULL;
  if (k <= SHALLOW) {
    multiply_shallow(m, n, k, a, a_row, b, b_row, c, c_row);
    return;
  }
  if (is_tall(m, n, k)) {
    multiply_tall(m, n, k, a, a_row, b, b_row, c, c_row);
    return;
  }
  if (k > STACK_DEPTH) {
    at = allocated = aligned_alloc(64, (size_t)k * MAX_COLUMNS * sizeof(float));
    if (allocated == NULL) {
      poison(m, n, c, c_row);
      return;
    }
  }
  for (int i = 0; i < m; i += width) {
    const int columns = smaller(width, m - i);
    transpose(columns, k, a + i * a_row, a_row, at, width);
    multiply_panel(columns, n, k, at, width, b, b_row, c + i * c_row, c_row);
  }
  free(allocated);
}

static void native_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda,
                         const float *b, int ldb, float *c, int ldc) {
  if (!transpose_b)
    multiply(m, n, k, a, transpose_a ? 1 : lda, transpose_a ? lda : 1, b, ldb, c, ldc);
  else if (!transpose_a)
    multiply_transposed(m, n, k, a, lda, b, ldb, c, ldc);
  else /* A is already transposed */
    for (int i = 0; i < m; i += kernels->tile_columns)
      multiply_panel(smaller(kernels->tile_columns, m - i), n, k, a + i, lda, b, ldb, c + (ptrdiff_t)i * ldc, ldc);
}

/* One lane's part of the gradient of a panel, to which the addends of job are added. In blocks of the lane's rows: the
 * part of A that the tiles of a panel read stays in the level-2 cache. job is complete except for its rows and what it
 * reads of them. */
static void lane_gradient(tile_job job, int m, const lane_products *lanes, uint32_t u, uint32_t after, ptrdiff_t i,
                          ptrdiff_t j) {
  const uint32_t num_addends = job.num_addends;
  const uint64_t rows = lanes->rows[u];
  float *const c = job.c;
  for (uint64_t row = 0; row == 0 || row < rows; row += LANE_ROWS) {
    const bool end = rows - row <= LANE_ROWS;
    const float *const a = lanes->a[u] + row * (size_t)lanes->lda + i;
    const float *const delta = lanes->delta[u] + row * (size_t)lanes->ldd + j;
    job.depth = end ? rows - row : LANE_ROWS;
    job.a = a;
    job.b = delta;
    job.c = c;
    job.next_b = delta + AHEAD * lanes->ldd;
    job.accumulate = row > 0;
    job.num_addends = end ? num_addends : 0;
    run_tiles(&job, m, u == 0 && row == 0 ? lanes : NULL, i * (ptrdiff_t)lanes->next_row + j,
              end ? lanes->a[after] + i : a + LANE_ROWS * (ptrdiff_t)lanes->lda,
              end ? lanes->delta[after] + j : delta + LANE_ROWS * (ptrdiff_t)lanes->ldd);
  }
}

/* Sums the gradient of a panel over the lanes. Lane u completes as many subtrees as its number ends in 1 bits (the last
 * lane completes all), so it adds the sums of their left halves. The waiting sums are sums[0 ... waiting - 1]. */
static void sum_gradient_panel(int m, const lane_products *lanes, ptrdiff_t i, ptrdiff_t j, int columns, float *c,
                               ptrdiff_t c_row) {
  _Alignas(64) float scratch[MAX_LEVELS][GROUP_ROWS * MAX_COLUMNS];
  float *sums[MAX_LEVELS];
  const float *addends[MAX_LEVELS];
  for (int level = 0; level < MAX_LEVELS; level++) sums[level] = scratch[level];
  uint32_t waiting = 0;
  for (uint32_t u = 0; u < lanes->num_lanes; u++) {
    const bool last = u + 1 == lanes->num_lanes;
    const uint32_t ended = last ? waiting : (uint32_t)__builtin_ctz(~u);
    for (uint32_t s = 0; s < ended; s++) addends[s] = sums[waiting - 1 - s];
    float *const sum = last ? c : sums[waiting];
    lane_gradient((tile_job){.a_row = 1,
                             .a_step = lanes->lda,
                             .b_step = lanes->ldd,
                             .c = sum,
                             .c_row = last ? c_row : MAX_COLUMNS,
                             .columns = columns,
                             .num_addends = ended,
                             .addends = addends,
                             .addend_row = MAX_COLUMNS},
                  m, lanes, u, last ? 0 : u + 1, i, j);
    if (last) break;
    sums[waiting] = sums[waiting - ended]; /* free now */
    sums[waiting - ended] = sum;
    waiting += 1 - ended;
  }
}

static void sum_gradients(int m, int n, const lane_products *lanes, float *c, int ldc) {
  for (int i = 0; i < m; i += GROUP_ROWS)
    for (int j = 0; j < n; j += kernels->tile_columns)
      sum_gradient_panel(smaller(GROUP_ROWS, m - i), lanes, i, j, smaller(kernels->tile_columns, n - j),
                         c + (ptrdiff_t)i * ldc + j, ldc);
}

static mlpd_status prepare(void) {
  if (kernels != NULL) return MLPD_OK; /* do not write it again: other threads may be reading it */
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f"))
    kernels = &native_avx512;
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    kernels = &native_avx2;
#endif
  if (kernels == NULL)
    return FAIL(MLPD_ERROR_USAGE, "back end native needs AVX2 and FMA, which this processor lacks: use --backend auto");
  return MLPD_OK;
}

const backend backend_native = {.name = "native",
                                .description = "our own kernels",
                                .prepare = prepare,
                                .sgemm = native_sgemm,
                                .sum_gradients = sum_gradients};
