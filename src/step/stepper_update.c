#include "step/stepper_update.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/multiversion.h"
#include "kernels/vector.h"
#include "ranks/clock.h"
#include "ranks/comm.h"

/* If all samples of a batch have weight 0, there is no gradient: the step only applies weight decay. */
static double mean_scale(const stepper *s) { return s->outcome.sums.weight > 0 ? 1 / s->outcome.sums.weight : 0; }

/* scale: of the gradient. */
static void begin_update(stepper *s, double scale) {
  s->scalars = optimizer_begin(s->parts.optimizer, s->lr, scale);
  if (s->rows > 0) s->scalars.statistics_scale = (float)(1 / (double)s->rows);
}

void stepper_take_totals(void *context, const double *totals) {
  stepper *const s = context;
  s->outcome = step_tail_outcome(totals, mlpd_comm_size(s->parts.comm));
  if (stepper_takes_step(s)) begin_update(s, mean_scale(s));
}

void stepper_update_slice(void *context, size_t begin, size_t end, const float *sum) {
  const stepper *const s = context;
  if (!stepper_takes_step(s)) return;
  optimizer_update_range(s->parts.optimizer, &s->scalars, s->parts.network, s->parts.network->parameters, sum, begin,
                         end);
}

static double gradient_norm(stepper *s, double scale) {
  const size_t size = s->parts.network->arena_size;
  const size_t blocks = (size - 1) / NORM_BLOCK + 1;
  const uint64_t began = timeline_begin(s->line);
#pragma omp parallel for num_threads(s->parts.threads)
  for (size_t i = 0; i < blocks; i++) {
    _Alignas(64) float block[NORM_BLOCK];
    const size_t begin = i * NORM_BLOCK, end = size - begin < NORM_BLOCK ? size : begin + NORM_BLOCK;
    for (size_t at = begin; at < end; at += REDUCER_READ_FLOATS) {
      const size_t stop = end - at < REDUCER_READ_FLOATS ? end : at + REDUCER_READ_FLOATS;
      const float *const read = reducer_read(s->reducer, at, stop, block + (at - begin));
      if (read != block + (at - begin)) memcpy(block + (at - begin), read, (stop - at) * sizeof *block);
    }
    network_clear_statistics(s->parts.network, begin, end - begin, block);
    s->norms[i] = vector_sum_squares(end - begin, block);
  }
  double sum = 0;
  for (size_t i = 0; i < blocks; i++) sum += s->norms[i];
  (void)timeline_end(s->line, 0, TIMELINE_NORM, 0, 0, began);
  return sqrt(sum) * scale;
}

/* ---- Trust ratios ----------------------------------------------------------------------------------- */

static uint32_t append_pieces(const mlpd_network *network, uint32_t i, norm_piece *pieces) {
  const size_t begin = network->tensors[i].offset, end = tensor_end(&network->tensors[i]);
  uint32_t count = 0;
  for (size_t at = begin; at < end; at += OPTIMIZER_NORM_FLOATS, count++)
    if (pieces != NULL)
      pieces[count] = (norm_piece){
          .tensor = i, .begin = at, .end = end - at < OPTIMIZER_NORM_FLOATS ? end : at + OPTIMIZER_NORM_FLOATS};
  return count;
}

static uint32_t list_pieces(const stepper *s, norm_piece *pieces) {
  const mlpd_network *const network = s->parts.network;
  uint32_t count = 0;
  for (uint32_t i = 0; i < network->num_tensors; i++)
    if (optimizer_scales(s->parts.optimizer, &network->tensors[i]))
      count += append_pieces(network, i, pieces != NULL ? pieces + count : NULL);
  return count;
}

mlpd_status stepper_make_trust(stepper *s) {
  s->num_pieces = list_pieces(s, NULL);
  if (s->num_pieces == 0) return MLPD_OK;
  TRY(memory_allocate(&s->pieces, s->num_pieces, sizeof *s->pieces, "norms"));
  (void)list_pieces(s, s->pieces);
  return MLPD_OK;
}

static void sum_piece(const stepper *s, norm_piece *piece) {
  _Alignas(64) float scratch[OPTIMIZER_NORM_FLOATS];
  const mlpd_network *const network = s->parts.network;
  const float *const gradient = reducer_read(s->reducer, piece->begin, piece->end, scratch);
  piece->sums = optimizer_sum_squares(s->parts.optimizer, &s->scalars, &network->tensors[piece->tensor],
                                      network->parameters, gradient, piece->begin, piece->end);
}

/* The trust ratios of this step: the pieces on all threads, their sums in order. */
static void find_trust(stepper *s) {
  const uint64_t began = timeline_begin(s->line);
#pragma omp parallel for num_threads(s->parts.threads)
  for (uint32_t i = 0; i < s->num_pieces; i++) sum_piece(s, &s->pieces[i]);
  for (uint32_t i = 0; i < s->num_pieces;) {
    const uint32_t tensor = s->pieces[i].tensor;
    optimizer_squares sums = {0};
    for (; i < s->num_pieces && s->pieces[i].tensor == tensor; i++) {
      sums.weights += s->pieces[i].sums.weights;
      sums.update += s->pieces[i].sums.update;
    }
    optimizer_trust(s->parts.optimizer, s->parts.network, tensor, &sums);
  }
  (void)timeline_end(s->line, 0, TIMELINE_NORM, 0, 0, began);
}

/* ---- All weights ------------------------------------------------------------------------------------ */

void stepper_update_all(stepper *s) {
  double scale = mean_scale(s);
  if (s->parts.clip_norm > 0) {
    s->outcome.gradient_norm = gradient_norm(s, scale);
    if (s->outcome.gradient_norm > s->parts.clip_norm) scale *= s->parts.clip_norm / s->outcome.gradient_norm;
  }
  begin_update(s, scale);
  if (s->num_pieces > 0) find_trust(s);
  const size_t size = s->parts.network->arena_size;
#pragma omp parallel num_threads(s->parts.threads)
  {
    const uint64_t began = timeline_begin(s->line);
#pragma omp for schedule(static) nowait
    for (size_t begin = 0; begin < size; begin += REDUCER_READ_FLOATS) {
      _Alignas(64) float scratch[REDUCER_READ_FLOATS];
      const size_t end = size - begin < REDUCER_READ_FLOATS ? size : begin + REDUCER_READ_FLOATS;
      const float *const gradient = reducer_read(s->reducer, begin, end, scratch);
      optimizer_update_range(s->parts.optimizer, &s->scalars, s->parts.network, s->parts.network->parameters, gradient,
                             begin, end);
    }
    (void)timeline_end(s->line, (uint32_t)omp_get_thread_num(), TIMELINE_OPTIMIZER, 0, 0, began);
  }
}

/* ---- The gradient alone ------------------------------------------------------------------------------- */

MULTIVERSION static void scale_floats(size_t n, float factor, const float *x, float *y) {
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] = factor * x[i];
}

void stepper_keep_gradient(stepper *s) {
  const size_t size = s->parts.network->arena_size;
  const float scale = (float)mean_scale(s);
  float *const kept = s->parts.optimizer->gradient;
#pragma omp parallel for num_threads(s->parts.threads) schedule(static)
  for (size_t begin = 0; begin < size; begin += REDUCER_READ_FLOATS) {
    _Alignas(64) float scratch[REDUCER_READ_FLOATS];
    const size_t end = size - begin < REDUCER_READ_FLOATS ? size : begin + REDUCER_READ_FLOATS;
    scale_floats(end - begin, scale, reducer_read(s->reducer, begin, end, scratch), kept + begin);
  }
}
