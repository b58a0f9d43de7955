#include "prepare/column_bins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/piecewise.h"
#include "network/layer_kind.h"
#include "prepare/column_quantiles.h"
#include "prepare/column_trees.h"
#include "ranks/comm.h"

enum { NUMBERS_AT_A_TIME = 64 };

/* The numbers among the inputs, and their edges. */
typedef struct binning {
  const preparation *p;
  uint32_t *columns; /* (inputs) of each number that has edges to find: its column */
  float **edges;     /* (inputs) and where they go */
  uint32_t bins, count;
  column_quantile *quantiles; /* (most_quantiles) */
} binning;

/* The trees whose splits are edges (--embed-edges targets). */
typedef struct planting {
  const preparation *p;
  uint32_t count;
  column_tree *trees; /* (inputs, folds) */
} planting;

static size_t most_quantiles(const binning *b) {
  const uint32_t numbers = b->p->features < NUMBERS_AT_A_TIME ? b->p->features : NUMBERS_AT_A_TIME;
  return numbers * ((size_t)b->bins + 1);
}

static void lay_out(void *owner, memory_layout *layout) {
  binning *const b = owner;
  b->columns = memory_place(layout, b->p->inputs, sizeof *b->columns);
  b->edges = memory_place(layout, b->p->inputs, sizeof *b->edges);
  b->quantiles = memory_place(layout, most_quantiles(b), sizeof *b->quantiles);
}

static void lay_out_trees(void *owner, memory_layout *layout) {
  planting *const l = owner;
  l->trees = memory_place(layout, (size_t)l->p->inputs * l->p->options.folds, sizeof *l->trees);
}

uint64_t column_bins_size(const preparation *p) {
  binning b = {.p = p, .bins = p->options.embed_bins};
  planting l = {.p = p};
  if (p->options.embed_numbers != MLPD_EMBED_NUMBERS_PIECEWISE) return 0;
  if (p->options.embed_edges == MLPD_EMBED_EDGES_TARGETS)
    return memory_layout_size(lay_out_trees, &l) + column_trees_size(p, b.bins);
  return memory_layout_size(lay_out, &b) + column_quantiles_size(most_quantiles(&b));
}

static bool is_number(const preparation *p, uint32_t input) {
  const column_codes *const codes = &p->model->codes;
  if (codes->about.count == 0) return true;
  const uint32_t column = column_codes_source(codes, input);
  return input == codes->begin[column] && codes->about.kinds[column] == COLUMN_KIND_NUMBER;
}

bool column_bins_possible(const preparation *p) {
  for (uint32_t i = 0; i < p->inputs; i++)
    if (is_number(p, i)) return true;
  return false;
}

/* Edges of a model are kept with its normalisation; they are not all the same. */
static bool keeps_edges(const preparation *p, uint32_t bins, const float *edges) {
  return p->keeps_scales && edges[0] < edges[bins];
}

static void find_numbers(binning *b, const tensor *t, float *edges) {
  const preparation *const p = b->p;
  for (uint32_t i = 0; i < p->inputs; i++) {
    if (!is_number(p, i)) continue;
    if (!keeps_edges(p, b->bins, edges)) {
      b->columns[b->count] = affine_column_of(&p->model->input, i);
      b->edges[b->count++] = edges;
    }
    edges += t->stride;
  }
}

/* Members that share nothing have the same edges, unless a model gave them some. */
static void copy_edges(const preparation *p, const tensor *t, float *edges) {
  const uint32_t rows = tensor_group_rows(t);
  for (uint32_t row = rows; row < t->rows; row++) {
    float *const to = edges + (size_t)row * t->stride;
    if (!keeps_edges(p, t->columns - 1, to))
      memcpy(to, edges + (size_t)(row % rows) * t->stride, t->columns * sizeof *to);
  }
}

/* The edges of a number from its quantiles; 0 where it has no values. */
static void set_edges(const binning *b, uint32_t column, const column_quantile *quantiles, float *edges) {
  const bool none = isnan(quantiles[0].value);
  for (uint32_t t = 0; t <= b->bins; t++)
    edges[t] = none ? 0 : affine_number(&b->p->model->input, column, quantiles[t].value);
  piecewise_join(b->bins, edges);
}

/* Asks for the quantiles of a column again, at better fractions; false: they are good as they are. */
static bool ask_again(const binning *b, const column_quantile *found, column_quantile *again) {
  double values[PIECEWISE_MOST_BINS + 1], fractions[PIECEWISE_MOST_BINS + 1];
  const uint32_t column = found->column;
  for (uint32_t t = 0; t <= b->bins; t++) values[t] = found[t].value;
  if (!piecewise_spread(b->bins, values, b->p->plan.rows, fractions)) return false;
  for (uint32_t t = 0; t <= b->bins; t++) again[t] = (column_quantile){.column = column, .fraction = fractions[t]};
  return true;
}

/* Numbers [begin, end) of those that have edges to find. Collective. */
static mlpd_status find_some(mlpd_comm *comm, const binning *b, uint32_t begin, uint32_t end) {
  const size_t edges = (size_t)b->bins + 1;
  uint32_t again[NUMBERS_AT_A_TIME], count = 0;
  for (uint32_t k = begin; k < end; k++)
    for (uint32_t t = 0; t <= b->bins; t++)
      b->quantiles[(k - begin) * edges + t] =
          (column_quantile){.column = b->columns[k], .fraction = (double)t / (double)b->bins};
  TRY(column_quantiles_find(comm, &b->p->source, b->p, b->quantiles, (end - begin) * edges));
  for (uint32_t k = begin; k < end; k++) {
    const column_quantile *const found = b->quantiles + (k - begin) * edges;
    set_edges(b, b->columns[k], found, b->edges[k]);
    if (ask_again(b, found, b->quantiles + count * edges)) again[count++] = k;
  }
  if (count == 0) return MLPD_OK;
  TRY(column_quantiles_find(comm, &b->p->source, b->p, b->quantiles, count * edges));
  for (uint32_t i = 0; i < count; i++) set_edges(b, b->columns[again[i]], b->quantiles + i * edges, b->edges[again[i]]);
  return MLPD_OK;
}

static const layer *find_layer(const mlpd_network *network, uint32_t *l) {
  for (*l = 0; *l < network->num_layers; (*l)++)
    if (network->layers[*l].kind == &layer_piecewise) return &network->layers[*l];
  return NULL;
}

static mlpd_status find_quantiles(mlpd_comm *comm, const preparation *p, const tensor *t, float *edges) {
  binning b = {.p = p, .bins = t->columns - 1};
  char *memory = NULL;
  mlpd_status status = mlpd_comm_agree(comm, memory_allocate_layout(lay_out, &b, "bins", &memory));
  if (status == MLPD_OK) find_numbers(&b, t, edges);
  for (uint32_t begin = 0; begin < b.count && status == MLPD_OK; begin += NUMBERS_AT_A_TIME)
    status = find_some(comm, &b, begin, b.count - begin < NUMBERS_AT_A_TIME ? b.count : begin + NUMBERS_AT_A_TIME);
  if (status == MLPD_OK) copy_edges(p, t, edges);
  free(memory);
  return status;
}

/* ---- Edges from targets ----------------------------------------------------------------------------- */

/* A tree for each number or, with folds, for each number of each member, which must not know the targets of the rows
 * that it leaves out: they are its validation rows. */
static void plant(planting *l, const tensor *t, float *edges) {
  const preparation *const p = l->p;
  const size_t member = (size_t)tensor_group_rows(t) * t->stride;
  const uint32_t bins = t->columns - 1;
  for (uint32_t i = 0; i < p->inputs; i++) {
    if (!is_number(p, i)) continue;
    const uint32_t column = affine_column_of(&p->model->input, i);
    for (uint32_t fold = 0; fold < p->options.folds; fold++) {
      const uint32_t left_out = p->folds != NULL ? fold : COLUMN_TREES_ALL_ROWS;
      if (!keeps_edges(p, bins, edges + fold * member))
        l->trees[l->count++] = (column_tree){column, left_out, edges + fold * member};
    }
    edges += t->stride;
  }
}

static mlpd_status grow_trees(mlpd_comm *comm, const preparation *p, const tensor *t, float *edges) {
  planting l = {.p = p};
  char *memory = NULL;
  mlpd_status status = mlpd_comm_agree(comm, memory_allocate_layout(lay_out_trees, &l, "bins", &memory));
  if (status == MLPD_OK) plant(&l, t, edges);
  if (status == MLPD_OK && l.count > 0) status = column_trees_find(comm, p, t->columns - 1, l.trees, l.count);
  if (status == MLPD_OK && p->folds == NULL) copy_edges(p, t, edges);
  free(memory);
  return status;
}

/* ---- All of it -------------------------------------------------------------------------------------- */

mlpd_status column_bins_find(mlpd_comm *comm, preparation *p) {
  mlpd_network *const network = p->model->network;
  uint32_t l = 0;
  if (find_layer(network, &l) == NULL) return MLPD_OK;
  const tensor *const t = layer_tensor(network, l, 0);
  float *const edges = network->parameters + t->offset;
  return p->options.embed_edges == MLPD_EMBED_EDGES_TARGETS ? grow_trees(comm, p, t, edges)
                                                            : find_quantiles(comm, p, t, edges);
}
