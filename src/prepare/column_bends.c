#include "prepare/column_bends.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/column_curves.h"
#include "prepare/column_quantiles.h"
#include "ranks/comm.h"

enum { COLUMNS_AT_A_TIME = 64, MIXED_QUANTILES = 100 };

/* What the columns share. */
typedef struct bending {
  const preparation *p;
  affine *a;
  const bool *chosen; /* (columns) those that get a curve; NULL: all numbers */
  uint32_t count;     /* quantiles of a column */
  column_quantile *quantiles;
  double *values; /* (count) */
  column_curves curves;
} bending;

static bool is_bent(const bending *b, uint32_t j) {
  const column_codes *const codes = &b->p->model->codes;
  if (b->chosen != NULL && !b->chosen[j]) return false;
  return codes->about.count == 0 || codes->about.kinds[j] != COLUMN_KIND_CATEGORY;
}

static size_t most_columns(const preparation *p) {
  return p->features < COLUMNS_AT_A_TIME ? p->features : COLUMNS_AT_A_TIME;
}

static double fraction_of(const bending *b, uint32_t i) {
  return b->count > 1 ? (double)i / (double)(b->count - 1) : 0;
}

/* A column without a value becomes 0, as a constant one. */
static void bend_column(bending *b, uint32_t j, const column_quantile *quantiles) {
  column_curves *const c = &b->curves;
  const uint64_t first = c->first[j];
  for (uint32_t i = 0; i < b->count; i++) b->values[i] = isnan(quantiles[i].value) ? 0 : quantiles[i].value;
  c->first[j + 1] = first + column_curve_knots(b->count, b->values, c->x + first, c->z + first);
  b->a->shift[j] = 0.5 * b->values[(b->count - 1) / 2] + 0.5 * b->values[b->count / 2];
  b->a->scale[j] = 1;
}

/* Columns [begin, end). Collective. */
static mlpd_status bend_columns(mlpd_comm *comm, bending *b, uint32_t begin, uint32_t end) {
  size_t wanted = 0;
  for (uint32_t j = begin; j < end; j++)
    for (uint32_t i = 0; i < b->count && is_bent(b, j); i++)
      b->quantiles[wanted++] = (column_quantile){.column = j, .fraction = fraction_of(b, i)};
  if (wanted > 0) TRY(column_quantiles_find(comm, &b->p->source, b->p, b->quantiles, wanted));
  const column_quantile *next = b->quantiles;
  for (uint32_t j = begin; j < end; j++) {
    b->curves.first[j + 1] = b->curves.first[j];
    if (!is_bent(b, j)) continue;
    bend_column(b, j, next);
    next += b->count;
  }
  return MLPD_OK;
}

static void lay_out(void *owner, memory_layout *layout) {
  bending *const b = owner;
  b->quantiles = memory_place(layout, most_columns(b->p) * b->count, sizeof *b->quantiles);
  b->values = memory_place(layout, b->count, sizeof *b->values);
}

static bending new_bending(const preparation *p, double rows, const bool *chosen, affine *a) {
  const uint32_t most = p->options.normalize == MLPD_NORMALIZE_QUANTILE ? CURVE_QUANTILES_MOST : MIXED_QUANTILES;
  return (bending){.p = p, .a = a, .chosen = chosen, .count = rows < most ? (uint32_t)rows : most};
}

/* Room for the knots of all columns that are bent. */
static uint64_t knots_of_all(const bending *b) {
  uint64_t numbers = 0;
  for (uint32_t j = 0; j < b->p->features; j++) numbers += is_bent(b, j);
  if (b->p->options.normalize != MLPD_NORMALIZE_QUANTILE && numbers > COLUMN_BENDS_MIXED) numbers = COLUMN_BENDS_MIXED;
  return numbers * (b->count + CURVE_KNOTS_MOST - CURVE_QUANTILES_MOST);
}

uint64_t column_bends_kept(const preparation *p, double rows) {
  const bending b = new_bending(p, rows, NULL, NULL);
  return column_curves_size(p->features, knots_of_all(&b));
}

uint64_t column_bends_size(const preparation *p, double rows) {
  bending b = new_bending(p, rows, NULL, NULL);
  return memory_layout_size(lay_out, &b) + column_bends_kept(p, rows) +
         column_quantiles_size(most_columns(p) * b.count);
}

static mlpd_status allocate(bending *b, char **memory) {
  TRY(memory_allocate_layout(lay_out, b, "quantiles", memory));
  return column_curves_create(b->a->columns, knots_of_all(b), &b->curves);
}

mlpd_status column_bends_find(mlpd_comm *comm, const preparation *p, double rows, const bool *chosen, affine *a) {
  bending b = new_bending(p, rows, chosen, a);
  char *memory = NULL;
  mlpd_status status = mlpd_comm_agree(comm, allocate(&b, &memory));
  for (uint32_t begin = 0; begin < a->columns && status == MLPD_OK; begin += COLUMNS_AT_A_TIME)
    status =
        bend_columns(comm, &b, begin, a->columns - begin < COLUMNS_AT_A_TIME ? a->columns : begin + COLUMNS_AT_A_TIME);
  if (status == MLPD_OK) column_curves_settle(&b.curves);
  if (status == MLPD_OK) status = mlpd_comm_agree(comm, affine_bend(a, &b.curves));
  column_curves_free(&b.curves);
  free(memory);
  return status;
}
