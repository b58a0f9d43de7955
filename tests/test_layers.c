/* Kinds of layers: each is compared with its formula in double, its gradients with central differences of that; the
 * bits do not depend on the division into blocks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "kernels/piecewise.h"
#include "kernels/random.h"
#include "network/init.h"
#include "network/layer_kind.h"
#include "network/network_options.h"
#include "network/optimizer.h"
#include "quick_options.h"

enum { ROWS = 7, INPUTS = 5, OUTPUTS = 3, MOST_WIDTH = 40, MEMBERS = 3, MOST_ROWS = ROWS * MEMBERS };

/* ---- Networks in double --------------------------------------------------------------------------- */

/* A network with values in double, and the pass in float that it is compared with: random layers do in double what they
 * did there. */
typedef struct double_network {
  const mlpd_network *network;
  const mlpd_trace *trace;
  const float *x, *y;
  double *values; /* (arena_size) */
} double_network;

static const double *values_of(const double_network *d, uint32_t l, uint32_t i) {
  return d->values + layer_tensor(d->network, l, i)->offset;
}

static uint32_t rows_of(const double_network *d, uint32_t l) { return ROWS * d->network->layers[l].copies; }

static void dense_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const layer *const shape = &d->network->layers[l];
  const uint32_t stride = layer_tensor(d->network, l, 0)->stride;
  for (uint32_t i = 0; i < rows_of(d, l); i++)
    for (uint32_t j = 0; j < shape->outputs; j++) {
      double *const to = &z[i * MOST_WIDTH + j];
      *to = shape->num_tensors > 1 ? values_of(d, l, 1)[j] : 0;
      for (uint32_t k = 0; k < shape->inputs; k++) *to += in[i * MOST_WIDTH + k] * values_of(d, l, 0)[k * stride + j];
    }
}

/* The factors of a dropout are in its z, the noise is what it added. */
static void random_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const uint32_t n = d->network->layers[l].outputs;
  const bool dropout = d->network->layers[l].kind == &layer_dropout;
  for (uint32_t i = 0; i < rows_of(d, l); i++)
    for (uint32_t j = 0; j < n; j++) {
      const double before = l == 0 ? (double)d->x[i * n + j] : (double)d->trace->a[l - 1][i * n + j];
      const double v = in[i * MOST_WIDTH + j];
      z[i * MOST_WIDTH + j] =
          dropout ? v * (double)d->trace->z[l][i * n + j] : v + ((double)d->trace->a[l][i * n + j] - before);
    }
}

/* Mean 0 and variance 1 over count values, step apart; then gain and shift by column. */
static void normalise_in_double(const double *in, uint32_t count, uint32_t step, double *z) {
  double mean = 0, variance = 0;
  for (uint32_t i = 0; i < count; i++) mean += in[i * step] / count;
  for (uint32_t i = 0; i < count; i++) variance += pow(in[i * step] - mean, 2) / count;
  for (uint32_t i = 0; i < count; i++) z[i * step] = (in[i * step] - mean) / sqrt(variance + 1e-5);
}

static void norm_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const uint32_t n = d->network->layers[l].outputs;
  const bool batch = d->network->layers[l].kind == &layer_batch_norm;
  const uint32_t rows = rows_of(d, l);
  for (uint32_t i = 0; i < (batch ? n : rows); i++)
    normalise_in_double(in + i * (batch ? 1 : MOST_WIDTH), batch ? rows : n, batch ? MOST_WIDTH : 1,
                        z + i * (batch ? 1 : MOST_WIDTH));
  for (uint32_t i = 0; i < rows; i++)
    for (uint32_t j = 0; j < n; j++)
      z[i * MOST_WIDTH + j] = values_of(d, l, 0)[j] * z[i * MOST_WIDTH + j] + values_of(d, l, 1)[j];
}

/* gain x / sqrt(mean of x^2 + 1e-5) */
static void rms_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const uint32_t n = d->network->layers[l].outputs;
  for (uint32_t i = 0; i < rows_of(d, l); i++) {
    double square = 0;
    for (uint32_t j = 0; j < n; j++) square += pow(in[i * MOST_WIDTH + j], 2) / n;
    for (uint32_t j = 0; j < n; j++)
      z[i * MOST_WIDTH + j] = values_of(d, l, 0)[j] * in[i * MOST_WIDTH + j] / sqrt(square + 1e-5);
  }
}

static void scale_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const layer *const shape = &d->network->layers[l];
  const uint32_t stride = layer_tensor(d->network, l, 0)->stride;
  for (uint32_t i = 0; i < rows_of(d, l); i++)
    for (uint32_t j = 0; j < shape->outputs; j++)
      z[i * MOST_WIDTH + j] = values_of(d, l, 0)[i % shape->copies * stride + j] * in[i * MOST_WIDTH + j];
}

/* Member k of row i is row i * members + k. */
static void fan_out_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const uint32_t members = d->network->layers[l].copies;
  const bool scaled = d->network->layers[l].num_tensors > 0;
  const uint32_t stride = scaled ? layer_tensor(d->network, l, 0)->stride : 0;
  for (uint32_t i = 0; i < ROWS; i++)
    for (uint32_t k = 0; k < members; k++)
      for (uint32_t j = 0; j < d->network->layers[l].outputs; j++)
        z[(i * members + k) * MOST_WIDTH + j] =
            (scaled ? values_of(d, l, 0)[k * stride + j] : 1) * in[i * MOST_WIDTH + j];
}

static void heads_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const layer *const shape = &d->network->layers[l];
  const uint32_t stride = layer_tensor(d->network, l, 0)->stride, bias = layer_tensor(d->network, l, 1)->stride;
  for (uint32_t i = 0; i < rows_of(d, l); i++)
    for (uint32_t j = 0; j < shape->outputs; j++) {
      const uint32_t k = i % shape->copies;
      double *const to = &z[i * MOST_WIDTH + j];
      *to = values_of(d, l, 1)[k * bias + j];
      for (uint32_t e = 0; e < shape->inputs; e++)
        *to += in[i * MOST_WIDTH + e] * values_of(d, l, 0)[(k * shape->inputs + e) * stride + j];
    }
}

/* The first row of a layer's tensors for the member of row r. */
static uint32_t first_row(const layer *shape, uint32_t r) { return r % shape->copies * layer_total_size(shape); }

static void embed_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const layer *const shape = &d->network->layers[l];
  const uint32_t stride = layer_tensor(d->network, l, 0)->stride;
  for (uint32_t r = 0; r < rows_of(d, l); r++) {
    double *to = z + r * MOST_WIDTH;
    uint32_t first = first_row(shape, r);
    for (uint32_t i = 0; i < shape->inputs; first += shape->sizes[i++]) {
      const double x = in[r * MOST_WIDTH + i];
      if (shape->sizes[i] == 0) *to++ = x;
      for (uint32_t j = 0; shape->sizes[i] > 0 && j < shape->width; j++)
        *to++ = x < 0 || x >= shape->sizes[i] ? 0 : values_of(d, l, 0)[(first + (uint32_t)x) * stride + j];
    }
  }
}

/* x becomes W cos(2 pi f x + p) + b, and x. */
static void periodic_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const layer *const shape = &d->network->layers[l];
  for (uint32_t r = 0; r < rows_of(d, l); r++) {
    double *to = z + r * MOST_WIDTH;
    uint32_t number = first_row(shape, r);
    for (uint32_t i = 0; i < shape->inputs; i++) {
      const double x = in[r * MOST_WIDTH + i];
      for (uint32_t j = 0; shape->sizes[i] > 0 && j < 3; j++) {
        *to = values_of(d, l, 3)[number * 3 + j];
        for (uint32_t k = 0; k < 16; k++)
          *to += values_of(d, l, 2)[number * 48 + j * 16 + k] *
                 cos(2 * acos(-1) * values_of(d, l, 0)[number * 16 + k] * x + values_of(d, l, 1)[number * 16 + k]);
        to++;
      }
      number += shape->sizes[i];
      *to++ = x;
    }
  }
}

/* x becomes the sum of c_t W_t, and x. */
static void piecewise_in_double(const double_network *d, uint32_t l, const double *in, double *z) {
  const layer *const shape = &d->network->layers[l];
  const tensor *const edge = layer_tensor(d->network, l, 0), *const weight = layer_tensor(d->network, l, 1);
  for (uint32_t r = 0; r < rows_of(d, l); r++) {
    double *to = z + r * MOST_WIDTH;
    uint32_t number = first_row(shape, r);
    for (uint32_t i = 0; i < shape->inputs; i++) {
      const double x = in[r * MOST_WIDTH + i], *const e = values_of(d, l, 0) + number * edge->stride;
      for (uint32_t j = 0; shape->sizes[i] > 0 && j + 1 < shape->width; j++, to++) {
        *to = 0;
        for (uint32_t t = 0; t + 1 < edge->columns; t++)
          if (e[t + 1] > e[t])
            *to += fmin(fmax((x - e[t]) / (e[t + 1] - e[t]), 0), 1) *
                   values_of(d, l, 1)[number * weight->stride + t * (shape->width - 1) + j];
      }
      number += shape->sizes[i];
      *to++ = x;
    }
  }
}

static double activate(mlpd_activation activation, double z) {
  return activation == MLPD_TANH ? tanh(z) : activation == MLPD_SOFTPLUS ? log1p(exp(z)) : z;
}

/* in + alpha (A(in) - in) */
static void parametric_in_double(const double_network *d, uint32_t l, const double *in, double *a) {
  const layer *const shape = &d->network->layers[l];
  const uint32_t stride = layer_tensor(d->network, l, 0)->stride;
  for (uint32_t i = 0; i < rows_of(d, l); i++)
    for (uint32_t j = 0; j < shape->outputs; j++) {
      const double x = in[i * MOST_WIDTH + j], alpha = values_of(d, l, 0)[i % shape->copies * stride + j];
      a[i * MOST_WIDTH + j] = x + alpha * (activate(shape->activation, x) - x);
    }
}

static void layer_in_double(const double_network *d, uint32_t l, const double *in, double *out) {
  const layer *const shape = &d->network->layers[l];
  if (shape->kind == &layer_dense)
    dense_in_double(d, l, in, out);
  else if (shape->kind == &layer_dropout || shape->kind == &layer_noise)
    random_in_double(d, l, in, out);
  else if (shape->kind == &layer_scale)
    scale_in_double(d, l, in, out);
  else if (shape->kind == &layer_rms_norm)
    rms_in_double(d, l, in, out);
  else if (shape->kind == &layer_fan_out || shape->kind == &layer_fork)
    fan_out_in_double(d, l, in, out);
  else if (shape->kind == &layer_heads)
    heads_in_double(d, l, in, out);
  else if (shape->kind == &layer_embed)
    embed_in_double(d, l, in, out);
  else if (shape->kind == &layer_parametric)
    parametric_in_double(d, l, in, out);
  else if (shape->kind == &layer_periodic)
    periodic_in_double(d, l, in, out);
  else if (shape->kind == &layer_piecewise)
    piecewise_in_double(d, l, in, out);
  else
    norm_in_double(d, l, in, out);
  for (uint32_t i = 0; !shape->kind->activates && i < rows_of(d, l) * MOST_WIDTH; i++)
    out[i] = activate(shape->activation, out[i]);
}

/* 1/2 sum (a - y)^2, of an ensemble the mean over its members; keeps the outputs of each layer where outputs is not
 * NULL. */
static double loss_in_double(const double_network *d, double (*outputs)[MOST_ROWS * MOST_WIDTH]) {
  static double in[MOST_ROWS * MOST_WIDTH], out[MOST_ROWS * MOST_WIDTH];
  const uint32_t k = network_output(d->network)->outputs, inputs = network_inputs(d->network);
  for (uint32_t i = 0; i < ROWS; i++)
    for (uint32_t j = 0; j < inputs; j++) in[i * MOST_WIDTH + j] = (double)d->x[i * inputs + j];
  for (uint32_t l = 0; l < d->network->num_layers; l++) {
    memset(out, 0, sizeof out);
    layer_in_double(d, l, in, out);
    memcpy(in, out, sizeof in);
    if (outputs != NULL) memcpy(outputs[l], out, sizeof out);
  }
  double loss = 0;
  const uint32_t members = network_members(d->network);
  for (uint32_t i = 0; i < ROWS * members; i++)
    for (uint32_t j = 0; j < k; j++) loss += 0.5 * pow(in[i * MOST_WIDTH + j] - (double)d->y[i / members * k + j], 2);
  return loss / members;
}

static void check_outputs(const double_network *d) {
  static double outputs[16][MOST_ROWS * MOST_WIDTH];
  (void)loss_in_double(d, outputs);
  for (uint32_t l = 0; l < d->network->num_layers; l++) {
    const uint32_t n = d->network->layers[l].outputs;
    for (uint32_t i = 0; i < rows_of(d, l) * n; i++) {
      const double want = outputs[l][i / n * MOST_WIDTH + i % n];
      assert_true(fabs((double)d->trace->a[l][i] - want) <= 2e-5 * (1 + fabs(want)));
    }
  }
}

/* Members that share nothing learn from their own losses, which the mean has a part of. */
static double parts_of_loss(const double_network *d, const tensor *t) {
  return d->network->members_apart ? d->network->layers[t->layer].copies : 1;
}

/* Every parameter moved a little. */
static void check_gradients(const double_network *d) {
  static const double step = 1e-5;
  const float *const gradient = network_trace_gradient(d->trace);
  for (uint32_t i = 0; i < d->network->num_tensors; i++) {
    const tensor *const t = &d->network->tensors[i];
    for (uint32_t e = 0; tensor_learns(t) && e < t->rows * t->columns; e++) {
      const size_t at = t->offset + (size_t)(e / t->columns) * t->stride + e % t->columns;
      const double kept = d->values[at];
      d->values[at] = kept + step;
      const double up = loss_in_double(d, NULL);
      d->values[at] = kept - step;
      const double want = (up - loss_in_double(d, NULL)) / (2 * step) * parts_of_loss(d, t);
      d->values[at] = kept;
      if (fabs((double)gradient[at] - want) > 2e-4 * (1 + fabs(want)))
        fail_msg("layer %u, %s %u: %g, by differences %g", t->layer + 1, t->name, e, (double)gradient[at], want);
    }
  }
}

static void fill(rng *stream, size_t count, float *values) {
  for (size_t i = 0; i < count; i++) values[i] = (float)rng_normal(stream);
}

/* Codes among the inputs, unknown ones and one that is none at all, too. */
static void fill_codes(rng *stream, uint32_t num_layers, const layer_spec *specs, float *x) {
  const uint32_t *sizes = NULL;
  for (uint32_t l = 0; l < num_layers; l++)
    if (specs[l].kind == &layer_embed) sizes = specs[l].sizes;
  for (uint32_t i = 0; sizes != NULL && i < ROWS * INPUTS; i++)
    if (sizes[i % INPUTS] > 0) x[i] = (float)(rng_next(stream) % (sizes[i % INPUTS] + 2)) - 1;
}

/* Edges of each number, the last ones equal, and weights off from 0. */
static void fill_bins(rng *stream, mlpd_network *network) {
  for (uint32_t l = 0; l < network->num_layers; l++) {
    if (network->layers[l].kind != &layer_piecewise) continue;
    const tensor *const edge = layer_tensor(network, l, 0), *const weight = layer_tensor(network, l, 1);
    for (uint32_t row = 0; row < edge->rows; row++) {
      float *const edges = network->parameters + edge->offset + (size_t)row * edge->stride;
      edges[0] = -1.5f;
      for (uint32_t t = 1; t < edge->columns; t++)
        edges[t] = edges[t - 1] + (t < edge->columns - row % 3 ? 0.1f + (float)rng_uniform(stream) : 0);
      fill(stream, weight->columns, network->parameters + weight->offset + (size_t)row * weight->stride);
    }
  }
}

static void check_network(uint32_t num_layers, const layer_spec *specs) {
  double_network d;
  mlpd_network *network = NULL;
  mlpd_trace trace;
  float x[ROWS * INPUTS], y[ROWS * OUTPUTS];
  rng stream = rng_start(5, RNG_SHUFFLE, num_layers, 0);
  assert_int_equal(network_build(INPUTS, num_layers, specs, false, &network), MLPD_OK);
  mlpd_network_init(network, MLPD_INIT_AUTO, 3);
  fill(&stream, ROWS * INPUTS, x);
  fill_codes(&stream, num_layers, specs, x);
  fill(&stream, ROWS * OUTPUTS, y);
  for (uint32_t i = 0; i < network->num_tensors; i++) /* off from where they start */
    if (network->tensors[i].vector || network->tensors[i].start == TENSOR_CONSTANT)
      for (size_t at = network->tensors[i].offset; at < tensor_end(&network->tensors[i]); at++)
        network->parameters[at] += (float)(0.3 * rng_normal(&stream));
  fill_bins(&stream, network);
  assert_int_equal(mlpd_network_trace(network, MLPD_MSE, ROWS, x, y, &trace), MLPD_OK);
  d = (double_network){network, &trace, x, y, calloc(network->arena_size, sizeof(double))};
  assert_non_null(d.values);
  for (size_t i = 0; i < network->arena_size; i++) d.values[i] = (double)network->parameters[i];
  assert_true(fabs(loss_in_double(&d, NULL) - trace.loss) <= 1e-4 * trace.loss);
  check_outputs(&d);
  check_gradients(&d);
  free(d.values);
  mlpd_trace_free(&trace);
  mlpd_network_free(network);
}

#define DENSE(n, a) \
  { .kind = &layer_dense, .outputs = (n), .activation = (a), .starts_for = (a) }
#define RANDOM(k, n, p) \
  { .kind = &(k), .outputs = (n), .amount = (p) }
#define OUTPUT DENSE(OUTPUTS, MLPD_IDENTITY)
#define CHECK(...)                                         \
  do {                                                     \
    const layer_spec specs_[] = {__VA_ARGS__};             \
    check_network(sizeof specs_ / sizeof *specs_, specs_); \
  } while (0)

static void test_dense(void **state) {
  (void)state;
  CHECK(DENSE(11, MLPD_TANH), OUTPUT);
  CHECK({.kind = &layer_dense, .outputs = 9, .activation = MLPD_SOFTPLUS, .no_bias = true}, OUTPUT);
}

static void test_dropout_and_noise(void **state) {
  (void)state;
  CHECK(RANDOM(layer_noise, INPUTS, 0.5), RANDOM(layer_dropout, INPUTS, 0.3), DENSE(11, MLPD_TANH),
        RANDOM(layer_dropout, 11, 0.5), DENSE(6, MLPD_SOFTPLUS), RANDOM(layer_noise, 6, 0.1), OUTPUT);
  CHECK(RANDOM(layer_dropout, INPUTS, 0.5), OUTPUT);
}

static void test_scale(void **state) {
  (void)state;
  mlpd_network *network = NULL;
  layer_spec specs[] = {RANDOM(layer_scale, INPUTS, 6), OUTPUT};
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_OK);
  assert_true(network->tensors[0].rate == 6 && network->tensors[1].rate == 1 && network->tensors[0].decay == 0);
  mlpd_network_free(network);
  specs[0].decay = 2;
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_OK);
  assert_true(network->tensors[0].decay == 2);
  mlpd_network_init(network, MLPD_INIT_AUTO, 3);
  for (int j = 0; j < INPUTS; j++) assert_true(network->parameters[j] == 1);
  mlpd_network_free(network);
  CHECK(RANDOM(layer_scale, INPUTS, 6), DENSE(11, MLPD_TANH), RANDOM(layer_scale, 11, 1), OUTPUT);
  CHECK(RANDOM(layer_dropout, INPUTS, 0.2), RANDOM(layer_scale, INPUTS, 6), OUTPUT);
}

/* Two codes among five inputs. */
static const uint32_t SIZES[INPUTS] = {0, 3, 0, 2, 0};
#define EMBED(w) \
  { .kind = &layer_embed, .outputs = 3 + 2 * (w), .sizes = SIZES, .width = (w) }

static void test_embed(void **state) {
  (void)state;
  CHECK(EMBED(4), DENSE(11, MLPD_TANH), OUTPUT);
  CHECK(EMBED(1), RANDOM(layer_noise, INPUTS, 0.5), RANDOM(layer_dropout, INPUTS, 0.3), RANDOM(layer_scale, INPUTS, 6),
        OUTPUT);
  mlpd_network *network = NULL;
  const layer_spec specs[] = {EMBED(4), OUTPUT}, wrong[] = {RANDOM(layer_embed, 10, 0), OUTPUT};
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_OK);
  assert_true(network->tensors[0].rows == 5 && network->tensors[0].decay == 0 && network->tensors[0].rate == 1);
  mlpd_network_free(network);
  const uint32_t many[INPUTS] = {0, 1 << 22, 0, 2, 0}; /* times 1024: 2^32 and a little */
  const layer_spec tables[] = {{.kind = &layer_fork, .outputs = INPUTS, .copies = 1024},
                               {.kind = &layer_embed, .outputs = 5, .sizes = many, .width = 1},
                               {.kind = &layer_heads, .outputs = OUTPUTS}};
  assert_int_equal(network_build(INPUTS, 3, tables, true, &network), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), "4194306 rows for each of 1024 members are too many"));
  layer_spec few = wrong[0];
  few.sizes = SIZES; /* of width 0 */
  assert_int_equal(network_build(INPUTS, 2, (const layer_spec[]){few, wrong[1]}, false, &network), MLPD_ERROR_USAGE);
}

/* Three numbers among five inputs. */
static const uint32_t NUMBERS[INPUTS] = {1, 0, 1, 0, 1};
#define PERIODIC \
  { .kind = &layer_periodic, .outputs = 2 + 3 * 4, .sizes = NUMBERS, .width = 4 }

static void periodic_is_refused(const layer_spec *below, uint32_t width, uint32_t size, const layer_spec *above) {
  const uint32_t sizes[INPUTS] = {size};
  const layer_spec specs[] = {*below,
                              {.kind = &layer_periodic, .outputs = 4 + width, .sizes = sizes, .width = width},
                              *above,
                              {.kind = &layer_dense, .outputs = 1}};
  mlpd_network *network = NULL;
  assert_int_equal(network_build(INPUTS, 4, specs, false, &network), MLPD_ERROR_USAGE);
}

static void test_periodic(void **state) {
  (void)state;
  CHECK(PERIODIC, DENSE(11, MLPD_TANH), OUTPUT);
  CHECK(RANDOM(layer_scale, INPUTS, 6), PERIODIC, RANDOM(layer_dropout, 14, 0.3), RANDOM(layer_scale, 14, 6), OUTPUT);
  CHECK(EMBED(1), RANDOM(layer_noise, INPUTS, 0.5), PERIODIC,
        {.kind = &layer_fan_out, .outputs = 14, .copies = MEMBERS}, DENSE(9, MLPD_SOFTPLUS),
        {.kind = &layer_heads, .outputs = OUTPUTS});
  const layer_spec dense = DENSE(INPUTS, MLPD_TANH), norm = {.kind = &layer_batch_norm, .outputs = 8};
  const layer_spec wide = DENSE(9, MLPD_TANH);
  periodic_is_refused(&dense, 5, 1, &wide);
  periodic_is_refused(&dense, 4, 2, &wide);
  periodic_is_refused(&dense, 4, 1, &norm);
}

#define PIECEWISE(w, bins) \
  { .kind = &layer_piecewise, .outputs = 2 + 3 * (w), .amount = (bins), .sizes = NUMBERS, .width = (w) }

static void piecewise_is_refused(uint32_t width, uint32_t size, double bins, const char *message) {
  const uint32_t sizes[INPUTS] = {size};
  const layer_spec specs[] = {
      {.kind = &layer_piecewise, .outputs = 4 + width, .amount = bins, .sizes = sizes, .width = width}, OUTPUT};
  mlpd_network *network = NULL;
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_ERROR_USAGE);
  assert_non_null(strstr(mlpd_error_message(), message));
}

static void test_piecewise(void **state) {
  (void)state;
  CHECK(PIECEWISE(4, 5), DENSE(11, MLPD_TANH), OUTPUT);
  CHECK(RANDOM(layer_scale, INPUTS, 6), PIECEWISE(2, 1), RANDOM(layer_dropout, 8, 0.3), OUTPUT);
  CHECK(EMBED(1), RANDOM(layer_noise, INPUTS, 0.5), PIECEWISE(3, 48),
        {.kind = &layer_fan_out, .outputs = 11, .copies = MEMBERS}, DENSE(9, MLPD_SOFTPLUS),
        {.kind = &layer_heads, .outputs = OUTPUTS});
  CHECK(DENSE(INPUTS, MLPD_TANH), PIECEWISE(4, 3), {.kind = &layer_batch_norm, .outputs = 14}, OUTPUT);
  piecewise_is_refused(1, 1, 4, "width 1, not 2 to");
  piecewise_is_refused(4, 2, 4, "size 2 of input 0");
  piecewise_is_refused(4, 1, 0, "0 bins");
  piecewise_is_refused(4, 1, 1025, "1025 bins");
  mlpd_network *network = NULL;
  const layer_spec specs[] = {PIECEWISE(4, 5), OUTPUT};
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_OK);
  const tensor *const edge = layer_tensor(network, 0, 0), *const weight = layer_tensor(network, 0, 1);
  assert_true(edge->rows == 3 && edge->columns == 6 && !tensor_learns(edge));
  assert_true(weight->rows == 3 && weight->columns == 15 && weight->decay == 1 && weight->rate == 1);
  assert_int_equal(mlpd_network_num_parameters(network), 3 * 15 + 14 * OUTPUTS + OUTPUTS); /* edges do not learn */
  mlpd_network_free(network);
}

/* Below, at, between and above edges, and not a number; the unit's cut does not matter. */
static void test_places_among_bins(void **state) {
  (void)state;
  enum { WIDTH = 11, BINS = 5 };
  static const float edges[BINS + 1] = {-1, 0, 2, 2.5f, 2.5f, 2.5f};
  const struct {
    float x;
    uint32_t full;
    float part, slope;
  } cases[] = {{-7, 0, 0, 0},       {-1, 0, 0, 1},   {-0.25f, 0, 0.75f, 1}, {0, 1, 0, 0.5f}, {1, 1, 0.5f, 0.5f},
               {2.25f, 2, 0.5f, 2}, {2.5f, 3, 0, 0}, {9, 3, 0, 0},          {NAN, 0, 0, 0}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    const piecewise_place at = piecewise_find(cases[c].x, BINS, edges);
    float weight[BINS * WIDTH], z[WIDTH], delta[WIDTH], gradient[BINS * WIDTH] = {0}, cut[BINS * WIDTH] = {0};
    assert_true(at.full == cases[c].full && at.part == cases[c].part && at.slope == cases[c].slope);
    for (uint32_t i = 0; i < BINS * WIDTH; i++) weight[i] = (float)(i + 1);
    for (uint32_t j = 0; j < WIDTH; j++) delta[j] = (float)(j + 1);
    piecewise_forward(&at, WIDTH, weight, z);
    piecewise_add(&at, WIDTH, delta, 0, BINS * WIDTH, gradient);
    for (uint32_t i = 0; i < BINS * WIDTH; i += 17)
      piecewise_add(&at, WIDTH, delta, i, i + 17 < BINS * WIDTH ? i + 17 : BINS * WIDTH, cut + i);
    assert_memory_equal(gradient, cut, sizeof cut);
    for (uint32_t j = 0; j < WIDTH; j++) {
      double want = 0;
      for (uint32_t t = 0; t < BINS; t++) {
        const float share = t < at.full ? 1 : t == at.full ? at.part : 0;
        want += (double)share * (double)weight[t * WIDTH + j];
        assert_true(gradient[t * WIDTH + j] == share * delta[j]);
      }
      assert_true((double)z[j] == want);
    }
  }
}

/* Bins that equal quantiles leave empty go to the others, as evenly as possible. */
static void test_spread_of_bins(void **state) {
  (void)state;
  enum { BINS = 5, MANY = 1000000 };
  const struct {
    double values[BINS + 1], want[BINS + 1]; /* in fifths */
    bool again;
    uint64_t rows;
  } cases[] = {{{0, 0, 0, 0, 1, 2}, {3, 3.5, 4, 4 + 1.0 / 3, 4 + 2.0 / 3, 5}, true, MANY},
               {{-3, 4, 4, 4, 4, 9}, {0, 0.5, 4, 4 + 1.0 / 3, 4 + 2.0 / 3, 5}, true, MANY},
               {{1, 2, 3, 4, 4, 4}, {0, 1, 1.5, 2, 2.5, 5}, true, MANY},
               {{1, 1, 1 + 1e-9, 2, 3, 4}, {2, 3, 3.5, 4, 4.5, 5}, true, MANY}, /* nearly equal */
               {{0, 0, 0, 0, 1, 2}, {3, 3.5, 4, 4.5, 5, 5}, true, 5 * 2 * 32},  /* of 32 rows each, two parts */
               {{0, 0, 0, 0, 1, 2}, {0}, false, 5 * 2 * 32 - 1},
               {{1, 2, 3, 4, 5, 6}, {0}, false, MANY},
               {{7, 7, 7, 7, 7, 7}, {0}, false, MANY},
               {{NAN, NAN, NAN, NAN, NAN, NAN}, {0}, false, MANY}}; /* no values */
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    double fractions[BINS + 1] = {0};
    assert_int_equal(piecewise_spread(BINS, cases[c].values, cases[c].rows, fractions), cases[c].again);
    for (uint32_t t = 0; t <= BINS; t++) assert_true(fabs(fractions[t] - cases[c].want[t] / BINS) < 1e-15);
  }
}

#define NORM(k, n, a) \
  { .kind = &(k), .outputs = (n), .activation = (a) }

#define FAN_OUT \
  { .kind = &layer_fan_out, .outputs = INPUTS, .copies = MEMBERS }
#define HEADS \
  { .kind = &layer_heads, .outputs = OUTPUTS }

#define FORK(p) \
  { .kind = &layer_fork, .outputs = INPUTS, .copies = MEMBERS, .amount = (p) }
#define HIDDEN_HEADS(n, a) \
  { .kind = &layer_heads, .outputs = (n), .activation = (a) }

#define PARAMETRIC(n, a) \
  { .kind = &layer_parametric, .outputs = (n), .activation = (a), .amount = 0.5 }

static void test_parametric(void **state) {
  (void)state;
  mlpd_network *network = NULL;
  const layer_spec specs[] = {PARAMETRIC(INPUTS, MLPD_TANH), OUTPUT};
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_OK);
  assert_true(network->tensors[0].rate == 0.5f && network->tensors[0].decay == 1);
  mlpd_network_free(network);
  CHECK(DENSE(37, MLPD_IDENTITY), PARAMETRIC(37, MLPD_TANH), DENSE(6, MLPD_IDENTITY), PARAMETRIC(6, MLPD_SOFTPLUS),
        OUTPUT);
  CHECK(FAN_OUT, DENSE(37, MLPD_IDENTITY), PARAMETRIC(37, MLPD_TANH), RANDOM(layer_dropout, 37, 0.2), HEADS);
  CHECK(FORK(0), HIDDEN_HEADS(12, MLPD_IDENTITY), PARAMETRIC(12, MLPD_SOFTPLUS), HEADS);
}

/* Members that share nothing, but for what is below the fork. */
static void test_members(void **state) {
  (void)state;
  CHECK(FORK(0), HEADS);
  CHECK(FORK(6), HIDDEN_HEADS(37, MLPD_TANH), RANDOM(layer_dropout, 37, 0.3), HIDDEN_HEADS(9, MLPD_SOFTPLUS), HEADS);
  CHECK(RANDOM(layer_noise, INPUTS, 0.5), RANDOM(layer_scale, INPUTS, 6), FORK(0), HIDDEN_HEADS(12, MLPD_TANH), HEADS);
  CHECK(FORK(0), EMBED(4), RANDOM(layer_dropout, 11, 0.3), HIDDEN_HEADS(9, MLPD_TANH), HEADS);
  CHECK(FORK(0), EMBED(1), RANDOM(layer_noise, INPUTS, 0.5), PERIODIC, RANDOM(layer_scale, 14, 6), HEADS);
  CHECK(FORK(0), EMBED(1), PIECEWISE(4, 5), RANDOM(layer_scale, 14, 6), HIDDEN_HEADS(9, MLPD_SOFTPLUS), HEADS);
}

/* Members with layers of every kind between fan-out and heads. */
static void test_ensemble(void **state) {
  (void)state;
  CHECK(FAN_OUT, HEADS);
  CHECK(RANDOM(layer_noise, INPUTS, 0.5), RANDOM(layer_scale, INPUTS, 6), FAN_OUT, DENSE(37, MLPD_TANH),
        RANDOM(layer_dropout, 37, 0.3), HEADS);
  CHECK(FAN_OUT, DENSE(11, MLPD_IDENTITY), NORM(layer_layer_norm, 11, MLPD_TANH), DENSE(9, MLPD_SOFTPLUS), HEADS);
  CHECK(FAN_OUT, DENSE(11, MLPD_IDENTITY), NORM(layer_batch_norm, 11, MLPD_TANH), HEADS);
  CHECK(FAN_OUT, DENSE(11, MLPD_IDENTITY), NORM(layer_rms_norm, 11, MLPD_TANH), HEADS);
}

static void test_norms(void **state) {
  (void)state;
  CHECK(DENSE(37, MLPD_IDENTITY), NORM(layer_layer_norm, 37, MLPD_TANH), DENSE(2, MLPD_IDENTITY),
        NORM(layer_layer_norm, 2, MLPD_SOFTPLUS), OUTPUT);
  CHECK(NORM(layer_layer_norm, INPUTS, MLPD_IDENTITY), OUTPUT);
  CHECK({.kind = &layer_dense, .outputs = 37, .no_bias = true}, NORM(layer_batch_norm, 37, MLPD_TANH),
        RANDOM(layer_dropout, 37, 0.2), DENSE(6, MLPD_IDENTITY), NORM(layer_batch_norm, 6, MLPD_SOFTPLUS), OUTPUT);
  CHECK(NORM(layer_batch_norm, INPUTS, MLPD_TANH), OUTPUT);
  CHECK(DENSE(37, MLPD_IDENTITY), NORM(layer_rms_norm, 37, MLPD_TANH), DENSE(2, MLPD_IDENTITY),
        NORM(layer_rms_norm, 2, MLPD_SOFTPLUS), OUTPUT);
  CHECK(NORM(layer_rms_norm, INPUTS, MLPD_IDENTITY), OUTPUT);
}

/* sum over all outputs of u a, of rows that are not trained on. */
static double outputs_times(const mlpd_network *network, const backend *gemm, workspace *space, const float *u) {
  double sum = 0;
  network_forward(network, gemm, ROWS, space);
  for (uint32_t i = 0; i < ROWS * OUTPUTS; i++) sum += (double)u[i] * (double)space->output[i];
  return sum;
}

/* Derivatives of outputs by inputs, as a predictor gives them: layers do what they do outside of training. */
static void check_input_gradients(uint32_t num_layers, const layer_spec *specs) {
  static const float step = 0x1p-7f;
  mlpd_network *network = NULL;
  const backend *gemm = NULL;
  workspace space;
  float delta[ROWS * INPUTS], u[ROWS * OUTPUTS];
  rng stream = rng_start(6, RNG_SHUFFLE, 0, 0);
  assert_int_equal(backend_choose(NULL, &gemm), MLPD_OK);
  assert_int_equal(network_build(INPUTS, num_layers, specs, false, &network), MLPD_OK);
  mlpd_network_init(network, MLPD_INIT_AUTO, 3);
  assert_int_equal(workspace_create(network, ROWS, false, &space), MLPD_OK);
  space.x_delta = delta;
  fill(&stream, ROWS * INPUTS, space.x);
  fill(&stream, ROWS * OUTPUTS, u);
  (void)outputs_times(network, gemm, &space, u);
  for (int pass = 0; pass < 2; pass++) { /* a Jacobian has a backward pass for each output, after one forward pass */
    memcpy(space.output_delta, u, sizeof u);
    network_input_gradient(network, gemm, ROWS, &space);
  }
  for (uint32_t i = 0; i < ROWS * INPUTS; i++) {
    const float kept = space.x[i];
    space.x[i] = kept + step;
    const double up = outputs_times(network, gemm, &space, u);
    space.x[i] = kept - step;
    const double want = (up - outputs_times(network, gemm, &space, u)) / (2 * (double)step);
    space.x[i] = kept;
    assert_true(fabs((double)delta[i] - want) <= 5e-3 * (1 + fabs(want)));
  }
  workspace_free(&space);
  mlpd_network_free(network);
}

static void test_input_gradients(void **state) {
  (void)state;
  const layer_spec specs[] = {NORM(layer_batch_norm, INPUTS, MLPD_IDENTITY),
                              RANDOM(layer_dropout, INPUTS, 0.5),
                              DENSE(20, MLPD_IDENTITY),
                              NORM(layer_layer_norm, 20, MLPD_TANH),
                              DENSE(11, MLPD_TANH),
                              NORM(layer_batch_norm, 11, MLPD_SOFTPLUS),
                              NORM(layer_rms_norm, 11, MLPD_TANH),
                              OUTPUT};
  const layer_spec ensemble[] = {
      FAN_OUT, DENSE(20, MLPD_TANH), {.kind = &layer_heads, .outputs = OUTPUTS, .activation = MLPD_SOFTMAX}};
  const layer_spec numbers[] = {PERIODIC, DENSE(20, MLPD_TANH), OUTPUT};
  check_input_gradients(sizeof specs / sizeof *specs, specs);
  check_input_gradients(3, numbers);
  check_input_gradients(sizeof ensemble / sizeof *ensemble, ensemble);
  const layer_spec members[] = {
      FORK(0), HIDDEN_HEADS(20, MLPD_TANH), {.kind = &layer_heads, .outputs = OUTPUTS, .activation = MLPD_SOFTMAX}};
  check_input_gradients(sizeof members / sizeof *members, members);
}

enum { NORM_ROWS = 9, NORM_WIDTH = 70 };

/* A network of a norm in front, its inputs off the mean, and the space of a pass over it. */
static mlpd_network *make_norm(const layer_kind *kind, workspace *space) {
  mlpd_network *network = NULL;
  const layer_spec specs[] = {{.kind = kind, .outputs = NORM_WIDTH}, DENSE(2, MLPD_IDENTITY)};
  rng stream = rng_start(2, RNG_SHUFFLE, 0, 0);
  assert_int_equal(network_build(NORM_WIDTH, 2, specs, false, &network), MLPD_OK);
  assert_int_equal(workspace_create(network, NORM_ROWS, false, space), MLPD_OK);
  for (size_t i = 0; i < (size_t)NORM_ROWS * NORM_WIDTH; i++) space->x[i] = (float)(3 + 2 * rng_normal(&stream));
  return network;
}

static void run_norm(const mlpd_network *network, uint64_t row, uint64_t rows, workspace *space) {
  const block all = {row, rows, 0, NORM_WIDTH};
  network_forward_block(network, NULL, 0, &all, space);
}

/* A lane's statistics are those of its rows, whatever other lanes hold; running values take the place of them outside
 * of training; and what a step sums up of two lanes is their mean and their mean variance, by rows. */
static void test_lanes_of_batch_norm(void **state) {
  (void)state;
  workspace space;
  mlpd_network *const network = make_norm(&layer_batch_norm, &space);
  float first[NORM_WIDTH], sums[2][NORM_WIDTH];
  space.context.training = true;
  run_norm(network, 0, 4, &space);
  memcpy(first, space.a[0], sizeof first);
  run_norm(network, 4, 5, &space);
  assert_memory_equal(space.a[0], first, sizeof first);
  for (uint32_t i = 2; i < 4; i++) { /* mean, variance */
    const gradient_unit unit = {.tensor = i, .rows = 1, .column = 3, .columns = 67};
    network_gradient(network, NULL, &unit, 4, 5, &space, sums[i - 2], NORM_WIDTH);
  }
  for (uint32_t j = 0; j < 67; j++) {
    double mean = 0, squares = 0;
    for (uint32_t i = 4; i < 9; i++) mean += (double)space.x[i * NORM_WIDTH + 3 + j] / 5;
    for (uint32_t i = 4; i < 9; i++) squares += pow((double)space.x[i * NORM_WIDTH + 3 + j] - mean, 2);
    assert_true(fabs((double)sums[0][j] - 5 * mean) < 1e-5);
    assert_true(fabs((double)sums[1][j] - 5 * squares / 4) < 1e-4);
  }
  space.context.training = false;
  for (uint32_t j = 0; j < NORM_WIDTH; j++) {
    network->parameters[network->tensors[2].offset + j] = 3;
    network->parameters[network->tensors[3].offset + j] = 4;
  }
  run_norm(network, 0, 1, &space);
  for (uint32_t j = 0; j < NORM_WIDTH; j++)
    assert_true(fabs((double)space.a[0][j] - ((double)space.x[j] - 3) / sqrt(4 + 1e-5)) < 1e-6);
  workspace_free(&space);
  mlpd_network_free(network);
}

/* The members' rows are rows of a lane, and what a step sums up of them is counted by the rows of x. */
static void test_batch_norm_of_members(void **state) {
  (void)state;
  enum { WIDTH = 3 };
  const layer_spec specs[] = {{.kind = &layer_fan_out, .outputs = WIDTH, .copies = MEMBERS},
                              {.kind = &layer_batch_norm, .outputs = WIDTH},
                              {.kind = &layer_heads, .outputs = 1}};
  mlpd_network *network = NULL;
  workspace space;
  const backend *gemm = NULL;
  float sums[2][WIDTH];
  assert_int_equal(backend_choose(NULL, &gemm), MLPD_OK);
  assert_int_equal(network_build(WIDTH, 3, specs, false, &network), MLPD_OK);
  mlpd_network_init(network, MLPD_INIT_AUTO, 3);
  assert_int_equal(workspace_create(network, ROWS, false, &space), MLPD_OK);
  for (uint32_t i = 0; i < ROWS * WIDTH; i++) space.x[i] = (float)(i % 5) + 1;
  space.context.training = true;
  network_forward(network, gemm, ROWS, &space);
  for (uint32_t i = 0; i < 2; i++) { /* mean, variance */
    const gradient_unit unit = {.tensor = 3 + i, .layer = 1, .rows = 1, .columns = WIDTH};
    network_gradient(network, gemm, &unit, 0, ROWS, &space, sums[i], WIDTH);
  }
  for (uint32_t j = 0; j < WIDTH; j++) {
    double mean = 0, squares = 0;
    for (uint32_t i = 0; i < MOST_ROWS; i++) mean += (double)space.a[0][i * WIDTH + j] / MOST_ROWS;
    for (uint32_t i = 0; i < MOST_ROWS; i++) squares += pow((double)space.a[0][i * WIDTH + j] - mean, 2);
    assert_true(fabs((double)sums[0][j] / ROWS - mean) < 1e-5);
    assert_true(fabs((double)sums[1][j] / ROWS - squares / (MOST_ROWS - 1)) < 1e-4);
  }
  workspace_free(&space);
  mlpd_network_free(network);
}

/* Running means are not learned: they are no parameters. */
static void test_statistics_are_no_parameters(void **state) {
  (void)state;
  workspace space;
  mlpd_network *const network = make_norm(&layer_batch_norm, &space);
  assert_int_equal(mlpd_network_num_parameters(network),
                   2 * NORM_WIDTH + NORM_WIDTH * network_output(network)->outputs + network_output(network)->outputs);
  workspace_free(&space);
  mlpd_network_free(network);
}

static void test_lane_of_one_row(void **state) {
  (void)state;
  workspace space;
  mlpd_network *const network = make_norm(&layer_batch_norm, &space);
  const gradient_unit variance = {.tensor = 3, .rows = 1, .columns = NORM_WIDTH};
  float sums[NORM_WIDTH];
  space.context.training = true;
  run_norm(network, 2, 1, &space);
  network->parameters[network->tensors[3].offset + 5] = 7;
  network_gradient(network, NULL, &variance, 2, 1, &space, sums, NORM_WIDTH);
  for (uint32_t j = 0; j < NORM_WIDTH; j++) assert_true(space.a[0][2 * network->layers[0].stride + j] == 0);
  assert_true(sums[5] == 7 && sums[6] == 1);
  workspace_free(&space);
  mlpd_network_free(network);
}

/* Blocks: what a kind needs is never cut, whatever number of blocks is wanted. */
static void test_blocks_keep_rows_and_lanes_whole(void **state) {
  (void)state;
  const char *const names[] = {"plain", NULL};
  const layer_spec specs[] = {DENSE(700, MLPD_IDENTITY), NORM(layer_layer_norm, 700, MLPD_RELU),
                              DENSE(600, MLPD_IDENTITY), NORM(layer_batch_norm, 600, MLPD_RELU), OUTPUT};
  mlpd_network *network = NULL;
  assert_int_equal(network_build(INPUTS, 5, specs, true, &network), MLPD_OK);
  for (int b = 0; b < 2; b++) {
    const backend *gemm = NULL;
    assert_int_equal(backend_choose(names[b], &gemm), MLPD_OK);
    for (uint32_t l = 0; l < 4; l++)
      for (int way = WAY_FORWARD; way <= WAY_BACKWARD; way++)
        for (uint32_t wanted = 1; wanted < 40; wanted += 13) {
          const block_reach reach = network_reach(network, l, (pass_way)way);
          const uint32_t blocks = network_num_blocks(network, gemm, l, (pass_way)way, 90, wanted);
          uint64_t covered = 0;
          for (uint32_t i = 0; i < blocks; i++) {
            const block part = network_block(network, gemm, l, (pass_way)way, 10, 90, wanted, i);
            covered += part.rows * part.columns;
            if (reach == REACH_ROW) assert_int_equal(part.columns, network->layers[l].outputs);
            if (reach == REACH_LANE) assert_true(part.row == 10 && part.rows == 90);
          }
          assert_int_equal(covered, 90 * network->layers[l].outputs);
        }
  }
  assert_true(network_needs_lanes(network));
  mlpd_network_free(network);
}

/* ---- Draws ------------------------------------------------------------------------------------------ */

static void test_draws_by_the_vector(void **state) {
  (void)state;
  enum { GROUPS = 45 };
  static const uint64_t firsts[] = {0, 3, 0xfffffffcull, 0xfffffffffull};
  for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++) {
    uint32_t draws[GROUPS * RANDOM_GROUP];
    rng stream = rng_start(77, RNG_DROPOUT, 5, 2);
    random_draws(&stream, firsts[f], GROUPS, draws);
    stream.position = firsts[f] * RANDOM_GROUP;
    for (uint32_t i = 0; i < GROUPS * RANDOM_GROUP; i++) assert_int_equal(draws[i], rng_next(&stream));
  }
}

enum { MANY = 640, WIDE = 301 };

static mlpd_network *make_random(const layer_kind *kind, double amount) {
  mlpd_network *network = NULL;
  const layer_spec specs[] = {{.kind = kind, .outputs = WIDE, .amount = amount}, DENSE(2, MLPD_IDENTITY)};
  assert_int_equal(network_build(WIDE, 2, specs, false, &network), MLPD_OK);
  return network;
}

/* The outputs of layer 0 for rows of ones, the rows being samples first, first + 1, ... of epoch, in blocks that are
 * cut at row and column. */
static void run_random(const mlpd_network *network, const pass_context *context, uint64_t row, uint32_t column,
                       float *out) {
  workspace space;
  assert_int_equal(workspace_create(network, MANY, false, &space), MLPD_OK);
  space.context = *context;
  for (size_t i = 0; i < (size_t)MANY * WIDE; i++) space.x[i] = 1;
  for (int part = 0; part < 4; part++) {
    const block some = {part < 2 ? 0 : row, part < 2 ? row : MANY - row, part % 2 == 0 ? 0 : column,
                        part % 2 == 0 ? column : WIDE - column};
    network_forward_block(network, NULL, 0, &some, &space);
  }
  for (size_t i = 0; i < MANY; i++)
    memcpy(out + i * WIDE, space.a[0] + i * network->layers[0].stride, WIDE * sizeof *out);
  workspace_free(&space);
}

static double mean_of(const float *values, size_t count, double *variance) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < count; i++) sum += (double)values[i];
  for (size_t i = 0; i < count; i++) squares += pow((double)values[i] - sum / (double)count, 2);
  *variance = squares / (double)count;
  return sum / (double)count;
}

/* Mean 1 and a variance of its own; other draws with another seed, epoch or sample, the same ones however they are cut
 * into blocks and wherever a sample lies; nothing outside of training. */
static void check_random(const layer_kind *kind, double amount, double variance) {
  static float first[MANY * WIDE], other[MANY * WIDE];
  mlpd_network *const network = make_random(kind, amount);
  const pass_context context = {.training = true, .seed = 9, .epoch = 4, .first = 1000};
  double found = 0;
  run_random(network, &context, 100, 64, first);
  assert_true(fabs(mean_of(first, MANY * WIDE, &found) - 1) < 5 * sqrt(variance / (MANY * WIDE)));
  assert_true(fabs(found / variance - 1) < 0.02);
  run_random(network, &context, 1, 3, other);
  assert_memory_equal(first, other, sizeof first);
  pass_context moved = context;
  moved.first = 1010; /* row r is what was row r + 10 */
  run_random(network, &moved, 100, 64, other);
  assert_memory_equal(first + 10 * WIDE, other, sizeof first - 10 * WIDE * sizeof *first);
  for (int change = 0; change < 2; change++) {
    moved = context;
    if (change == 0) moved.seed = 10;
    if (change == 1) moved.epoch = 5;
    run_random(network, &moved, 100, 64, other);
    size_t same = 0;
    for (size_t i = 0; i < MANY * WIDE; i++) same += first[i] == other[i];
    assert_true(same < MANY * WIDE / 100 * 95);
  }
  moved.training = false;
  run_random(network, &moved, 100, 64, other);
  for (size_t i = 0; i < MANY * WIDE; i++) assert_true(other[i] == 1);
  mlpd_network_free(network);
}

static void test_random_layers(void **state) {
  (void)state;
  check_random(&layer_dropout, 0.25, 0.25 / 0.75);
  check_random(&layer_dropout, 0.9, 9);
  check_random(&layer_noise, 0.5, 0.25);
}

/* A table of more rows than a unit of its gradient has, whose rows start from N(0, 1), and codes at the ends of units.
 */
static void test_units_of_a_table(void **state) {
  (void)state;
  enum { CODES = 300 };
  static const float codes[] = {0, 111, 112, 299, 300, -1, 112};
  const layer_spec specs[] = {{.kind = &layer_embed, .outputs = 2, .sizes = (const uint32_t[]){CODES}, .width = 2},
                              {.kind = &layer_dense, .outputs = 1}};
  const char *const names[] = {"plain", NULL};
  mlpd_network *network = NULL;
  workspace space;
  double variance = 0;
  assert_int_equal(network_build(1, 2, specs, false, &network), MLPD_OK);
  mlpd_network_init(network, MLPD_INIT_AUTO, 3);
  assert_true(fabs(mean_of(network->parameters, (size_t)2 * CODES, &variance)) < 0.15 && fabs(variance - 1) < 0.25);
  assert_int_equal(workspace_create(network, ROWS, false, &space), MLPD_OK);
  for (uint32_t r = 0; r < ROWS; r++) {
    space.x[r] = codes[r];
    space.delta[0][2 * r] = (float)(r + 1);
    space.delta[0][2 * r + 1] = -1;
  }
  for (int b = 0; b < 2; b++) {
    float gradient[2 * CODES];
    const backend *gemm = NULL;
    assert_int_equal(backend_choose(names[b], &gemm), MLPD_OK);
    memset(gradient, 0x7F, sizeof gradient);
    for (uint32_t u = 0; u < tensor_num_units(&network->tensors[0], gemm); u++) {
      const gradient_unit unit = network_unit(network, gemm, 0, u);
      network_gradient(network, gemm, &unit, 0, ROWS, &space, gradient + (size_t)2 * unit.row, 2);
    }
    for (uint32_t k = 0; k < CODES; k++) {
      const int rows = k == 0 || k == 111 || k == 299 ? 1 : k == 112 ? 2 : 0;
      const float want = k == 0 ? 1 : k == 111 ? 2 : k == 112 ? 3 + 7 : k == 299 ? 4 : 0;
      assert_true(gradient[2 * k] == want && gradient[2 * k + 1] == (float)-rows);
    }
  }
  workspace_free(&space);
  mlpd_network_free(network);
}

enum { MANY_NUMBERS = 300, COSINES = 16 };

/* Of (rows, columns) per number: N(0, 0.1^2), and uniform ones. */
static void check_starts_of_numbers(const mlpd_network *network) {
  const double spread[] = {0.1, acos(-1), 0.25, 0.25};
  for (uint32_t i = 0; i < 4; i++) {
    const tensor *const t = &network->tensors[i];
    const double wanted = pow(spread[i], 2) / (i == 0 ? 1 : 3);
    double variance = 0;
    const double mean = mean_of(network->parameters + t->offset, (size_t)t->rows * t->columns, &variance);
    assert_true(t->rows == MANY_NUMBERS && t->rate == 0.1f && t->decay == 1);
    assert_true(fabs(mean) < 0.1 * spread[i] && fabs(variance / wanted - 1) < 0.1);
  }
}

/* dC/d phase of all numbers, unit by unit. */
static void find_slopes(const mlpd_network *network, const char *backend_name, workspace *space, float *slopes) {
  const backend *gemm = NULL;
  assert_int_equal(backend_choose(backend_name, &gemm), MLPD_OK);
  network_forward(network, gemm, 2, space);
  layer_periodic.settle(network, 0, &(block){.rows = 2, .columns = 4 * MANY_NUMBERS}, space);
  memset(slopes, 0x7F, MANY_NUMBERS * COSINES * sizeof *slopes);
  assert_true(tensor_num_units(&network->tensors[1], gemm) > 1);
  for (uint32_t u = 0; u < tensor_num_units(&network->tensors[1], gemm); u++) {
    const gradient_unit unit = network_unit(network, gemm, 1, u);
    network_gradient(network, gemm, &unit, 0, 2, space, slopes + (size_t)COSINES * unit.row, COSINES);
  }
}

/* The same of cosine k of number i, from its formula. */
static double slope_in_double(const mlpd_network *network, const workspace *space, uint32_t i, uint32_t k) {
  double sum = 0;
  for (uint32_t r = 0; r < 2; r++) {
    const float *const delta = space->delta[0] + r * network->layers[0].stride + (size_t)4 * i;
    const double turns = (double)layer_values(network, 0, 0)[i * COSINES + k] * (double)space->x[r * MANY_NUMBERS + i];
    const double sine = sin(2 * acos(-1) * turns + (double)layer_values(network, 0, 1)[i * COSINES + k]);
    for (uint32_t j = 0; j < 3; j++)
      sum -= (double)delta[j] * (double)layer_values(network, 0, 2)[i * 3 * COSINES + j * COSINES + k] * sine;
  }
  return sum;
}

/* More numbers than a unit of a gradient has rows. */
static void test_units_of_numbers(void **state) {
  (void)state;
  static float slopes[2][MANY_NUMBERS * COSINES];
  uint32_t sizes[MANY_NUMBERS];
  for (int i = 0; i < MANY_NUMBERS; i++) sizes[i] = 1;
  const layer_spec specs[] = {{.kind = &layer_periodic, .outputs = 4 * MANY_NUMBERS, .sizes = sizes, .width = 4},
                              {.kind = &layer_dense, .outputs = 1}};
  mlpd_network *network = NULL;
  workspace space;
  rng stream = rng_start(6, RNG_SHUFFLE, 0, 0);
  assert_int_equal(network_build(MANY_NUMBERS, 2, specs, false, &network), MLPD_OK);
  mlpd_network_init(network, MLPD_ZEROS, 3);
  check_starts_of_numbers(network);
  assert_int_equal(workspace_create(network, 2, false, &space), MLPD_OK);
  fill(&stream, (size_t)2 * MANY_NUMBERS, space.x);
  fill(&stream, (size_t)2 * network->layers[0].stride, space.delta[0]);
  find_slopes(network, "plain", &space, slopes[0]);
  find_slopes(network, NULL, &space, slopes[1]);
  assert_memory_equal(slopes[0], slopes[1], sizeof slopes[0]);
  for (uint32_t e = 0; e < MANY_NUMBERS * COSINES; e++)
    assert_true(fabs((double)slopes[0][e] - slope_in_double(network, &space, e / COSINES, e % COSINES)) < 1e-5);
  workspace_free(&space);
  mlpd_network_free(network);
}

/* ---- Networks --------------------------------------------------------------------------------------- */

static void test_layers_in_front_change_no_weights(void **state) {
  (void)state;
  mlpd_network *plain = NULL, *random = NULL;
  const layer_spec few[] = {DENSE(6, MLPD_RELU), OUTPUT};
  const layer_spec more[] = {RANDOM(layer_noise, INPUTS, 1), DENSE(6, MLPD_RELU), RANDOM(layer_dropout, 6, 0.5),
                             OUTPUT};
  char digests[2][17];
  assert_int_equal(network_build(INPUTS, 2, few, false, &plain), MLPD_OK);
  assert_int_equal(network_build(INPUTS, 4, more, false, &random), MLPD_OK);
  mlpd_network_init(plain, MLPD_INIT_AUTO, 8);
  mlpd_network_init(random, MLPD_INIT_AUTO, 8);
  mlpd_network_digest(plain, digests[0]);
  mlpd_network_digest(random, digests[1]);
  assert_string_equal(digests[0], digests[1]); /* what only training needs is no part of the model */
  assert_int_equal(random->lowest_delta, 1);
  assert_int_equal(mlpd_network_num_parameters(random), mlpd_network_num_parameters(plain));
  assert_string_equal(mlpd_network_layer(random, 2).kind, "dropout");
  assert_null(mlpd_network_layer(random, 2).weight);
  assert_null(mlpd_network_tensor(random, 2, 0).name);
  assert_string_equal(mlpd_network_tensor(random, 3, 1).name, "bias");
  mlpd_network_free(plain);
  mlpd_network_free(random);
}

/* ---- Parametrisation -------------------------------------------------------------------------------- */

/* One step of V, which learns as torch.optim documents it; s1, s2 its state, t from 1; trust: of lars and lamb. */
static void step_in_double(const mlpd_train_options *o, int t, double g, double trust, double *v, double *s1,
                           double *s2) {
  const bool in_direction = o->optimizer == MLPD_LAMB && o->decay == MLPD_DECAY_AUTO;
  const bool decoupled = o->optimizer == MLPD_ADAMW || o->optimizer == MLPD_LION;
  const double before = *v;
  if (o->decay == MLPD_DECAY_DECOUPLED || (o->decay == MLPD_DECAY_AUTO && decoupled))
    *v *= 1 - o->lr * o->weight_decay;
  else if (!in_direction)
    g += o->weight_decay * *v;
  if (o->optimizer == MLPD_LAMB) {
    *s1 = o->beta1 * *s1 + (1 - o->beta1) * g;
    *s2 = o->beta2 * *s2 + (1 - o->beta2) * g * g;
    *v -= o->lr * trust *
          (*s1 / (1 - pow(o->beta1, t)) / (sqrt(*s2 / (1 - pow(o->beta2, t))) + 1e-12) +
           (in_direction ? o->weight_decay * before : 0));
    return;
  }
  if (o->optimizer <= MLPD_NESTEROV) {
    *s1 = (o->optimizer == MLPD_SGD ? 0 : o->momentum * *s1) + g;
    *v -= o->lr * (o->optimizer == MLPD_NESTEROV ? g + o->momentum * *s1 : *s1);
    return;
  }
  if (o->optimizer == MLPD_LION) {
    const double c = o->beta1 * *s1 + (1 - o->beta1) * g;
    *s1 = o->beta2 * *s1 + (1 - o->beta2) * g;
    *v -= o->lr * (c > 0 ? 1 : -1);
    return;
  }
  if (o->optimizer == MLPD_LARS) {
    *s1 = o->momentum * *s1 + trust * g;
    *v -= o->lr * *s1;
    return;
  }
  if (o->optimizer == MLPD_ADAMAX) {
    *s1 = o->beta1 * *s1 + (1 - o->beta1) * g;
    *s2 = fmax(o->beta2 * *s2, fabs(g));
    *v -= o->lr * *s1 / (1 - pow(o->beta1, t)) / *s2;
    return;
  }
  if (o->optimizer == MLPD_RMSPROP || o->optimizer == MLPD_ADAGRAD) {
    *s1 = o->optimizer == MLPD_ADAGRAD ? *s1 + g * g : o->beta2 * *s1 + (1 - o->beta2) * g * g;
    *v -= o->lr * g / (sqrt(*s1) + 1e-12);
    return;
  }
  *s1 = o->beta1 * *s1 + (1 - o->beta1) * g;
  *s2 = o->beta2 * *s2 + (1 - o->beta2) * g * g;
  *v -= o->lr * *s1 / (1 - pow(o->beta1, t)) / (sqrt(*s2 / (1 - pow(o->beta2, t))) + 1e-12);
}

enum { NTK_INPUTS = 50, NTK_STEPS = 6 };

/* The trust ratio of V in step t: its norm by that of lamb's direction, or by lars' gradient and decay. */
static double trust_of_v(const mlpd_train_options *o, int t, const float *gradient, double root, const double *v,
                         double states[2][NTK_INPUTS]) {
  double weights = 0, update = 0;
  for (int i = 0; i < NTK_INPUTS; i++) {
    const double g = (double)gradient[i] / root;
    double moved = v[i], m = states[0][i], q = states[1][i];
    step_in_double(o, t, g, 1, &moved, &m, &q);
    const double kept = o->decay == MLPD_DECAY_DECOUPLED ? (1 - o->lr * o->weight_decay) * v[i] : v[i];
    const double direction = o->optimizer == MLPD_LAMB ? (kept - moved) / o->lr : g;
    weights += v[i] * v[i];
    update += direction * direction;
  }
  if (o->optimizer == MLPD_LAMB) return sqrt(weights / update);
  return o->trust_coefficient * sqrt(weights) /
         (sqrt(update) + (o->decay == MLPD_DECAY_DECOUPLED ? 0 : o->weight_decay) * sqrt(weights));
}

/* The stored weights W = V / sqrt(d) move as V does in z = x V / sqrt(d) + b; dC/dV = dC/dW / sqrt(d). */
static void check_ntk(mlpd_optimizer kind, mlpd_decay decay) {
  mlpd_train_options options;
  mlpd_network *network = NULL;
  optimizer o;
  const double root = sqrt(NTK_INPUTS);
  double v[NTK_INPUTS], states[2][NTK_INPUTS] = {{0}};
  float gradient[NTK_INPUTS];
  rng stream = rng_start(4, RNG_SHUFFLE, (uint32_t)kind, 0);
  quick_options(&options);
  options.parametrization = MLPD_PARAMETRIZATION_NTK;
  options.hidden = "1";
  options.output_activation = MLPD_IDENTITY;
  options.optimizer = kind;
  options.decay = decay;
  options.lr = 0.03;
  options.weight_decay = 0.2;
  options.trust_coefficient = 0.5;
  options.epsilon = 1e-12; /* that it does not scale is no matter here */
  assert_int_equal(network_of_options(&options, &(input_roles){.count = NTK_INPUTS}, 1, false, &network), MLPD_OK);
  mlpd_network_init(network, options.init, 7);
  assert_int_equal(optimizer_create(&options, network, &o), MLPD_OK);
  for (int i = 0; i < NTK_INPUTS; i++) v[i] = (double)network->parameters[i] * root;
  for (int t = 1; t <= NTK_STEPS; t++) {
    fill(&stream, NTK_INPUTS, gradient);
    const optimizer_scalars scalars = optimizer_begin(&o, options.lr, 1);
    const double trust = trust_of_v(&options, t, gradient, root, v, states);
    if (optimizer_has_trust(kind)) {
      const optimizer_squares sums =
          optimizer_sum_squares(&o, &scalars, &network->tensors[0], network->parameters, gradient, 0, NTK_INPUTS);
      optimizer_trust(&o, network, 0, &sums);
    }
    optimizer_update_range(&o, &scalars, network, network->parameters, gradient, 0, NTK_INPUTS);
    for (int i = 0; i < NTK_INPUTS; i++)
      step_in_double(&options, t, (double)gradient[i] / root, trust, &v[i], &states[0][i], &states[1][i]);
  }
  for (int i = 0; i < NTK_INPUTS; i++)
    assert_true(fabs((double)network->parameters[i] * root - v[i]) < 2e-5 * (1 + fabs(v[i])));
  optimizer_free(&o);
  mlpd_network_free(network);
}

static void test_ntk_rates(void **state) {
  (void)state;
  for (mlpd_optimizer kind = MLPD_SGD; kind < MLPD_NUM_OPTIMIZERS; kind++) {
    if (optimizer_searches(kind)) continue; /* it has no rates and refuses ntk */
    for (mlpd_decay decay = MLPD_DECAY_AUTO; decay <= MLPD_DECAY_DECOUPLED; decay++) check_ntk(kind, decay);
  }
}

static void test_ntk_start(void **state) {
  (void)state;
  mlpd_train_options options;
  mlpd_network *network = NULL;
  quick_options(&options);
  options.parametrization = MLPD_PARAMETRIZATION_NTK;
  options.hidden = "4000";
  options.output_activation = MLPD_IDENTITY;
  assert_int_equal(network_of_options(&options, &(input_roles){.count = 16}, 3, false, &network), MLPD_OK);
  mlpd_network_init(network, options.init, 7);
  const mlpd_layer_view first = mlpd_network_layer(network, 0), last = mlpd_network_layer(network, 1);
  double variance = 0;
  assert_int_equal(first.weight_stride, 4000);
  assert_true(fabs(mean_of(first.weight, 16 * 4000, &variance)) < 0.005);
  assert_true(fabs(variance * 16 - 1) < 0.03);
  assert_true(fabs(mean_of(first.bias, 4000, &variance)) < 0.08);
  assert_true(fabs(variance - 1) < 0.12);
  for (int i = 0; i < 3 * 4000; i++) assert_true(last.weight[i] == 0);
  assert_true(last.bias[0] == 0 && network->tensors[1].rate == 0.1f);
  mlpd_network_free(network);
}

/* A host that leaves texts of options out means their defaults. */
static void test_lists_left_out(void **state) {
  (void)state;
  mlpd_train_options options;
  mlpd_network *usual = NULL, *network = NULL;
  mlpd_train_options_default(&options);
  options.output_activation = MLPD_IDENTITY;
  options.hidden = "5,4";
  assert_int_equal(network_of_options(&options, &(input_roles){.count = INPUTS}, 3, false, &usual), MLPD_OK);
  options.activation = options.dropout = NULL;
  assert_int_equal(mlpd_train_check(&options), MLPD_OK);
  assert_int_equal(network_of_options(&options, &(input_roles){.count = INPUTS}, 3, false, &network), MLPD_OK);
  assert_int_equal(network->num_layers, 3);
  for (uint32_t l = 0; l < 3; l++) {
    const mlpd_layer_view has = mlpd_network_layer(network, l), expected = mlpd_network_layer(usual, l);
    assert_true(has.activation == expected.activation && has.outputs == expected.outputs);
  }
  mlpd_network_free(usual);
  mlpd_network_free(network);
}

static void test_output_must_be_dense(void **state) {
  (void)state;
  mlpd_network *network = NULL;
  const layer_spec specs[] = {DENSE(6, MLPD_RELU), RANDOM(layer_dropout, 6, 0.5)};
  assert_int_equal(network_build(INPUTS, 2, specs, false, &network), MLPD_ERROR_USAGE);
  assert_null(network);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dense),
      cmocka_unit_test(test_dropout_and_noise),
      cmocka_unit_test(test_scale),
      cmocka_unit_test(test_ensemble),
      cmocka_unit_test(test_members),
      cmocka_unit_test(test_embed),
      cmocka_unit_test(test_parametric),
      cmocka_unit_test(test_periodic),
      cmocka_unit_test(test_piecewise),
      cmocka_unit_test(test_spread_of_bins),
      cmocka_unit_test(test_places_among_bins),
      cmocka_unit_test(test_units_of_numbers),
      cmocka_unit_test(test_units_of_a_table),
      cmocka_unit_test(test_norms),
      cmocka_unit_test(test_input_gradients),
      cmocka_unit_test(test_lanes_of_batch_norm),
      cmocka_unit_test(test_batch_norm_of_members),
      cmocka_unit_test(test_statistics_are_no_parameters),
      cmocka_unit_test(test_lane_of_one_row),
      cmocka_unit_test(test_blocks_keep_rows_and_lanes_whole),
      cmocka_unit_test(test_draws_by_the_vector),
      cmocka_unit_test(test_random_layers),
      cmocka_unit_test(test_layers_in_front_change_no_weights),
      cmocka_unit_test(test_ntk_rates),
      cmocka_unit_test(test_ntk_start),
      cmocka_unit_test(test_lists_left_out),
      cmocka_unit_test(test_output_must_be_dense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
