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
  GROUP_COLUMNS = 128, /* columns of a gradient computed together, where lanes have more than LANE_ROWS rows */
  GROUP_LANES = 64,    /* and are no more than these: with more of them fewer columns are, so that sums fit the stack */
  MAX_COLUMNS = 32,    /* widest tile of any instruction set */
  LANE_ROWS = 128,     /* rows of a lane that all tiles of a gradient pass together: 56 KiB of A and 64 of the deltas */
  MAX_LEVELS = 24,     /* sums of up to 2^24 lanes that wait at once, at most */
  ROOM = MAX_LEVELS * GROUP_ROWS * MAX_COLUMNS /* for these, 336 KiB, or for the 6 of GROUP_LANES lanes */
};

static const native_kernels *kernels;

static int smaller(int x, int y) { return x < y ? x : y; }

static int larger(int x, int y) { return x > y ? x : y; }

/* What is prefetched into the level-2 cache while the tiles of a gradient are computed. */
typedef struct ahead {
  const lane_products *lanes;
  bool wanted; /* the arrays that the caller reads next, from place on, as many rows and columns as a tile has */
  ptrdiff_t place;
  const float *a, *delta; /* after each tile, `step` of the next `rows` rows, of m and n columns */
  int m, n, rows, step;
} ahead;

/* Rows [begin, end) of what the caller reads next. */
static void fetch_wanted(const ahead *next, int begin, int end, int columns) {
  const lane_products *const lanes = next->lanes;
  for (uint32_t array = 0; array < lanes->num_next; array++)
    for (int i = begin; i < end; i++) {
      const float *const row = lanes->next[array] + next->place + i * (ptrdiff_t)lanes->next_row;
      for (int j = 0; j < columns; j += CACHE_LINE_FLOATS) __builtin_prefetch(row + j, 1, 2);
    }
}

static void fetch_rows(ahead *next) {
  for (int i = 0; i < next->step && next->rows > 0; i++, next->rows--) {
    for (int j = 0; j < next->m; j += CACHE_LINE_FLOATS) __builtin_prefetch(next->a + j, 0, 2);
    for (int j = 0; j < next->n; j += CACHE_LINE_FLOATS) __builtin_prefetch(next->delta + j, 0, 2);
    next->a += next->lanes->lda;
    next->delta += next->lanes->ldd;
  }
}

static int tiles_of(int m, int columns) {
  const int most = 2 * columns > kernels->tile_columns ? kernels->tile_rows : kernels->narrow_rows;
  return (m - 1) / most + 1;
}

/* Computes C (m, columns of job) in tiles with as equal rows as possible. job is complete except for the rows, and is
 * modified. next: what to prefetch for each tile, or NULL. */
static void run_tiles(tile_job *job, int m, ahead *next, const float *after_a, const float *after_b) {
  const int tiles = tiles_of(m, job->columns), smallest = m / tiles, uneven = m % tiles;
  const float *const next_panel = job->later_b;
  for (int t = 0, row = 0; t < tiles; t++) {
    const int rows = smallest + (t < uneven);
    job->next_a = t + 1 < tiles ? job->a + 2 * rows - 1 : after_a + rows - 1;
    if (t + 1 == tiles && after_b != NULL) job->next_b = after_b;
    job->later_b = t + 1 == tiles && next_panel != NULL ? next_panel : job->next_b;
    kernels->run(rows, job);
    if (next != NULL && next->wanted) fetch_wanted(next, row, row + rows, job->columns);
    if (next != NULL) fetch_rows(next);
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
            smaller(row_block, m - i), NULL, a, NULL);
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

/* A block of a gradient, from row i and column j on. */
typedef struct gradient_block {
  const lane_products *lanes;
  ptrdiff_t i, j;
  int m, n;          /* at most GROUP_ROWS, GROUP_COLUMNS */
  ptrdiff_t sum_row; /* from one row of a waiting sum to the next */
} gradient_block;

/* Where it is computed. */
typedef struct gradient_place {
  float *c;
  ptrdiff_t c_row;
} gradient_place;

/* The sum of lanes whose sibling in the tree is being computed. next: the one that waits for both. */
typedef struct waiting_sum {
  const float *sum;
  const struct waiting_sum *next;
} waiting_sum;

/* Rows of a lane that the tiles of a block pass together. */
typedef struct lane_rows {
  const float *a, *delta;
  int count;
} lane_rows;

static lane_rows rows_of(const gradient_block *block, uint32_t u, uint64_t row) {
  const lane_products *const lanes = block->lanes;
  const uint64_t left = lanes->rows[u] - row;
  return (lane_rows){.a = lanes->a[u] + row * (size_t)lanes->lda + block->i,
                     .delta = lanes->delta[u] + row * (size_t)lanes->ldd + block->j,
                     .count = left < LANE_ROWS ? (int)left : LANE_ROWS};
}

/* Of the rows after those from `row` on; of none after the last, with the first of all. */
static lane_rows rows_after(const gradient_block *block, uint32_t u, uint64_t row) {
  const lane_products *const lanes = block->lanes;
  if (lanes->rows[u] > row + LANE_ROWS) return rows_of(block, u, row + LANE_ROWS);
  if (u + 1 < lanes->num_lanes) return rows_of(block, u + 1, 0);
  lane_rows none = rows_of(block, 0, 0);
  none.count = 0;
  return none;
}

/* Adds rows of a lane, and then the waiting sums. */
static void add_rows(const gradient_block *block, const lane_rows *rows, const lane_rows *after, bool accumulate,
                     const waiting_sum *waiting, const gradient_place *to, ahead *next) {
  const lane_products *const lanes = block->lanes;
  const int width = kernels->tile_columns;
  const float *addends[MAX_LEVELS];
  const ptrdiff_t place = next->place;
  for (int j = 0; j < block->n; j += width) {
    const bool last = j + width >= block->n;
    uint32_t num_addends = 0;
    for (const waiting_sum *w = waiting; w != NULL; w = w->next) addends[num_addends++] = w->sum + j;
    next->place = place + j;
    run_tiles(&(tile_job){.depth = (uint64_t)rows->count,
                          .a = rows->a,
                          .a_row = 1,
                          .a_step = lanes->lda,
                          .b = rows->delta + j,
                          .b_step = lanes->ldd,
                          .c = to->c + j,
                          .c_row = to->c_row,
                          .columns = smaller(width, block->n - j),
                          .accumulate = accumulate,
                          .next_b = rows->delta + j + AHEAD * lanes->ldd,
                          .num_addends = num_addends,
                          .addends = addends,
                          .addend_row = block->sum_row},
              block->m, next, last ? after->a : rows->a, last ? after->delta : rows->delta + j + width);
  }
}

/* One lane's part of a block, to which the waiting sums are added. All tiles pass a part of the lane's rows before the
 * next one, so that a block reads the factors from memory once. */
static void lane_gradient(const gradient_block *block, uint32_t u, const waiting_sum *waiting,
                          const gradient_place *to) {
  const lane_products *const lanes = block->lanes;
  const int width = kernels->tile_columns, tiles = tiles_of(block->m, width) * ((block->n - 1) / width + 1);
  for (uint64_t row = 0; row == 0 || row < lanes->rows[u]; row += LANE_ROWS) {
    const lane_rows rows = rows_of(block, u, row), after = rows_after(block, u, row);
    const bool end = lanes->rows[u] - row <= LANE_ROWS;
    ahead next = {.lanes = lanes,
                  .wanted = u == 0 && row == 0,
                  .place = block->i * (ptrdiff_t)lanes->next_row + block->j,
                  .a = after.a,
                  .delta = after.delta,
                  .m = block->m,
                  .n = block->n,
                  .rows = block->n > width ? after.count : 0,
                  .step = (LANE_ROWS - 1) / tiles + 1};
    add_rows(block, &rows, &after, row > 0, end ? waiting : NULL, to, &next);
  }
}

/* Sums a block over lanes [begin, end), a subtree, to which the waiting sums are added. room: for the sums that will
 * wait. */
static void sum_block(const gradient_block *block, uint32_t begin, uint32_t end, const waiting_sum *waiting,
                      const gradient_place *to, float *room) {
  float *const left = room, *const rest = room + GROUP_ROWS * block->sum_row;
  uint32_t half = 1;
  if (end - begin == 1) {
    lane_gradient(block, begin, waiting, to);
    return;
  }
  while (2 * half < end - begin) half *= 2;
  sum_block(block, begin, begin + half, NULL, &(gradient_place){left, block->sum_row}, rest);
  sum_block(block, begin + half, end, &(waiting_sum){left, waiting}, to, rest);
}

/* Where lanes are small, one panel at a time: what it reads of all lanes stays in the level-2 cache. */
static void sum_gradients(int m, int n, const lane_products *lanes, float *c, int ldc) {
  _Static_assert(6 * GROUP_COLUMNS <= MAX_LEVELS * MAX_COLUMNS && GROUP_LANES <= 1 << 6, "room for either");
  _Alignas(64) float room[ROOM];
  const bool large = lanes->rows[0] > LANE_ROWS && lanes->num_lanes <= GROUP_LANES;
  const int columns = large ? GROUP_COLUMNS : kernels->tile_columns;
  for (int i = 0; i < m; i += GROUP_ROWS)
    for (int j = 0; j < n; j += columns)
      sum_block(&(gradient_block){.lanes = lanes,
                                  .i = i,
                                  .j = j,
                                  .m = smaller(GROUP_ROWS, m - i),
                                  .n = smaller(columns, n - j),
                                  .sum_row = large ? GROUP_COLUMNS : MAX_COLUMNS},
                0, lanes->num_lanes, NULL, &(gradient_place){c + (ptrdiff_t)i * ldc + j, ldc}, room);
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
