/* One step of a lesson, by the library's functions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program/explain.h"
#include "program/outcome.h"

void explain_step_free(explain_step *step) {
  mlpd_trace_free(&step->trace);
  mlpd_trace_free(&step->trace_after);
  mlpd_network_free(step->before);
  mlpd_network_free(step->after);
  *step = (explain_step){0};
}

/* The library's message at the place of the setting that it is about. */
static mlpd_status fail_at(const explain_lesson *lesson, const char *setting, mlpd_status status) {
  char where[EXPLAIN_PLACE_BYTES];
  (void)explain_setting_place(lesson, setting, where);
  return outcome_fail(status, "%s: %s", where, mlpd_error_message());
}

static mlpd_status make_network(const explain_lesson *lesson, mlpd_network **network) {
  const mlpd_status status = mlpd_network_create(lesson->num_layers, lesson->widths, lesson->activations, network);
  if (status != MLPD_OK) return fail_at(lesson, "activation", status);
  if (lesson->drawn) mlpd_network_init(*network, MLPD_INIT_AUTO, lesson->settings.train.seed);
  for (uint32_t l = 0; l < lesson->num_layers; l++) {
    const mlpd_layer_view layer = mlpd_network_layer(*network, l);
    const explain_list *const weights = &lesson->weights[l], *const biases = &lesson->biases[l];
    for (uint32_t i = 0; !lesson->drawn && i < layer.inputs; i++)
      memcpy(layer.weight + (size_t)i * layer.weight_stride, weights->values + (size_t)i * layer.outputs,
             layer.outputs * sizeof(float));
    if (biases->line > 0) memcpy(layer.bias, biases->values, layer.outputs * sizeof(float));
  }
  return MLPD_OK;
}

static mlpd_status make_trace(const explain_lesson *lesson, mlpd_network *network, mlpd_trace *trace) {
  const mlpd_status status =
      mlpd_network_trace(network, lesson->settings.train.loss, lesson->n, lesson->x.values, lesson->y.values, trace);
  return status == MLPD_OK ? MLPD_OK : fail_at(lesson, "loss", status);
}

void explain_descend(const explain_lesson *lesson, mlpd_network *network, const mlpd_trace *trace) {
  float biases[EXPLAIN_MAX_LAYERS][EXPLAIN_MAX_WIDTH];
  const bool keep = lesson->settings.update == EXPLAIN_UPDATE_WEIGHTS;
  for (uint32_t l = 0; keep && l < lesson->num_layers; l++) {
    const mlpd_layer_view layer = mlpd_network_layer(network, l);
    memcpy(biases[l], layer.bias, layer.outputs * sizeof(float));
  }
  mlpd_network_descend(network, trace, (float)lesson->settings.train.lr);
  for (uint32_t l = 0; keep && l < lesson->num_layers; l++) {
    const mlpd_layer_view layer = mlpd_network_layer(network, l);
    memcpy(layer.bias, biases[l], layer.outputs * sizeof(float));
  }
}

mlpd_status explain_step_make(const explain_lesson *lesson, explain_step *step) {
  *step = (explain_step){0};
  mlpd_status status = make_network(lesson, &step->before);
  if (status == MLPD_OK) status = make_network(lesson, &step->after);
  if (status == MLPD_OK) status = make_trace(lesson, step->before, &step->trace);
  if (status != MLPD_OK) return status;
  explain_descend(lesson, step->after, &step->trace);
  return make_trace(lesson, step->after, &step->trace_after);
}

/* ---- The table of steps ----------------------------------------------------------------------------- */

enum { ALL_SHOWN = 10, MOST_OUTPUTS = 6 };

/* The first ten, then 20, 50, 100, 200, 500, ..., and the last. */
static bool is_shown(uint64_t step, uint64_t steps) {
  if (step <= ALL_SHOWN || step == steps) return true;
  while (step % 10 == 0) step /= 10;
  return step == 1 || step == 2 || step == 5;
}

static void print_row(const explain_lesson *lesson, uint64_t step, const mlpd_trace *trace, FILE *stream) {
  char b[32];
  const uint64_t digits = lesson->settings.digits;
  const uint64_t outputs = lesson->n * lesson->outputs;
  (void)fprintf(stream, "  %8llu  %12s", (unsigned long long)step, explain_cost(trace->loss, digits, b));
  const float *const answer = trace->a[lesson->num_layers - 1];
  for (uint64_t i = 0; outputs <= MOST_OUTPUTS && i < outputs; i++)
    (void)fprintf(stream, "%s%*s", i == 0 ? "   " : " ", digits < 5 ? 8 : (int)digits + 3,
                  explain_number((double)answer[i], digits, b));
  (void)fprintf(stream, "\n");
}

static mlpd_status check_finite(uint64_t step, const mlpd_trace *trace) {
  if (isfinite(trace->loss)) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_DIVERGED, "after step %llu the cost is not a finite number; try a smaller lr",
                      (unsigned long long)step);
}

mlpd_status explain_steps(const explain_lesson *lesson, explain_step *step, FILE *stream) {
  const uint64_t steps = lesson->settings.steps;
  mlpd_status status = check_finite(0, &step->trace);
  if (status == MLPD_OK) status = check_finite(1, &step->trace_after);
  if (steps == 1 || status != MLPD_OK) return status;
  (void)fprintf(stream, "\n5. Step after step\n\n      step             C%s\n",
                lesson->n * lesson->outputs <= MOST_OUTPUTS ? "   Yhat, row after row" : "");
  print_row(lesson, 0, &step->trace, stream);
  print_row(lesson, 1, &step->trace_after, stream);
  for (uint64_t s = 2; s <= steps; s++) {
    explain_descend(lesson, step->after, &step->trace_after);
    mlpd_trace_free(&step->trace_after);
    status = make_trace(lesson, step->after, &step->trace_after);
    if (status == MLPD_OK) status = check_finite(s, &step->trace_after);
    if (status != MLPD_OK) return status;
    if (is_shown(s, steps)) print_row(lesson, s, &step->trace_after, stream);
  }
  return MLPD_OK;
}
