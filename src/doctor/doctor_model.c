#include "doctor/doctor_model.h"

#include <errno.h>
#include <stdlib.h>

const mlpd_choice mlpd_limit_choices[] = {
    {"compute", MLPD_LIMIT_COMPUTE, "more ranks or threads make it faster"},
    {"latency", MLPD_LIMIT_LATENCY, "a larger --batch, or fewer ranks with more threads each"},
    {"bandwidth", MLPD_LIMIT_BANDWIDTH,
     "a larger --batch, fewer ranks with more threads each, or a faster network between the machines"},
    {"imbalance", MLPD_LIMIT_IMBALANCE, "--lanes: a multiple of the number of ranks"},
    {"input", MLPD_LIMIT_INPUT, "store the inputs in a smaller type: bytes or float32"},
    {NULL, 0, NULL},
};

double wire_seconds(const wire_model *wire, reduce_cost cost) {
  return cost.messages * wire->latency + cost.bytes * wire->byte;
}

/* Fits seconds = factor * x by least squares of the relative errors; returns the factor. */
static double fit_one(double sum_x, double sum_xx) { return sum_xx > 0 ? sum_x / sum_xx : 0; }

wire_model wire_fit(int n, const reduce_cost *costs, const double *seconds) {
  double m = 0, b = 0, mm = 0, mb = 0, bb = 0; /* normal equations of x = messages / t, y = bytes / t against 1 */
  for (int i = 0; i < n; i++) {
    if (!(seconds[i] > 0)) continue;
    const double x = costs[i].messages / seconds[i], y = costs[i].bytes / seconds[i];
    m += x;
    b += y;
    mm += x * x;
    mb += x * y;
    bb += y * y;
  }
  const double determinant = mm * bb - mb * mb;
  if (determinant > 1e-9 * mm * bb) {
    const wire_model both = {(m * bb - b * mb) / determinant, (b * mm - m * mb) / determinant};
    if (both.latency >= 0 && both.byte >= 0) return both;
    if (both.latency < 0) return (wire_model){0, fit_one(b, bb)};
  }
  return (wire_model){fit_one(m, mm), 0};
}

uint32_t doctor_lanes(uint32_t lanes, int ranks) { return lanes < (uint32_t)ranks ? (uint32_t)ranks : lanes; }

uint32_t doctor_most_lanes(uint32_t lanes, int ranks) {
  const uint32_t all = doctor_lanes(lanes, ranks);
  return (all - 1) / (uint32_t)ranks + 1;
}

uint64_t doctor_most_rows(uint64_t batch, uint32_t lanes, int ranks) {
  const uint64_t all = doctor_lanes(lanes, ranks), most = doctor_most_lanes(lanes, ranks);
  return batch / all * most + (batch % all * most + all - 1) / all;
}

static mlpd_limit largest(const mlpd_prediction *p) {
  const double parts[] = {[MLPD_LIMIT_COMPUTE] = p->compute,
                          [MLPD_LIMIT_LATENCY] = p->latency,
                          [MLPD_LIMIT_BANDWIDTH] = p->bandwidth,
                          [MLPD_LIMIT_IMBALANCE] = p->imbalance,
                          [MLPD_LIMIT_INPUT] = p->input};
  mlpd_limit most = MLPD_LIMIT_COMPUTE;
  for (int i = 0; i < (int)(sizeof parts / sizeof *parts); i++)
    if (parts[i] > parts[most]) most = (mlpd_limit)i;
  return most;
}

mlpd_prediction doctor_predict(int ranks, uint64_t batch, uint32_t lanes, step_cost busiest, const wire_model *wire,
                               reduce_cost cost) {
  mlpd_prediction p = {.ranks = ranks,
                       .lanes = doctor_lanes(lanes, ranks),
                       .most_lanes = doctor_most_lanes(lanes, ranks),
                       .input = busiest.input,
                       .wire_known = wire != NULL || ranks == 1};
  /* Imbalance: the time that the busiest rank computes beyond an equal share. */
  const double even = (double)p.lanes / ((double)ranks * p.most_lanes);
  p.compute = busiest.compute * even;
  p.imbalance = busiest.compute - p.compute;
  if (wire != NULL && ranks > 1) {
    p.latency = cost.messages * wire->latency;
    p.bandwidth = cost.bytes * wire->byte;
  }
  p.step = p.compute + p.imbalance + p.input + p.latency + p.bandwidth;
  p.samples_per_second = p.step > 0 ? (double)batch / p.step : 0;
  p.limit = largest(&p);
  return p;
}

mlpd_status doctor_parse_ranks(const char *text, int *ranks, int room, int *count) {
  const char *at = text != NULL ? text : "";
  *count = 0;
  while (*at != '\0') {
    char *end = NULL;
    errno = 0;
    const long value = strtol(at, &end, 10);
    if (end == at || errno != 0 || value < 1 || value > 1 << 20 || (*end != ',' && *end != '\0') ||
        (*end == ',' && end[1] == '\0'))
      return FAIL(MLPD_ERROR_USAGE, "--np: '%s' is not a list of numbers of ranks such as 4,16", text);
    if (*count == room) return FAIL(MLPD_ERROR_USAGE, "--np: more than %d numbers of ranks are given", room);
    ranks[(*count)++] = (int)value;
    at = *end == ',' ? end + 1 : end;
  }
  return MLPD_OK;
}
