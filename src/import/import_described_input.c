#include "import/import_described_input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/column_curves.h"
#include "model/model_clamp.h"
#include "model/model_columns.h"
#include "model/model_curves.h"

/* ---- Values ------------------------------------------------------------------------------------------ */

mlpd_status described_fault(const char *what) {
  return FAIL(MLPD_ERROR_DATA, "%s: missing in the description of the model, or not possible", what);
}

mlpd_status described_count(const json_t *from, const char *key, uint32_t *count) {
  const double value = json_number_value(json_object_get(from, key));
  if (!(value >= 1 && value <= INT32_MAX)) return described_fault(key);
  *count = (uint32_t)value;
  return MLPD_OK;
}

mlpd_status described_choice(const json_t *from, const char *key, const mlpd_choice *choices, int *value) {
  const char *const name = json_string_value(json_object_get(from, key));
  return name != NULL && mlpd_choice_find(choices, name, value) ? MLPD_OK : described_fault(key);
}

mlpd_status described_numbers(const json_t *list, size_t count, double *values) {
  if (json_array_size(list) != count) return described_fault("a list of numbers");
  for (size_t i = 0; i < count; i++) {
    const json_t *const number = json_array_get(list, i);
    if (!json_is_number(number)) return described_fault("a list of numbers");
    values[i] = json_number_value(number);
  }
  return MLPD_OK;
}

/* A list of texts; without it there are no names. */
static mlpd_status read_names(const json_t *from, const char *key, name_list *list) {
  const json_t *const names = json_object_get(from, key);
  for (size_t i = 0; i < json_array_size(names); i++) {
    const char *const name = json_string_value(json_array_get(names, i));
    if (name == NULL) return described_fault(key);
    TRY(name_list_add(list, name));
  }
  return MLPD_OK;
}

static mlpd_status read_affine(const json_t *from, affine *a) {
  const json_t *const shift = json_object_get(from, "shift");
  const size_t columns = json_array_size(shift);
  if (columns == 0 || columns > INT32_MAX) return described_fault("shift");
  TRY(affine_create((uint32_t)columns, a));
  TRY(described_numbers(shift, columns, a->shift));
  TRY(described_numbers(json_object_get(from, "scale"), columns, a->scale));
  affine_settle(a);
  return MLPD_OK;
}

/* ---- Columns ----------------------------------------------------------------------------------------- */

/* The categories of a column: [name, place] each. */
static mlpd_status read_column(const json_t *from, uint32_t j, columns *about) {
  const json_t *const list = json_object_get(from, "categories");
  const char *const kind = json_string_value(json_object_get(from, "kind"));
  bool found = false;
  for (uint8_t k = 0; kind != NULL && k <= COLUMN_KIND_CATEGORY; k++) {
    if (strcmp(kind, column_kind_name(k)) != 0) continue;
    about->kinds[j] = k;
    found = true;
  }
  if (!found || json_array_size(list) > CATEGORIES_MOST) return described_fault("kind or categories of a column");
  for (size_t k = 0; k < json_array_size(list) && about->kinds[j] == COLUMN_KIND_CATEGORY; k++) {
    const char *const name = json_string_value(json_array_get(json_array_get(list, k), 0));
    if (name == NULL) return described_fault("a category");
    TRY(name_list_add(&about->categories[j], name));
  }
  return MLPD_OK;
}

static mlpd_status read_codes(const json_t *list, column_codes *c) {
  for (uint32_t j = 0; j < c->about.count; j++) {
    const json_t *const from = json_array_get(list, j), *const all = json_object_get(from, "categories");
    c->marked[j] = json_is_true(json_object_get(from, "marked"));
    c->embedded[j] = json_is_true(json_object_get(from, "embedded"));
    c->fill[j] = json_number_value(json_object_get(from, "fill"));
    for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++) {
      const double place = json_number_value(json_array_get(json_array_get(all, (size_t)(k - c->first[j])), 1));
      c->inputs[k] = place >= -1 && place <= CATEGORIES_MOST ? (int32_t)place : INT32_MIN;
    }
  }
  TRY(model_columns_check(c));
  column_codes_settle(c);
  return MLPD_OK;
}

static mlpd_status read_columns(const json_t *input, mlpd_model *model) {
  const json_t *const list = json_object_get(input, "columns");
  columns about;
  if (list == NULL) return MLPD_OK;
  if (json_array_size(list) != model->input.columns) return described_fault("columns");
  mlpd_status status = columns_create(model->input.columns, &about);
  about.missing = json_is_true(json_object_get(input, "missing"));
  for (uint32_t j = 0; status == MLPD_OK && j < about.count; j++)
    status = read_column(json_array_get(list, j), j, &about);
  if (status == MLPD_OK) status = column_codes_create(&about, &model->codes);
  columns_free(&about);
  TRY(status);
  TRY(read_codes(list, &model->codes));
  model->input.codes = &model->codes;
  return MLPD_OK;
}

/* ---- Curves ------------------------------------------------------------------------------------------ */

static mlpd_status read_knots(const json_t *list, column_curves *c) {
  for (uint32_t j = 0; j < c->columns; j++) {
    const json_t *const from = json_array_get(list, j), *const x = json_object_get(from, "x");
    const size_t count = json_array_size(x);
    c->first[j + 1] = c->first[j] + count;
    TRY(described_numbers(x, count, c->x + c->first[j]));
    TRY(described_numbers(json_object_get(from, "z"), count, c->z + c->first[j]));
  }
  column_curves_settle(c);
  return model_curves_check(c);
}

static mlpd_status read_curves(const json_t *input, affine *a) {
  const json_t *const list = json_object_get(input, "curves");
  column_curves curves;
  uint64_t knots = 0;
  if (list == NULL) return MLPD_OK;
  if (json_array_size(list) != a->columns) return described_fault("curves");
  for (uint32_t j = 0; j < a->columns; j++) knots += json_array_size(json_object_get(json_array_get(list, j), "x"));
  mlpd_status status = column_curves_create(a->columns, knots, &curves);
  if (status == MLPD_OK) status = read_knots(list, &curves);
  if (status == MLPD_OK) return affine_bend(a, &curves);
  column_curves_free(&curves);
  return status;
}

/* ---- Input and output -------------------------------------------------------------------------------- */

mlpd_status described_input(const json_t *input, mlpd_model *model) {
  const double limit = json_number_value(json_object_get(input, "clip"));
  if (!(limit >= 0 && limit <= 1e6)) return described_fault("clip");
  TRY(read_affine(input, &model->input));
  model->input.limit = limit;
  TRY(read_curves(input, &model->input));
  TRY(read_columns(input, model));
  TRY(read_names(input, "names", &model->names.columns));
  return read_names(input, "left_out", &model->names.left_out);
}

static mlpd_status read_bounds(const json_t *output, mlpd_model *model) {
  const json_t *const list = json_object_get(output, "minimum");
  const uint32_t n = model->target.columns;
  double *bounds = NULL;
  if (list == NULL) return MLPD_OK;
  TRY(memory_allocate(&bounds, 2 * (size_t)n, sizeof *bounds, "bounds of predictions"));
  mlpd_status status = described_numbers(list, n, bounds);
  if (status == MLPD_OK) status = described_numbers(json_object_get(output, "maximum"), n, bounds + n);
  for (uint32_t j = 0; j < n && status == MLPD_OK; j++)
    if (!(bounds[j] <= bounds[n + j])) status = described_fault("minimum");
  if (status == MLPD_OK) status = model_clamp(model, bounds, bounds + n);
  free(bounds);
  return status;
}

mlpd_status described_output(const json_t *output, mlpd_model *model) {
  TRY(read_names(output, "classes", &model->names.classes));
  TRY(read_names(output, "labels", &model->names.labels));
  TRY(read_names(output, "targets", &model->names.targets));
  if (model->task != MLPD_REGRESSION) return MLPD_OK;
  TRY(read_affine(output, &model->target));
  return read_bounds(output, model);
}
