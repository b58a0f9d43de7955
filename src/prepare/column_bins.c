#include "prepare/column_bins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/piecewise.h"
#include "network/layer_kind.h"
#include "prepare/column_quantiles.h"
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

uint64_t column_bins_size(const preparation *p) {
  binning b = {.p = p, .bins = p->options.embed_bins};
  if (p->options.embed_numbers != MLPD_EMBED_NUMBERS_PIECEWISE) return 0;
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

/* Edges of a model are not all the same. */
static bool has_edges(const binning *b, const float *edges) { return edges[0] < edges[b->bins]; }

static void find_numbers(binning *b, const tensor *t, float *edges) {
  const preparation *const p = b->p;
  for (uint32_t i = 0; i < p->inputs; i++) {
    if (!is_number(p, i)) continue;
    if (!p->keeps_scales || !has_edges(b, edges)) {
      b->columns[b->count] = affine_column_of(&p->model->input, i);
      b->edges[b->count++] = edges;
    }
    edges += t->stride;
  }
}

/* Members that share nothing have the same edges, unless a model gave them some. */
static void copy_edges(const binning *b, const tensor *t, float *edges) {
  const uint32_t rows = tensor_group_rows(t);
  for (uint32_t row = rows; row < t->rows; row++) {
    float *const to = edges + (size_t)row * t->stride;
    if (!b->p->keeps_scales || !has_edges(b, to))
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

mlpd_status column_bins_find(mlpd_comm *comm, preparation *p) {
  mlpd_network *const network = p->model->network;
  uint32_t l = 0;
  const layer *const bent = find_layer(network, &l);
  if (bent == NULL) return MLPD_OK;
  const tensor *const t = layer_tensor(network, l, 0);
  binning b = {.p = p, .bins = t->columns - 1};
  char *memory = NULL;
  mlpd_status status = mlpd_comm_agree(comm, memory_allocate_layout(lay_out, &b, "bins", &memory));
  if (status == MLPD_OK) find_numbers(&b, t, network->parameters + t->offset);
  for (uint32_t begin = 0; begin < b.count && status == MLPD_OK; begin += NUMBERS_AT_A_TIME)
    status = find_some(comm, &b, begin, b.count - begin < NUMBERS_AT_A_TIME ? b.count : begin + NUMBERS_AT_A_TIME);
  if (status == MLPD_OK) copy_edges(&b, t, network->parameters + t->offset);
  free(memory);
  return status;
}
