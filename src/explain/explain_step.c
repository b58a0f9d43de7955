/* One step of a lesson, by the library's functions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/outcome.h"
#include "explain/explain_average.h"
#include "explain/explain_schedule.h"

void explain_step_free(explain_step *step) {
  mlpd_trace_free(&step->trace);
  mlpd_trace_free(&step->trace_after);
  mlpd_descent_free(step->held);
  mlpd_descent_free(step->descent);
  mlpd_network_free(step->mean_before);
  mlpd_network_free(step->mean_after);
  mlpd_network_free(step->before);
  mlpd_network_free(step->after);
  *step = (explain_step){0};
}

/* The library's message at the place of the setting that it names ("--quantiles 2: ..."), else of this one. */
static mlpd_status fail_at(const explain_lesson *lesson, const char *setting, mlpd_status status) {
  const char *message = mlpd_error_message();
  char where[EXPLAIN_PLACE_BYTES], name[32];
  const size_t length = strncmp(message, "--", 2) == 0 ? strcspn(message + 2, ": ") : 0;
  (void)snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : 0, message + 2);
  if (mlpd_option_find(explain_setting_rows, name) == NULL)
    return outcome_fail(status, "%s: %s", explain_setting_place(lesson, setting, where), message);
  return outcome_fail(status, "%s%s", explain_setting_place(lesson, name, where), message + 2 + length);
}

/* Numbers of the lesson, where it gives them, in the tensor of this name; there is none in other kinds of layers. */
static void fill_tensor(mlpd_network *network, uint32_t l, const char *name, const explain_list *list) {
  const explain_matrix to = explain_tensor(network, l, name);
  float *const values = mlpd_network_tensor(network, l, explain_tensor_index(network, l, name)).values;
  if (list->line == 0) return;
  for (uint64_t i = 0; i < to.rows; i++)
    memcpy(values + i * to.stride, list->values + i * to.columns, to.columns * sizeof(float));
}

static void fill_network(const explain_lesson *lesson, mlpd_network *network) {
  uint32_t dense = 0; /* layers so far */
  for (uint32_t l = 0; l < mlpd_network_num_layers(network); l++) {
    const char *const kind = mlpd_network_layer(network, l).kind;
    const bool is_dense = strcmp(kind, "dense") == 0 || strcmp(kind, "heads") == 0;
    dense += is_dense;
    if (is_dense) fill_tensor(network, l, "weight", &lesson->weights[dense - 1]);
    if (is_dense) fill_tensor(network, l, "bias", &lesson->biases[dense - 1]);
    if (dense > 0) fill_tensor(network, l, "gain", &lesson->gains[dense - 1]);
    if (dense > 0) fill_tensor(network, l, "shift", &lesson->shifts[dense - 1]);
    if (strcmp(kind, "fan-out") != 0) fill_tensor(network, l, "scale", &lesson->scale);
  }
}

static mlpd_status make_network(const explain_lesson *lesson, mlpd_network **network) {
  const mlpd_samples samples = {.n = lesson->n, .x = lesson->x.values};
  const mlpd_status status = mlpd_network_from_samples(&lesson->settings.train, lesson->inputs, lesson->categories,
                                                       lesson->outputs, &samples, network);
  if (status != MLPD_OK) return fail_at(lesson, "activation", status);
  fill_network(lesson, *network);
  return MLPD_OK;
}

static mlpd_status make_trace(const explain_lesson *lesson, mlpd_network *network, uint64_t step, mlpd_trace *trace) {
  const mlpd_samples samples = {lesson->n, lesson->x.values, lesson->y.values, lesson->sample_weights};
  const mlpd_status status = mlpd_network_trace_options(network, &lesson->settings.train, step, &samples, trace);
  return status == MLPD_OK ? MLPD_OK : fail_at(lesson, "loss", status);
}

static mlpd_status make_descent(const explain_lesson *lesson, const mlpd_network *network, mlpd_descent **descent) {
  mlpd_status status = mlpd_descent_create(&lesson->settings.train, network, descent);
  if (status == MLPD_OK) status = mlpd_descent_follow(*descent);
  return status == MLPD_OK ? MLPD_OK : fail_at(lesson, "optimizer", status);
}

/* Copies all biases into saved, or back. */
static void copy_biases(mlpd_network *network, bool back) {
  static float saved[EXPLAIN_MAX_LAYERS][EXPLAIN_MAX_MEMBERS * EXPLAIN_MAX_WIDTH];
  uint32_t layers = 0; /* with biases, so far */
  for (uint32_t l = 0; l < mlpd_network_num_layers(network); l++) {
    const char *const kind = mlpd_network_layer(network, l).kind;
    const mlpd_tensor_view bias = mlpd_network_tensor(network, l, explain_tensor_index(network, l, "bias"));
    if (bias.name == NULL || (strcmp(kind, "dense") != 0 && strcmp(kind, "heads") != 0)) continue;
    for (uint32_t k = 0; k < bias.rows; k++) {
      float *const held = saved[layers] + (size_t)k * bias.columns, *const values =
                                                                        bias.values + (size_t)k * bias.stride;
      memcpy(back ? values : held, back ? held : values, bias.columns * sizeof(float));
    }
    layers++;
  }
}

/* The network takes a step with the gradients of the trace; with `update weights` the biases are put back. */
static void descend(const explain_lesson *lesson, mlpd_descent *descent, mlpd_network *network,
                    const mlpd_trace *trace) {
  const bool keep = lesson->settings.update == EXPLAIN_UPDATE_WEIGHTS;
  if (keep) copy_biases(network, false);
  mlpd_descent_step(descent, network, trace);
  if (keep) copy_biases(network, true);
}

static mlpd_status check_finite(uint64_t step, const mlpd_trace *trace) {
  if (isfinite(trace->loss)) return MLPD_OK;
  return outcome_fail(MLPD_ERROR_DIVERGED, "after step %llu the cost is not a finite number; try a smaller lr",
                      (unsigned long long)step);
}

/* Step `number` of `after` and of the average. */
static void step_after(const explain_lesson *lesson, uint64_t number, const mlpd_trace *trace, explain_step *step) {
  descend(lesson, step->descent, step->after, trace);
  if (step->mean_after != NULL)
    (void)mlpd_network_average(step->mean_after, step->after, &lesson->settings.train, number);
}

/* Both networks take this many steps. */
static mlpd_status go_on(const explain_lesson *lesson, uint64_t steps, explain_step *step) {
  mlpd_status status = MLPD_OK;
  for (uint64_t s = 0; s < steps && status == MLPD_OK; s++) {
    mlpd_trace trace;
    status = make_trace(lesson, step->before, s, &trace);
    if (status != MLPD_OK) return status;
    status = check_finite(s, &trace);
    descend(lesson, step->held, step->before, &trace);
    step_after(lesson, s + 1, &trace, step);
    if (step->mean_before != NULL)
      (void)mlpd_network_average(step->mean_before, step->before, &lesson->settings.train, s + 1);
    mlpd_trace_free(&trace);
  }
  return status;
}

mlpd_status explain_step_make(const explain_lesson *lesson, uint64_t number, explain_step *step) {
  *step = (explain_step){0};
  mlpd_status status = make_network(lesson, &step->before);
  if (status == MLPD_OK) status = make_network(lesson, &step->after);
  if (status == MLPD_OK && explain_has_average(lesson)) status = make_network(lesson, &step->mean_before);
  if (status == MLPD_OK && explain_has_average(lesson)) status = make_network(lesson, &step->mean_after);
  if (status == MLPD_OK) status = make_descent(lesson, step->before, &step->held);
  if (status == MLPD_OK) status = make_descent(lesson, step->before, &step->descent);
  if (status == MLPD_OK) status = go_on(lesson, number - 1, step);
  if (status == MLPD_OK) status = make_trace(lesson, step->before, number - 1, &step->trace);
  if (status != MLPD_OK) return status;
  step->lr = mlpd_descent_lr(step->descent);
  step_after(lesson, number, &step->trace, step);
  return make_trace(lesson, step->after, number, &step->trace_after);
}

double explain_answer(const explain_lesson *lesson, const mlpd_trace *trace, uint64_t i, uint32_t j) {
  const uint32_t members = explain_members(lesson);
  const float *const values = trace->a[trace->num_layers - 1] + i * members * lesson->outputs + j;
  double sum = 0;
  for (uint32_t k = 0; k < members; k++) sum += (double)values[(size_t)k * lesson->outputs];
  return sum / members;
}

/* ---- The table of steps ----------------------------------------------------------------------------- */

enum { ALL_SHOWN = 10, MOST_OUTPUTS = 6 };

/* Do the answers fit beside the other columns? */
static bool shows_outputs(const explain_lesson *lesson) {
  const int columns = explain_has_schedule(lesson) + explain_has_average(lesson);
  return lesson->n * lesson->outputs + 2 * (uint64_t)columns <= MOST_OUTPUTS;
}

/* The first ten, then 20, 50, 100, 200, 500, ..., and the last. */
static bool is_shown(uint64_t step, uint64_t steps) {
  if (step <= ALL_SHOWN || step == steps) return true;
  while (step % 10 == 0) step /= 10;
  return step == 1 || step == 2 || step == 5;
}

/* The cost with the averaged weights after the step, "-" where there are none yet. */
static mlpd_status print_average_cost(const explain_lesson *lesson, uint64_t number, const explain_step *step,
                                      FILE *stream) {
  char b[32] = "-";
  mlpd_trace trace;
  if (number > 0 && explain_average_begun(lesson, number)) {
    const mlpd_status status = make_trace(lesson, step->mean_after, number, &trace);
    if (status != MLPD_OK) return status;
    (void)explain_cost(trace.loss, lesson->settings.digits, b);
    mlpd_trace_free(&trace);
  }
  (void)fprintf(stream, "  %12s", b);
  return MLPD_OK;
}

/* lr: of this step; 0 before the first. */
static mlpd_status print_row(const explain_lesson *lesson, uint64_t number, const mlpd_trace *trace, double lr,
                             const explain_step *step, FILE *stream) {
  char b[32];
  const uint64_t digits = lesson->settings.digits;
  const uint64_t outputs = lesson->n * lesson->outputs;
  (void)fprintf(stream, "  %8llu", (unsigned long long)number);
  if (explain_has_schedule(lesson)) (void)fprintf(stream, "  %12s", number > 0 ? explain_cost(lr, digits, b) : "-");
  (void)fprintf(stream, "  %12s", explain_cost(trace->loss, digits, b));
  if (explain_has_average(lesson)) {
    const mlpd_status status = print_average_cost(lesson, number, step, stream);
    if (status != MLPD_OK) return status;
  }
  for (uint64_t i = 0; shows_outputs(lesson) && i < outputs; i++)
    (void)fprintf(
        stream, "%s%*s", i == 0 ? "   " : " ", digits < 5 ? 8 : (int)digits + 3,
        explain_number(explain_answer(lesson, trace, i / lesson->outputs, (uint32_t)(i % lesson->outputs)), digits, b));
  (void)fprintf(stream, "\n");
  return MLPD_OK;
}

static void print_columns(const explain_lesson *lesson, FILE *stream) {
  (void)fprintf(stream, "\n5. Step after step\n\n      step%s             C%s%s\n",
                explain_has_schedule(lesson) ? "           eta" : "",
                explain_has_average(lesson) ? "   C of avg(W)" : "",
                shows_outputs(lesson) ? "   Yhat, row after row" : "");
}

/* The steps after the first, which step has taken. */
static mlpd_status print_steps(const explain_lesson *lesson, uint64_t steps, explain_step *step, FILE *stream) {
  mlpd_status status = MLPD_OK;
  for (uint64_t s = 2; s <= steps && status == MLPD_OK; s++) {
    const double lr = mlpd_descent_lr(step->descent);
    step_after(lesson, s, &step->trace_after, step);
    mlpd_trace_free(&step->trace_after);
    status = make_trace(lesson, step->after, s, &step->trace_after);
    if (status == MLPD_OK) status = check_finite(s, &step->trace_after);
    if (status == MLPD_OK && is_shown(s, steps)) status = print_row(lesson, s, &step->trace_after, lr, step, stream);
  }
  return status;
}

mlpd_status explain_steps(const explain_lesson *lesson, explain_step *step, FILE *stream) {
  const uint64_t shown = lesson->settings.shown;
  const uint64_t steps = lesson->settings.steps > shown ? lesson->settings.steps : shown;
  mlpd_status status = check_finite(shown - 1, &step->trace);
  if (status == MLPD_OK) status = check_finite(shown, &step->trace_after);
  if (steps == 1 || status != MLPD_OK) return status;
  if (shown > 1) {
    explain_step_free(step);
    status = explain_step_make(lesson, 1, step);
    if (status != MLPD_OK) return status;
  }
  print_columns(lesson, stream);
  status = print_row(lesson, 0, &step->trace, 0, step, stream);
  if (status == MLPD_OK) status = print_row(lesson, 1, &step->trace_after, step->lr, step, stream);
  return status == MLPD_OK ? print_steps(lesson, steps, step, stream) : status;
}
