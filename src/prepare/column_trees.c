#include "prepare/column_trees.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/piecewise.h"
#include "prepare/column_quantiles.h"
#include "prepare/column_rows.h"
#include "prepare/target_tree.h"
#include "ranks/comm.h"

enum { USUAL_POINTS = 256, COLUMNS_AT_A_TIME = 16, COUNTS_BYTES = 16 << 20 };
enum { SUM_BITS = 62, MOST_BITS = 40 }; /* of the sum over all rows, and of a target */

/* Some columns whose trees are grown at the same time. Possible splits lie in the middle between two points, which are
 * quantiles; cells between two splits. */
typedef struct growth {
  const preparation *p;
  uint32_t bins, points, folds, targets, most; /* most: columns at a time */
  bool classes;
  uint32_t *columns;          /* (most) */
  column_quantile *quantiles; /* (most, points) */
  double *places;             /* (most, points) of the possible splits, ascending */
  uint32_t *splits;           /* (most) how many there are */
  uint64_t *counts;           /* (most, folds, points, counters) of cells */
  double *middle, *half;      /* (targets) of the range of the values */
  double scale;               /* 2^bits */
  uint64_t *summed;           /* (points + 1, counters) */
  double *weights;            /* (targets) */
  uint32_t *chosen;           /* (bins) */
  uint32_t count;             /* columns in use */
} growth;

static size_t cell_size(const growth *g) { return target_counters(g->classes, g->targets); }
static size_t column_size(const growth *g) { return (size_t)g->folds * g->points * cell_size(g); }

static void lay_out(void *owner, memory_layout *layout) {
  growth *const g = owner;
  g->columns = memory_place(layout, g->most, sizeof *g->columns);
  g->quantiles = memory_place(layout, (size_t)g->most * g->points, sizeof *g->quantiles);
  g->places = memory_place(layout, (size_t)g->most * g->points, sizeof *g->places);
  g->splits = memory_place(layout, g->most, sizeof *g->splits);
  g->counts = memory_place(layout, g->most * column_size(g), sizeof *g->counts);
  g->middle = memory_place(layout, g->targets, sizeof *g->middle);
  g->half = memory_place(layout, g->targets, sizeof *g->half);
  g->summed = memory_place(layout, (g->points + (size_t)1) * cell_size(g), sizeof *g->summed);
  g->weights = memory_place(layout, g->targets, sizeof *g->weights);
  g->chosen = memory_place(layout, g->bins, sizeof *g->chosen);
}

/* Of so many targets; a target fits into its bits so that the sum over all rows has a bit to spare. */
static growth new_growth(const preparation *p, uint32_t bins, uint32_t targets, uint64_t rows) {
  growth g = {.p = p,
              .bins = bins,
              .points = bins < USUAL_POINTS ? USUAL_POINTS : bins + 1,
              .folds = p->options.folds,
              .targets = targets,
              .classes = p->options.task == MLPD_CLASSIFICATION};
  int bits = 0;
  if (rows < g.points) g.points = rows > 2 ? (uint32_t)rows : 2;
  const size_t fitting = COUNTS_BYTES / (column_size(&g) * sizeof *g.counts);
  g.most = fitting < COLUMNS_AT_A_TIME ? (uint32_t)fitting : COLUMNS_AT_A_TIME;
  if (g.most > p->features) g.most = p->features;
  if (g.most == 0) g.most = 1;
  (void)frexp((double)rows, &bits);
  g.scale = ldexp(1, SUM_BITS - bits < MOST_BITS ? SUM_BITS - bits : MOST_BITS);
  return g;
}

/* ---- Counting --------------------------------------------------------------------------------------- */

typedef struct target_range {
  uint32_t targets;
  double *most; /* (2, targets): the greatest values, and the least with their sign turned */
} target_range;

static mlpd_status look_for_range(void *context, const shard *rows) {
  const target_range *const r = context;
  for (uint64_t i = 0; i < rows->rows; i++)
    for (uint32_t t = 0; t < r->targets; t++) {
      const double value = (double)rows->values[i * r->targets + t];
      r->most[t] = fmax(r->most[t], value);
      r->most[r->targets + t] = fmax(r->most[r->targets + t], -value);
    }
  return MLPD_OK;
}

static mlpd_status find_range(mlpd_comm *comm, const growth *g) {
  target_range r = {.targets = g->targets};
  mlpd_status status = memory_allocate(&r.most, 2 * (size_t)g->targets, sizeof *r.most, "targets");
  for (uint32_t i = 0; i < 2 * g->targets && status == MLPD_OK; i++) r.most[i] = -INFINITY;
  if (status == MLPD_OK) status = column_rows_each(comm, &g->p->source, g->p, true, look_for_range, &r);
  status = mlpd_comm_agree(comm, status);
  if (status == MLPD_OK) status = comm_max_double(comm, r.most, 2 * (uint64_t)g->targets);
  for (uint32_t t = 0; t < g->targets && status == MLPD_OK; t++) {
    g->middle[t] = 0.5 * (r.most[t] - r.most[g->targets + t]);
    g->half[t] = 0.5 * (r.most[t] + r.most[g->targets + t]);
  }
  free(r.most);
  return status;
}

/* How many of the places (count), ascending, are at most value. */
static uint32_t cell_of(const double *places, uint32_t count, double value) {
  uint32_t first = 0;
  while (count > 0) {
    const uint32_t half = count / 2;
    if (places[first + half] <= value) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

static uint64_t whole(const growth *g, double part) { return (uint64_t)(int64_t)llround(part * g->scale); }

static void count_targets(const growth *g, const shard *rows, uint64_t i, uint64_t *cell) {
  cell[0]++;
  if (g->classes) {
    cell[1 + rows->classes[i]]++;
    return;
  }
  for (uint32_t t = 0; t < g->targets; t++) {
    const double value = (double)rows->values[i * g->targets + t];
    const double part = g->half[t] > 0 ? (value - g->middle[t]) / g->half[t] : 0; /* -1 to 1 */
    cell[1 + 2 * t] += whole(g, part);
    cell[2 + 2 * t] += whole(g, part * part);
  }
}

static mlpd_status count_rows(void *context, const shard *rows) {
  const growth *const g = context;
#pragma omp parallel for num_threads(g->p->threads) schedule(dynamic)
  for (uint32_t c = 0; c < g->count; c++) {
    uint64_t *const counts = g->counts + c * column_size(g);
    for (uint64_t i = 0; i < rows->rows; i++) {
      const double value = element_get(rows->type, rows->x, i * g->p->features + g->columns[c]);
      if (isnan(value)) continue;
      const uint32_t fold = rows->folds != NULL ? rows->folds[i] : 0;
      const uint32_t cell = cell_of(g->places + (size_t)c * g->points, g->splits[c], value);
      count_targets(g, rows, i, counts + ((size_t)fold * g->points + cell) * cell_size(g));
    }
  }
  return MLPD_OK;
}

/* ---- Trees ------------------------------------------------------------------------------------------ */

/* Adds the counts of all folds but one. */
static void sum_folds(const growth *g, uint32_t c, uint32_t left_out) {
  const size_t size = (size_t)g->points * cell_size(g);
  memset(g->summed, 0, size * sizeof *g->summed);
  for (uint32_t fold = 0; fold < g->folds; fold++) {
    const uint64_t *const counts = g->counts + c * column_size(g) + fold * size;
    for (size_t i = 0; i < size && fold != left_out; i++) g->summed[i] += counts[i];
  }
}

static bool is_empty(const growth *g, uint32_t c, uint32_t cell) {
  uint64_t rows = 0;
  for (uint32_t fold = 0; fold < g->folds; fold++)
    rows += g->counts[c * column_size(g) + ((size_t)fold * g->points + cell) * cell_size(g)];
  return rows == 0;
}

/* Where a split is: in the middle of the places that divide the rows as it does. */
static double place_of(const growth *g, uint32_t c, uint32_t split) {
  const double *const places = g->places + (size_t)c * g->points;
  uint32_t last = split;
  while (last < g->splits[c] && is_empty(g, c, last)) last++;
  return 0.5 * places[split - 1] + 0.5 * places[last - 1];
}

static void grow(const growth *g, uint32_t c, const column_tree *tree) {
  const affine *const input = &g->p->model->input;
  const column_quantile *const quantiles = g->quantiles + (size_t)c * g->points;
  const double least = quantiles[0].value, most = quantiles[g->points - 1].value;
  target_counts counts = {.cells = g->splits[c] + 1,
                          .targets = g->targets,
                          .classes = g->classes,
                          .unit = g->classes ? 1 : 1 / g->scale,
                          .weights = g->weights,
                          .counts = g->summed};
  memset(tree->edges, 0, (g->bins + (size_t)1) * sizeof *tree->edges);
  if (isnan(least)) return;
  sum_folds(g, c, tree->left_out);
  target_counts_add_up(&counts);
  const uint32_t splits = target_tree_grow(&counts, g->bins, g->chosen);
  for (uint32_t t = 0; t <= g->bins; t++) {
    const double edge = t == 0 ? least : t <= splits ? place_of(g, c, g->chosen[t - 1]) : most;
    tree->edges[t] = affine_number(input, tree->column, edge);
  }
  piecewise_join(g->bins, tree->edges);
}

/* The possible splits of a column: in the middle between two points that differ. */
static void place_splits(growth *g, uint32_t c) {
  const column_quantile *const points = g->quantiles + (size_t)c * g->points;
  double *const places = g->places + (size_t)c * g->points;
  g->splits[c] = 0;
  for (uint32_t i = 1; i < g->points && !isnan(points[0].value); i++)
    if (points[i].value > points[i - 1].value)
      places[g->splits[c]++] = 0.5 * points[i - 1].value + 0.5 * points[i].value;
}

static mlpd_status count_columns(mlpd_comm *comm, growth *g) {
  for (uint32_t c = 0; c < g->count; c++)
    for (uint32_t i = 0; i < g->points; i++)
      g->quantiles[(size_t)c * g->points + i] =
          (column_quantile){.column = g->columns[c], .fraction = (double)i / (double)(g->points - 1)};
  TRY(column_quantiles_find(comm, &g->p->source, g->p, g->quantiles, (size_t)g->count * g->points));
  for (uint32_t c = 0; c < g->count; c++) place_splits(g, c);
  memset(g->counts, 0, g->count * column_size(g) * sizeof *g->counts);
  TRY(mlpd_comm_agree(comm, column_rows_each(comm, &g->p->source, g->p, true, count_rows, g)));
  return comm_sum_u64(comm, g->counts, g->count * column_size(g));
}

/* Takes the columns of the next trees, of which there are `left`; returns how many trees these are. */
static uint32_t take_columns(growth *g, const column_tree *next, uint32_t left) {
  uint32_t i = 0;
  g->count = 0;
  for (; i < left; i++) {
    if (i > 0 && next[i].column == next[i - 1].column) continue;
    if (g->count == g->most) break;
    g->columns[g->count++] = next[i].column;
  }
  return i;
}

static mlpd_status grow_some(mlpd_comm *comm, growth *g, const column_tree *trees, uint32_t count) {
  TRY(count_columns(comm, g));
  for (uint32_t i = 0, c = 0; i < count; i++) {
    c += g->columns[c] != trees[i].column;
    grow(g, c, &trees[i]);
  }
  return MLPD_OK;
}

mlpd_status column_trees_find(mlpd_comm *comm, const preparation *p, uint32_t bins, const column_tree *all,
                              uint32_t count) {
  growth g = new_growth(p, bins, p->targets, p->plan.rows);
  char *memory = NULL;
  mlpd_status status = mlpd_comm_agree(comm, memory_allocate_layout(lay_out, &g, "trees of columns", &memory));
  if (status == MLPD_OK && !g.classes) status = find_range(comm, &g);
  for (uint32_t first = 0, taken = 0; first < count && status == MLPD_OK; first += taken) {
    taken = take_columns(&g, all + first, count - first);
    status = grow_some(comm, &g, all + first, taken);
  }
  free(memory);
  return status;
}

uint64_t column_trees_size(const preparation *p, uint32_t bins) {
  const bool classes = p->options.task == MLPD_CLASSIFICATION;
  const uint32_t targets = !classes ? p->source.y_columns : p->options.classes > 2 ? p->options.classes : 2;
  growth g = new_growth(p, bins, targets, p->file_rows);
  return memory_layout_size(lay_out, &g) + column_quantiles_size((size_t)g.most * g.points);
}
