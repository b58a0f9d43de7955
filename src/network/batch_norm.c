/* Batch norm (Ioffe and Szegedy 2015) with statistics of each lane's rows in training (ghost batches: Hoffer, Hubara
 * and Soudry 2017), so that no messages are needed and nothing depends on the ranks: z = gain x^ + shift, x^ = (x -
 * mean) / sqrt(variance + 1e-5), mean and variance of a column. Outside of training they are running means: after each
 * step a tenth of the way to the step's, in which a lane counts by its rows. The variance is that of all rows, not of
 * those of a lane, estimated without bias. A lane of one row gives x^ = 0, and leaves the running variance as it is.
 *
 * Sums over rows are in double, row after row. */
#include <float.h>
#include <math.h>

#include "kernels/multiversion.h"
#include "kernels/vector.h"
#include "network/layer_kind.h"

enum { GAIN, SHIFT, MEAN, VARIANCE, TENSORS, CHUNK = 64 /* columns at a time */ };

static const double EPSILON = 1e-5;
static const float MOMENTUM = 0.1f;

static uint32_t norm_tensors(const layer *l, const layer_spec *spec, tensor made[LAYER_MOST_TENSORS]) {
  static const char *const names[TENSORS] = {"gain", "shift", "mean", "variance"};
  (void)spec;
  for (int i = 0; i < TENSORS; i++)
    made[i] = (tensor){.name = names[i],
                       .rows = 1,
                       .columns = l->outputs,
                       .vector = true,
                       .source = i < MEAN ? TENSOR_GRADIENT : TENSOR_STATISTICS,
                       .rate = i < MEAN ? 1 : MOMENTUM,
                       .value = i == GAIN || i == VARIANCE ? 1 : 0};
  return TENSORS;
}

/* n rows of some columns, all of a lane's rows in training. */
typedef struct columns {
  uint64_t n;
  uint32_t first, count; /* columns; at most CHUNK */
  const float *x;        /* the first element */
  uint32_t stride;
} columns;

/* Of each column. */
typedef struct column_sums {
  double sum[CHUNK], squares[CHUNK]; /* of x, and of its differences from the mean */
  float mean[CHUNK], inverse[CHUNK]; /* 1 / sqrt(variance + epsilon) */
} column_sums;

static columns columns_at(const mlpd_network *network, const workspace *space, uint32_t l, uint64_t row, uint64_t n,
                          uint32_t first, uint32_t end) {
  const uint32_t count = end - first < CHUNK ? end - first : CHUNK;
  return (columns){n, first, count, layer_input(network, space, l, row) + first, layer_input_stride(network, l)};
}

MULTIVERSION static void add_values(const columns *c, double *sum) {
  for (uint32_t j = 0; j < c->count; j++) sum[j] = 0;
  for (uint64_t i = 0; i < c->n; i++)
    for (uint32_t j = 0; j < c->count; j++) sum[j] += (double)c->x[i * c->stride + j];
}

MULTIVERSION static void add_squares(const columns *c, const double *mean, double *sum) {
  for (uint32_t j = 0; j < c->count; j++) sum[j] = 0;
  for (uint64_t i = 0; i < c->n; i++)
    for (uint32_t j = 0; j < c->count; j++) {
      const double off = (double)c->x[i * c->stride + j] - mean[j];
      sum[j] += off * off;
    }
}

static void sum_columns(const columns *c, column_sums *s) {
  double mean[CHUNK];
  add_values(c, s->sum);
  for (uint32_t j = 0; j < c->count; j++) mean[j] = s->sum[j] / (double)c->n;
  add_squares(c, mean, s->squares);
  for (uint32_t j = 0; j < c->count; j++) {
    s->mean[j] = (float)mean[j];
    s->inverse[j] = (float)(1 / sqrt(s->squares[j] / (double)c->n + EPSILON));
  }
}

/* What columns are normalised with. */
static void find_scales(const mlpd_network *network, const workspace *space, uint32_t l, const columns *c,
                        column_sums *s) {
  if (space->context.training) {
    sum_columns(c, s);
    return;
  }
  const float *const mean = layer_values(network, l, MEAN) + c->first;
  const float *const variance = layer_values(network, l, VARIANCE) + c->first;
  for (uint32_t j = 0; j < c->count; j++) {
    s->mean[j] = mean[j];
    s->inverse[j] = (float)(1 / sqrt((double)variance[j] + EPSILON));
  }
}

MULTIVERSION static void normalise(const columns *c, const column_sums *s, const float *gain, const float *shift,
                                   float *z, uint32_t stride) {
  for (uint64_t i = 0; i < c->n; i++) {
    const float *const x = c->x + i * c->stride;
    float *const to = z + i * stride;
    for (uint32_t j = 0; j < c->count; j++) to[j] = gain[j] * ((x[j] - s->mean[j]) * s->inverse[j]) + shift[j];
  }
}

static void norm_forward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                         workspace *space) {
  const uint32_t stride = network->layers[l].stride, end = part->column + part->columns;
  (void)gemm;
  for (uint32_t first = part->column; first < end; first += CHUNK) {
    const columns c = columns_at(network, space, l, part->row, part->rows, first, end);
    column_sums s;
    find_scales(network, space, l, &c, &s);
    normalise(&c, &s, layer_values(network, l, GAIN) + first, layer_values(network, l, SHIFT) + first,
              space->z[l] + part->row * stride + first, stride);
  }
  layer_activate(network, l, part, NULL, space);
}

/* Sums of delta x^. */
MULTIVERSION static void add_products(const columns *c, const column_sums *s, const float *delta, uint32_t stride,
                                      double *sum) {
  for (uint32_t j = 0; j < c->count; j++) sum[j] = 0;
  for (uint64_t i = 0; i < c->n; i++)
    for (uint32_t j = 0; j < c->count; j++)
      sum[j] += (double)(delta[i * stride + j] * ((c->x[i * c->stride + j] - s->mean[j]) * s->inverse[j]));
}

/* dC/dx = gain / sqrt(variance + epsilon) (delta - mean of delta - x^ mean of delta x^); the means are 0 where mean and
 * variance do not depend on x. */
MULTIVERSION static void delta_columns(const columns *c, const column_sums *s, const float *gain, const float *delta,
                                       uint32_t stride, const float *mean, const float *mean_x, float *to,
                                       uint32_t to_stride) {
  for (uint64_t i = 0; i < c->n; i++)
    for (uint32_t j = 0; j < c->count; j++) {
      const float scaled = (c->x[i * c->stride + j] - s->mean[j]) * s->inverse[j];
      to[i * to_stride + j] = gain[j] * s->inverse[j] * ((delta[i * stride + j] - mean[j]) - scaled * mean_x[j]);
    }
}

static void norm_backward(const mlpd_network *network, const backend *gemm, uint32_t l, const block *part,
                          workspace *space) {
  const uint32_t stride = network->layers[l].stride, end = part->column + part->columns;
  float *const to = layer_delta_below(network, space, l, part);
  (void)gemm;
  for (uint32_t first = part->column; first < end; first += CHUNK) {
    const columns c = columns_at(network, space, l, part->row, part->rows, first, end);
    const float *const delta = space->delta[l] + part->row * stride + first;
    double sum[CHUNK] = {0}, sum_x[CHUNK] = {0};
    float mean[CHUNK], mean_x[CHUNK];
    column_sums s;
    find_scales(network, space, l, &c, &s);
    if (space->context.training) add_values(&(columns){c.n, first, c.count, delta, stride}, sum);
    if (space->context.training) add_products(&c, &s, delta, stride, sum_x);
    for (uint32_t j = 0; j < c.count; j++) mean[j] = (float)(sum[j] / (double)c.n);
    for (uint32_t j = 0; j < c.count; j++) mean_x[j] = (float)(sum_x[j] / (double)c.n);
    delta_columns(&c, &s, layer_values(network, l, GAIN) + first, delta, stride, mean, mean_x,
                  to + (first - part->column), layer_input_stride(network, l));
  }
}

/* The part of the step's mean of variances that a lane adds, times the step's rows; running: the unit's own values. The
 * step's rows are counted without copies. */
static void variance_sums(const columns *c, const column_sums *s, uint32_t copies, const float *running, float *out) {
  const double n = (double)c->n;
  for (uint32_t j = 0; j < c->count; j++)
    out[j] = c->n > 1 ? (float)fmin(s->squares[j] * n / (n - 1) / copies, FLT_MAX) : running[j];
}

static void norm_gradient(const mlpd_network *network, const gradient_unit *unit, uint64_t row, uint64_t n,
                          const workspace *space, float *gradient, uint32_t stride) {
  const uint32_t l = unit->layer, delta_stride = network->layers[l].stride, end = unit->column + unit->columns;
  const uint32_t which = unit->tensor - network->layers[l].first_tensor, copies = network->layers[l].copies;
  (void)stride;
  for (uint32_t first = unit->column; first < end; first += CHUNK) {
    const columns c = columns_at(network, space, l, row, n, first, end);
    const float *const delta = space->delta[l] + row * delta_stride + first;
    float *const out = gradient + (first - unit->column);
    double sum[CHUNK];
    column_sums s;
    if (which != SHIFT) sum_columns(&c, &s);
    if (which == SHIFT) add_values(&(columns){n, first, c.count, delta, delta_stride}, sum);
    if (which == GAIN) add_products(&c, &s, delta, delta_stride, sum);
    for (uint32_t j = 0; j < c.count && which < VARIANCE; j++)
      out[j] = (float)(which == MEAN ? s.sum[j] / copies : sum[j]);
    if (which == VARIANCE) variance_sums(&c, &s, copies, layer_values(network, l, VARIANCE) + first, out);
  }
}

static void norm_affine(const mlpd_network *network, uint32_t l, double *factor, double *shift) {
  for (uint32_t j = 0; j < network->layers[l].outputs; j++) {
    factor[j] =
        (double)layer_values(network, l, GAIN)[j] / sqrt((double)layer_values(network, l, VARIANCE)[j] + EPSILON);
    shift[j] = (double)layer_values(network, l, SHIFT)[j] - factor[j] * (double)layer_values(network, l, MEAN)[j];
  }
}

const layer_kind layer_batch_norm = {.name = "batch-norm",
                                     .reach = REACH_LANE,
                                     .tensors = norm_tensors,
                                     .forward = norm_forward,
                                     .backward = norm_backward,
                                     .gradient = norm_gradient,
                                     .affine = norm_affine};
