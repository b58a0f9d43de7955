#include "prepare/column_gather.h"

#include <stdlib.h>

#include "base/memory.h"
#include "prepare/column_key.h"
#include "prepare/column_rows.h"
#include "ranks/comm.h"

enum { DIGIT_VALUES = 256, KEY_BITS = 64 };

static const uint64_t MISSING = UINT64_MAX; /* beyond the keys of all numbers */

/* Columns whose values are gathered at a time. */
typedef struct gathering {
  column_gather *g;
  mlpd_comm *comm;
  const preparation *p;
  column_quantile *all; /* those of column k: [starts[k], starts[k + 1]) */
  size_t columns, rank, ranks;
  uint64_t seen; /* rows of this rank so far */
} gathering;

mlpd_status column_gather_fits(mlpd_comm *comm, const preparation *p, const column_quantile *all, size_t count,
                               column_gather *g, bool *fits) {
  const uint64_t own = column_rows_count(comm, p);
  const size_t ranks = (size_t)mlpd_comm_size(comm);
  uint64_t columns = 0;
  TRY(mlpd_comm_agree(comm, memory_allocate(&g->bytes, ranks, sizeof *g->bytes, "sizes of columns")));
  TRY(comm_gather_equal(comm, &own, sizeof own, "rows of ranks", &g->rows));
  for (size_t r = 0; r < ranks; r++) g->all_rows += g->rows[r];
  for (size_t i = 0; i < count; i++) columns += i == 0 || all[i - 1].column != all[i].column;
  *fits = g->all_rows > 0 && g->all_rows <= g->room && columns * g->all_rows <= COLUMN_GATHER_VALUES * count;
  return MLPD_OK;
}

/* As many columns of the `count` quantiles as have room. */
static void take_columns(gathering *c, size_t count) {
  column_gather *const g = c->g;
  const size_t fitting = g->room / g->all_rows;
  const size_t most = fitting < g->most_columns ? fitting : g->most_columns;
  c->columns = 0;
  c->seen = 0;
  g->starts[0] = 0;
  for (size_t i = 1; i <= count && i <= g->room && c->columns < most; i++)
    if (i == count || c->all[i].column != c->all[i - 1].column) g->starts[++c->columns] = (uint32_t)i;
}

/* Keys (columns, own rows). */
static mlpd_status take_keys(void *context, const shard *rows) {
  gathering *const c = context;
  const uint64_t own = c->g->rows[c->rank];
#pragma omp parallel for num_threads(c->p->threads)
  for (size_t k = 0; k < c->columns; k++) {
    const uint32_t column = c->all[c->g->starts[k]].column;
    uint64_t *const keys = c->g->keys + k * own + c->seen;
    for (uint64_t i = 0; i < rows->rows; i++) {
      const double value = element_get(rows->type, rows->x, i * c->p->features + column);
      keys[i] = isnan(value) ? MISSING : column_key_of(value);
    }
  }
  c->seen += rows->rows;
  return MLPD_OK;
}

/* Of the columns that this rank sorts, every ranks-th, number n. */
static uint64_t *own_column(const gathering *c, size_t n) { return c->g->keys + n * c->g->all_rows; }

/* Keys (own columns, all rows) of those gathered, (ranks, columns, their rows). */
static void bring_together(const gathering *c) {
  const uint64_t *from = c->g->keys + c->g->room;
  uint64_t before = 0;
  for (size_t r = 0; r < c->ranks; r++) {
    const uint64_t rows = c->g->rows[r];
    for (size_t k = c->rank, n = 0; k < c->columns; k += c->ranks, n++)
      memcpy(own_column(c, n) + before, from + k * rows, rows * sizeof *from);
    from += c->columns * rows;
    before += rows;
  }
}

/* By digits, from the lowest. scratch (count): in the end one of the two has all of them, and is returned. */
static const uint64_t *sort_keys(uint64_t *keys, uint64_t *scratch, uint64_t count) {
  for (int shift = 0; shift < KEY_BITS; shift += 8) {
    uint64_t places[DIGIT_VALUES + 1] = {0};
    for (uint64_t i = 0; i < count; i++) places[(keys[i] >> shift & 0xFF) + 1]++;
    for (int d = 0; d < DIGIT_VALUES; d++) places[d + 1] += places[d];
    for (uint64_t i = 0; i < count; i++) scratch[places[keys[i] >> shift & 0xFF]++] = keys[i];
    uint64_t *const sorted = scratch;
    scratch = keys;
    keys = sorted;
  }
  return keys;
}

static void find_quantile(column_quantile *q, const uint64_t *sorted, uint64_t values) {
  q->value = NAN;
  if (values == 0) return;
  const double place = column_key_place(q->fraction, values);
  q->value = column_key_between(sorted[(uint64_t)floor(place)], sorted[(uint64_t)ceil(place)], place);
}

static void find_own(const gathering *c) {
  const column_gather *const g = c->g;
#pragma omp parallel for num_threads(c->p->threads)
  for (size_t k = c->rank; k < c->columns; k += c->ranks) {
    uint64_t *const keys = own_column(c, k / c->ranks), values = g->all_rows;
    const uint64_t *const sorted = sort_keys(keys, keys + g->room, values);
    while (values > 0 && sorted[values - 1] == MISSING) values--;
    for (size_t i = g->starts[k]; i < g->starts[k + 1]; i++) find_quantile(&c->all[i], sorted, values);
  }
}

/* Every rank gets what one has found. Collective. */
static mlpd_status share(const gathering *c) {
  const column_gather *const g = c->g;
  const size_t count = g->starts[c->columns];
  memset(g->keys, 0, count * sizeof *g->keys);
  for (size_t k = c->rank; k < c->columns; k += c->ranks)
    for (size_t i = g->starts[k]; i < g->starts[k + 1]; i++) memcpy(&g->keys[i], &c->all[i].value, sizeof *g->keys);
  TRY(comm_sum_u64(c->comm, g->keys, count));
  for (size_t i = 0; i < count; i++) memcpy(&c->all[i].value, &g->keys[i], sizeof *g->keys);
  return MLPD_OK;
}

/* Collective. */
static mlpd_status find_some(gathering *c, const part *train) {
  column_gather *const g = c->g;
  TRY(mlpd_comm_agree(c->comm, column_rows_each(c->comm, train, c->p, false, take_keys, c)));
  for (size_t r = 0; r < c->ranks; r++) g->bytes[r] = g->rows[r] * c->columns * sizeof *g->keys;
  TRY(comm_gather_all(c->comm, g->keys, g->bytes, g->keys + g->room));
  bring_together(c);
  find_own(c);
  return share(c);
}

mlpd_status column_gather_find(mlpd_comm *comm, const part *train, const preparation *p, column_quantile *all,
                               size_t count, column_gather *g) {
  gathering c = {.g = g, .comm = comm, .p = p, .all = all};
  c.rank = (size_t)mlpd_comm_rank(comm);
  c.ranks = (size_t)mlpd_comm_size(comm);
  for (size_t first = 0; first < count; first += g->starts[c.columns]) {
    c.all = all + first;
    take_columns(&c, count - first);
    TRY(find_some(&c, train));
  }
  return MLPD_OK;
}
