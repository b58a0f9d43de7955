#include "program/explain_page.h"

#include <string.h>

mlpd_layer_view explain_layer(const explain_page *page, uint32_t l) {
  return mlpd_network_layer(page->step->before, l);
}

bool explain_is_kind(const explain_page *page, uint32_t l, const char *kind) {
  return strcmp(explain_layer(page, l).kind, kind) == 0;
}

uint32_t explain_layers(const explain_page *page) { return mlpd_network_num_layers(page->step->before); }

uint32_t explain_layer_number(const explain_page *page, uint32_t l) {
  uint32_t number = 0;
  for (uint32_t i = 0; i <= l; i++) number += explain_is_kind(page, i, "dense");
  return number;
}

static bool is_norm(const explain_page *page, uint32_t l) {
  return explain_is_kind(page, l, "layer-norm") || explain_is_kind(page, l, "batch-norm");
}

static bool is_last(const explain_page *page, uint32_t l) { return l + 1 == explain_layers(page); }

bool explain_is_normed(const explain_page *page, uint32_t l) {
  return explain_is_kind(page, l, "dense") && !is_last(page, l) && is_norm(page, l + 1);
}

bool explain_activates(const explain_page *page, uint32_t l) {
  return is_norm(page, l) || (explain_is_kind(page, l, "dense") && !explain_is_normed(page, l));
}

const char *explain_activation_name(const explain_page *page, uint32_t l) {
  return mlpd_choice_name(mlpd_activation_choices, (int)explain_layer(page, l).activation);
}

/* ---- Names ------------------------------------------------------------------------------------------- */

/* What a layer on the inputs gives. */
static const char *name_on_inputs(const explain_page *page, uint32_t l) {
  static const char *const names[][2] = {
      {"noise", "Xn"}, {"dropout", "Xd"}, {"scale", "Xs"}, {"periodic", "Xe"}, {"piecewise", "Xe"}};
  uint32_t i = 0;
  while (!explain_is_kind(page, l, names[i][0])) i++;
  return names[i][1];
}

const char *explain_output_name(const explain_page *page, uint32_t l, char name[EXPLAIN_NAME]) {
  const uint32_t number = explain_layer_number(page, l);
  if (number == 0)
    (void)snprintf(name, EXPLAIN_NAME, "%s", name_on_inputs(page, l));
  else if (is_last(page, l))
    (void)snprintf(name, EXPLAIN_NAME, "Yhat");
  else
    (void)snprintf(name, EXPLAIN_NAME, "%c%u",
                   explain_activates(page, l)   ? 'H'
                   : explain_is_normed(page, l) ? 'U'
                                                : 'D',
                   number);
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

/* Inputs that are several values each. */
static bool is_expanded(const explain_page *page, uint32_t l) {
  return explain_layer_number(page, l) == 0 && explain_layer(page, l).outputs != page->lesson->inputs;
}

void explain_print_samples(const explain_page *page, const char *formula, uint32_t l, const float *values) {
  const uint32_t columns = explain_layer(page, l).outputs;
  const explain_matrix matrix = {values, page->lesson->n, columns, columns};
  if (is_expanded(page, l))
    explain_print_folding(page, formula, matrix);
  else
    explain_print(page, formula, matrix);
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
