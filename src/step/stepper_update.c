#include "step/stepper_update.h"

#include <math.h>
#include <omp.h>
#include <string.h>

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

void stepper_update_all(stepper *s) {
  double scale = mean_scale(s);
  if (s->parts.clip_norm > 0) {
    s->outcome.gradient_norm = gradient_norm(s, scale);
    if (s->outcome.gradient_norm > s->parts.clip_norm) scale *= s->parts.clip_norm / s->outcome.gradient_norm;
  }
  begin_update(s, scale);
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
