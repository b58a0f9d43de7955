#include "explain/explain_page.h"

#include <string.h>

mlpd_layer_view explain_layer(const explain_page *page, uint32_t l) {
  return mlpd_network_layer(page->step->before, l);
}

bool explain_is_kind(const explain_page *page, uint32_t l, const char *kind) {
  return strcmp(explain_layer(page, l).kind, kind) == 0;
}

uint32_t explain_layers(const explain_page *page) { return mlpd_network_num_layers(page->step->before); }

static bool is_dense(const explain_page *page, uint32_t l) {
  return explain_is_kind(page, l, "dense") || explain_is_kind(page, l, "heads");
}

/* Above it rows are those of members. */
static bool is_fan(const explain_page *page, uint32_t l) {
  return explain_is_kind(page, l, "fan-out") || explain_is_kind(page, l, "fork");
}

uint32_t explain_layer_number(const explain_page *page, uint32_t l) {
  uint32_t number = 0;
  for (uint32_t i = 0; i <= l; i++) number += is_dense(page, i);
  return number;
}

uint64_t explain_rows(const explain_page *page, uint32_t l) {
  bool has_members = false;
  for (uint32_t i = 0; i <= l; i++) has_members = has_members || is_fan(page, i);
  return page->lesson->n * (has_members ? explain_members(page->lesson) : 1);
}

uint64_t explain_row(const explain_page *page, uint32_t l, uint64_t i) {
  const uint64_t n = page->lesson->n, members = explain_rows(page, l) / n;
  return i % n * members + i / n;
}

/* Norms have a gain. */
static bool is_norm(const explain_page *page, uint32_t l) {
  return explain_tensor(page->step->before, l, "gain").values != NULL;
}

static bool is_last(const explain_page *page, uint32_t l) { return l + 1 == explain_layers(page); }

bool explain_is_normed(const explain_page *page, uint32_t l) {
  return explain_is_kind(page, l, "dense") && !is_last(page, l) && is_norm(page, l + 1);
}

bool explain_activates(const explain_page *page, uint32_t l) {
  return is_norm(page, l) || (is_dense(page, l) && !explain_is_normed(page, l));
}

const char *explain_activation_name(const explain_page *page, uint32_t l) {
  return mlpd_choice_name(mlpd_activation_choices, (int)explain_layer(page, l).activation);
}

/* ---- Names ------------------------------------------------------------------------------------------- */

/* What a layer gives that is neither dense nor a norm: on the inputs ("Xd"), and above a dense layer ("D" of "D1"). */
static const struct {
  const char *kind, *on_inputs, *above;
} OUTPUTS[] = {{"noise", "Xn", ""},    {"dropout", "Xd", "D"},  {"scale", "Xs", ""},   {"embed", "Xc", ""},
               {"periodic", "Xe", ""}, {"piecewise", "Xe", ""}, {"fan-out", "Xk", ""}, {"fork", "Xk", ""}};

const char *explain_output_name(const explain_page *page, uint32_t l, char name[EXPLAIN_NAME]) {
  const uint32_t number = explain_layer_number(page, l);
  const char *letter = explain_activates(page, l) ? "H" : "U";
  for (size_t i = 0; i < sizeof OUTPUTS / sizeof *OUTPUTS; i++)
    if (explain_is_kind(page, l, OUTPUTS[i].kind)) letter = number == 0 ? OUTPUTS[i].on_inputs : OUTPUTS[i].above;
  if (number == 0)
    (void)snprintf(name, EXPLAIN_NAME, "%s", letter);
  else if (is_last(page, l))
    (void)snprintf(name, EXPLAIN_NAME, "Yhat");
  else
    (void)snprintf(name, EXPLAIN_NAME, "%s%u", letter, number);
  return name;
}

const char *explain_input_name(const explain_page *page, uint32_t l, char name[EXPLAIN_NAME]) {
  if (l > 0) return explain_output_name(page, l - 1, name);
  (void)snprintf(name, EXPLAIN_NAME, "X");
  return name;
}

const char *explain_delta_name(const explain_page *page, uint32_t l, char name[EXPLAIN_NAME]) {
  char output[EXPLAIN_NAME];
  if (explain_activates(page, l))
    (void)snprintf(name, EXPLAIN_NAME, "delta%u", explain_layer_number(page, l));
  else
    (void)snprintf(name, EXPLAIN_NAME, "dC/d%.16s", explain_output_name(page, l, output));
  return name;
}

/* ---- Matrices ---------------------------------------------------------------------------------------- */

const float *explain_input(const explain_page *page, uint32_t l) {
  return l == 0 ? page->lesson->x.values : page->step->trace.a[l - 1];
}

void explain_print(const explain_page *page, const char *formula, explain_matrix matrix) {
  explain_print_matrix(page->stream, page->lesson->settings.digits, formula, matrix);
}

void explain_print_folding(const explain_page *page, const char *formula, explain_matrix matrix) {
  explain_print_folded_matrix(page->stream, page->lesson->settings.digits, formula, matrix);
}

/* Inputs of which some are several values, or several columns. */
static bool is_expanded(const explain_page *page, uint32_t l) {
  const explain_lesson *const lesson = page->lesson;
  const bool has_more = lesson->categories != NULL || explain_layer(page, l).outputs != lesson->inputs;
  return explain_layer_number(page, l) == 0 && has_more;
}

/* An array of the trace. */
typedef struct layer_values {
  const explain_page *page;
  uint32_t l, columns;
  const float *values;
} layer_values;

static double value_at(const void *context, uint64_t i, uint32_t j) {
  const layer_values *const of = context;
  return (double)of->values[explain_row(of->page, of->l, i) * of->columns + j];
}

void explain_print_samples(const explain_page *page, const char *formula, uint32_t l, const float *values) {
  const layer_values of = {page, l, explain_layer(page, l).outputs, values};
  (is_expanded(page, l) ? explain_print_folded : explain_print_values)(
      page->stream, page->lesson->settings.digits, formula, explain_rows(page, l), of.columns, value_at, &of);
}

uint32_t explain_tensor_index(mlpd_network *network, uint32_t l, const char *name) {
  uint32_t i = 0;
  for (const char *at; (at = mlpd_network_tensor(network, l, i).name) != NULL && strcmp(at, name) != 0;) i++;
  return i;
}

explain_matrix explain_tensor(mlpd_network *network, uint32_t l, const char *name) {
  return explain_matrix_of(mlpd_network_tensor(network, l, explain_tensor_index(network, l, name)));
}

explain_matrix explain_gradient(const explain_page *page, uint32_t l, const char *name) {
  const uint32_t index = explain_tensor_index(page->step->before, l, name);
  return explain_matrix_of(mlpd_trace_gradient(&page->step->trace, page->step->before, l, index));
}
