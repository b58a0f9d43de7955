/* Measures the canonical sum of vectors of several lengths. */
#include "doctor/doctor.h"
#include "doctor/doctor_measure.h"
#include "step/step_tail.h"

enum { LARGEST_BYTES = 64 << 20 };

typedef struct timed_sum {
  reducer *reducer;
  size_t floats;
  int threads;
} timed_sum;

/* Sums once as a step does: the sum is complete when its blocks have been read. */
static mlpd_status sum_once(void *context) {
  const timed_sum *const of = context;
  const double *totals = NULL;
  reducer_begin(of->reducer);
  TRY(reducer_ready(of->reducer, 0));
  TRY(reducer_finish(of->reducer, &totals));
  double kept = 0;
#pragma omp parallel for num_threads(of->threads) schedule(static) reduction(+ : kept)
  for (size_t begin = 0; begin < of->floats; begin += REDUCER_READ_FLOATS) {
    _Alignas(64) float scratch[REDUCER_READ_FLOATS];
    const size_t end = of->floats - begin < REDUCER_READ_FLOATS ? of->floats : begin + REDUCER_READ_FLOATS;
    kept += (double)reducer_read(of->reducer, begin, end, scratch)[0];
  }
  return kept == 0 ? MLPD_OK : FAIL(MLPD_ERROR_INTERNAL, "a sum of zeros is not zero");
}

/* Measures the median seconds of a sum of vectors of `bytes` bytes on the slowest rank. Collective. */
static mlpd_status time_sum(doctor *d, uint64_t bytes, double seconds, double *median) {
  timed_sum of = {.floats = bytes / sizeof(float), .threads = d->report->threads};
  TRY(reducer_create(d->comm, d->report->lanes, of.floats, TAIL_DOUBLES, MLPD_REDUCE_CANONICAL, NULL, 1,
                     (const size_t[]){0, of.floats}, &of.reducer));
  const mlpd_status status = doctor_time(d->comm, sum_once, &of, seconds, median);
  reducer_free(of.reducer);
  return status;
}

/* Lists the lengths: 256 B and multiples by 8 up to beyond the network's gradient, and last the gradient itself. */
static int list_lengths(uint64_t gradient, uint64_t lengths[MLPD_MAX_WIRE_POINTS]) {
  int count = 0;
  for (uint64_t bytes = 256; count < MLPD_MAX_WIRE_POINTS - 1 && bytes <= LARGEST_BYTES; bytes *= 8) {
    lengths[count++] = bytes;
    if (bytes > gradient) break;
  }
  lengths[count] = gradient;
  return count + 1;
}

mlpd_status doctor_wire(doctor *d, double seconds) {
  mlpd_doctor_report *const r = d->report;
  const mlpd_doctor_options *const o = d->options;
  reduce_cost costs[MLPD_MAX_WIRE_POINTS];
  double times[MLPD_MAX_WIRE_POINTS];
  if (r->ranks > 1) {
    uint64_t lengths[MLPD_MAX_WIRE_POINTS];
    const int count = list_lengths(d->network->arena_size * sizeof(float), lengths);
    for (int i = 0; i < count; i++) {
      TRY(time_sum(d, lengths[i], seconds / count, &times[i]));
      costs[i] = reduce_cost_of(r->lanes, r->ranks, lengths[i]);
      r->wire[i] = (mlpd_wire_point){lengths[i], times[i]};
    }
    r->num_wire_points = count;
    r->sum_seconds = times[count - 1];
    const wire_model fit = wire_fit(count, costs, times);
    r->latency = fit.latency;
    r->bandwidth = fit.byte > 0 ? 1 / fit.byte : 0;
  }
  if (o->latency > 0) r->latency = o->latency;
  if (o->bandwidth > 0) r->bandwidth = o->bandwidth;
  return MLPD_OK;
}
