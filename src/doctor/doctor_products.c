/* Measures each back end on the matrix products of one lane, as a thread computes them in a step. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "doctor/doctor.h"
#include "doctor/doctor_measure.h"
#include "ranks/clock.h"
#include "ranks/comm.h"

enum { GRADIENT_FLOATS = 1 << 18 }; /* largest block of a weight gradient: fits a core's cache */

/* A thread's arrays; the weights are the network's. */
typedef struct bench {
  int rows;        /* rows of a microbatch, and of an ensemble of all its members */
  float *in, *out; /* (rows, widest) */
  float *back;     /* (rows, widest): product of delta and weights */
  float *gradient; /* (GRADIENT_FLOATS, or a row if that is more) */
  uint32_t widest;
} bench;

/* true for tensors that are factors of a matrix product */
static bool is_factor(const tensor *t) { return t->source == TENSOR_PRODUCT; }

static mlpd_status make_bench(const mlpd_network *network, uint64_t rows, bench *b, float **memory) {
  uint32_t widest = network_inputs(network);
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].stride > widest) widest = network->layers[l].stride;
  for (uint32_t i = 0; i < network->num_tensors; i++)
    if (is_factor(&network->tensors[i]) && network->tensors[i].stride > widest) widest = network->tensors[i].stride;
  widest = (widest + 15) / 16 * 16;
  const size_t matrix = (size_t)rows * widest, gradient = widest > GRADIENT_FLOATS ? widest : GRADIENT_FLOATS;
  TRY(memory_allocate(memory, 3 * matrix + gradient, sizeof(float), "products"));
  *b = (bench){(int)rows, *memory, *memory + matrix, *memory + 2 * matrix, *memory + 3 * matrix, widest};
  rng stream = rng_start(1, RNG_SHUFFLE, 0, 0);
  for (size_t i = 0; i < 2 * matrix; i++) (*memory)[i] = (float)(rng_uniform(&stream) - 0.5);
  return MLPD_OK;
}

/* Computes the three products of `count` rows with the weights of one matrix of a layer (forward, backward, weight
 * gradient); returns the number of floating-point operations. */
static double run_matrix(const mlpd_network *network, const backend *gemm, const tensor *t, const float *weight,
                         int count, const bench *b) {
  const int in = (int)tensor_group_rows(t), out = (int)t->columns, ld = (int)b->widest, stride = (int)t->stride;
  const bool backward = t->layer > network->lowest_delta;
  const double flops = 2.0 * count * in * out;
  gemm->sgemm(false, false, count, out, in, b->in, ld, weight, stride, b->back, ld);
  if (backward) gemm->sgemm(false, true, count, in, out, b->out, ld, weight, stride, b->back, ld);
  const int most = GRADIENT_FLOATS / stride > 1 ? GRADIENT_FLOATS / stride : 1;
  for (int row = 0; row < in; row += most) {
    const int rows = in - row < most ? in - row : most;
    gemm->sgemm(true, false, rows, out, count, b->in + row, ld, b->out, ld, b->gradient, stride);
  }
  return (backward ? 3 : 2) * flops;
}

/* All matrices of a layer: of an ensemble's heads each with the rows of its member. */
static double run_layer(const mlpd_network *network, const backend *gemm, const tensor *t, const bench *b) {
  const uint32_t matrices = t->rows / tensor_group_rows(t);
  const uint32_t share = matrices > 1 ? matrices : network_members(network) / network->layers[t->layer].copies;
  double flops = 0;
  for (uint32_t i = 0; i < matrices; i++) {
    const float *const weight = network->parameters + t->offset + (size_t)i * tensor_group_rows(t) * t->stride;
    flops += run_matrix(network, gemm, t, weight, b->rows / (int)share, b);
  }
  return flops;
}

/* flop/s of the calling thread in its best round, since the peak is measured in the same way. The first round generates
 * code or packs weights; it counts only if it alone takes far longer than the available time. */
static double measure(const mlpd_network *network, const backend *gemm, const bench *b, double seconds) {
  enum { LEAST_ROUNDS = 4, MUCH_LONGER = 5 };
  double best = 0, spent = 0;
  const double start = clock_seconds();
  for (int round = 0; spent < seconds || (round < LEAST_ROUNDS && spent < MUCH_LONGER * seconds); round++) {
    double flops = 0;
    const double begin = clock_seconds();
    for (uint32_t i = 0; i < network->num_tensors; i++)
      if (is_factor(&network->tensors[i])) flops += run_layer(network, gemm, &network->tensors[i], b);
    const double end = clock_seconds();
    if (end > begin) best = fmax(best, flops / (end - begin));
    spent = end - start;
  }
  return best;
}

/* Measures all threads of all ranks at the same time. Collective. */
static mlpd_status measure_all(doctor *d, const backend *gemm, double seconds, double *flops) {
  const uint64_t rows =
      doctor_most_rows(d->report->batch, d->report->lanes, (int)d->report->lanes) * network_members(d->network);
  double sum = 0;
  int failed = 0;
  mlpd_status status = MLPD_OK;
  if (rows > INT32_MAX / 2) status = FAIL(MLPD_ERROR_USAGE, "--batch: too large for this number of lanes");
  TRY(mlpd_comm_agree(d->comm, status));
#pragma omp parallel num_threads(d->threads) reduction(+ : sum, failed)
  {
    bench b;
    float *memory = NULL;
    failed = make_bench(d->network, rows, &b, &memory) != MLPD_OK;
#pragma omp barrier
    if (!failed) sum = measure(d->network, gemm, &b, seconds);
    free(memory);
  }
  if (failed > 0) status = FAIL(MLPD_ERROR_MEMORY, "out of memory while measuring matrix products");
  TRY(mlpd_comm_agree(d->comm, status));
  TRY(doctor_sum(d->comm, &sum, 1));
  *flops = sum;
  return MLPD_OK;
}

mlpd_status doctor_products(doctor *d, double seconds) {
  mlpd_doctor_report *const r = d->report;
  const char *const *const names = mlpd_backend_names();
  int count = 0;
  while (names[count] != NULL && count < MLPD_MAX_BACKENDS) count++;
  for (int i = 0; i < count; i++) {
    const backend *gemm = NULL;
    /* Skip a back end that any rank lacks; train reports why if it is requested. */
    if (mlpd_comm_agree(d->comm, backend_choose(names[i], &gemm)) != MLPD_OK) continue;
    mlpd_backend_speed *const speed = &r->backends[r->num_backends++];
    *speed = (mlpd_backend_speed){.name = gemm->name,
                                  .description = gemm->description,
                                  .instructions = gemm->instructions != NULL ? gemm->instructions() : "",
                                  .taken = gemm == d->gemm};
    TRY(measure_all(d, gemm, seconds / count, &speed->flops));
    speed->fraction = r->peak_all > 0 ? speed->flops / r->peak_all : 0;
  }
  return MLPD_OK;
}
