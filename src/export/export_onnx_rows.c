#include "export/export_onnx_rows.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/export.h"
#include "model/model_output.h"
#include "network/layer_kind.h"

/* Float keeps a value to 2^-24 of its size: beyond this ratio of size to deviation, to less than 1/4000 of a deviation.
 */
static const double MOST_RATIO = 4096;

/* The rest of a shift beside float matters from this part of a deviation on. */
static const double LEAST_REST = 1.0 / (1 << 22);

static bool is_float(double value) {
  const double size = fabs(value);
  return size == 0 || (size >= FLT_MIN && size <= FLT_MAX);
}

/* Does a curve change by more than this part of a deviation where a knot is rounded to float? */
static bool is_steep(const column_curves *c, uint32_t j) {
  for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++) {
    const double x = c->x[k], rest = fabs(x) * (FLT_EPSILON / 2);
    if (!is_float(x) || (column_curves_map(c, j, x + rest) - column_curves_map(c, j, x - rest)) * MOST_RATIO > 1)
      return true;
  }
  return false;
}

/* Is float too short for raw values of column j? */
static bool needs_double(const affine *a, uint32_t j) {
  if (a->curves != NULL && column_curves_has(a->curves, j)) return is_steep(a->curves, j);
  return !is_float(a->shift[j]) || !is_float(a->scale[j]) || (a->scale[j] != 0 && !is_float(1 / a->scale[j])) ||
         fabs(a->shift[j] * a->scale[j]) > MOST_RATIO;
}

onnx_type export_onnx_type(const affine *a) {
  for (uint32_t j = 0; j < a->columns; j++)
    if (needs_double(a, j)) return ONNX_DOUBLE;
  return ONNX_FLOAT;
}

/* ---- Numbers ----------------------------------------------------------------------------------------- */

static bool all_equal(uint32_t n, const double *values, double value) {
  for (uint32_t i = 0; i < n; i++)
    if (values[i] != value) return false;
  return true;
}

/* (x - shift) scale, for n columns. A shift is subtracted in two parts where float is too short for it: the difference
 * of two floats near to each other is exact. room (2 n) */
static void add_normalisation(onnx_graph *g, uint32_t n, const double *shift, const double *scale, double *room) {
  double *const coarse = room, *const rest = room + n;
  double most = 0;
  for (uint32_t i = 0; i < n; i++) {
    coarse[i] = (double)(float)shift[i];
    rest[i] = shift[i] - coarse[i];
    if (!isfinite(coarse[i])) {
      coarse[i] = shift[i];
      rest[i] = 0;
    }
    most = fmax(most, fabs(rest[i] * scale[i]));
  }
  if (!all_equal(n, coarse, 0)) onnx_apply(g, "Sub", onnx_vector(g, "shift", n, coarse).text);
  if (most > LEAST_REST) onnx_apply(g, "Sub", onnx_vector(g, "shift_rest", n, rest).text);
  if (!all_equal(n, scale, 1)) onnx_apply(g, "Mul", onnx_vector(g, "scale", n, scale).text);
}

/* As vector_squash, for values up to 1e18 limits: of larger ones float does not hold the square. (OpenCV 4.6
 * knows no Max, Min or Clip with a constant, which could bound them first.) */
static void add_clip(onnx_graph *g, double limit) {
  const onnx_name value = g->value;
  if (!(limit > 0)) return;
  onnx_apply(g, "Div", onnx_scalar(g, "limit", limit).text);
  onnx_apply(g, "Mul", g->value.text);
  onnx_apply(g, "Add", onnx_scalar(g, "one", 1).text);
  onnx_apply(g, "Sqrt", NULL);
  onnx_operator(g, "Div", value.text, g->value.text, NULL);
}

/* ---- Categories and missing values ------------------------------------------------------------------- */

static void plan_free(onnx_inputs *p) {
  free(p->source);
  free(p->fill);
  free(p->is_number);
}

static mlpd_status plan_create(uint32_t width, onnx_inputs *p) {
  *p = (onnx_inputs){.width = width};
  mlpd_status status = memory_allocate(&p->source, width, sizeof *p->source, "codes of columns");
  if (status == MLPD_OK) status = memory_allocate(&p->fill, 6 * (size_t)width, sizeof *p->fill, "codes of columns");
  if (status == MLPD_OK) status = memory_allocate(&p->is_number, width, 1, "codes of columns");
  if (status != MLPD_OK) return plan_free(p), status;
  p->shift = p->fill + width;
  p->scale = p->shift + width;
  p->code = p->scale + width;
  p->room = p->code + width;
  return MLPD_OK;
}

/* What a missing number counts as beside its mark: a number that no column holds. */
static const double MISSING_NUMBER = -FLT_MAX;

/* Where the inputs of each column begin (columns + 1), with those of embedded ones one-hot: the network's first product
 * makes values of them. */
static mlpd_status find_begins(const column_codes *c, uint32_t **begin) {
  TRY(memory_allocate(begin, (size_t)c->about.count + 1, sizeof **begin, "codes of columns"));
  for (uint32_t j = 0; j < c->about.count; j++)
    (*begin)[j + 1] = (*begin)[j] + (c->embedded[j] ? c->known[j] + c->marked[j] : c->begin[j + 1] - c->begin[j]);
  return MLPD_OK;
}

uint32_t export_onnx_columns(const layer *of) {
  uint32_t columns = of->inputs;
  for (uint32_t i = 0; of->kind == &layer_embed && i < of->inputs; i++)
    if (of->sizes[i] > 0) columns += of->sizes[i] - 1;
  return columns;
}

static void plan_column(const mlpd_model *model, const uint32_t *begins, uint32_t j, onnx_inputs *p) {
  const column_codes *const c = &model->codes;
  const uint32_t begin = begins[j], end = begins[j + 1];
  const bool is_category = c->about.kinds[j] == COLUMN_KIND_CATEGORY;
  for (uint32_t i = begin; i < end; i++) {
    p->source[i] = j;
    p->fill[i] = p->code[i] = is_category ? CATEGORY_MISSING : MISSING_NUMBER; /* of the mark */
    p->shift[i] = 0;
    p->scale[i] = 1;
  }
  for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++)
    if (c->inputs[k] >= 0) p->code[begin + (uint32_t)c->inputs[k]] = (double)(k - c->first[j]);
  if (is_category) return;
  p->is_number[begin] = 1;
  p->fill[begin] = export_fill(model, j);
  p->shift[begin] = model->input.shift[j];
  p->scale[begin] = model->input.scale[j];
}

/* Inputs that are the columns. */
static void plan_plain(const affine *a, onnx_inputs *p) {
  for (uint32_t j = 0; j < a->columns; j++) {
    p->source[j] = j;
    p->shift[j] = a->shift[j];
    p->scale[j] = a->scale[j];
    p->is_number[j] = 1;
  }
}

static mlpd_status add_numbers(onnx_graph *g, const affine *a, const onnx_inputs *p) {
  if (a->curves != NULL)
    TRY(export_onnx_curves(g, a->curves, p));
  else
    add_normalisation(g, p->width, p->shift, p->scale, p->room);
  add_clip(g, a->limit);
  return MLPD_OK;
}

/* A code is compared with a number that the runtime took from the same float or double. */
static mlpd_status add_codes(onnx_graph *g, const affine *a, const onnx_inputs *p) {
  const uint32_t n = p->width;
  export_onnx_gather(g, "columns", n, p->source);
  const onnx_name raw = g->value, fill = onnx_vector(g, "fill", n, p->fill);
  onnx_apply(g, "IsNaN", NULL);
  onnx_operator(g, "Where", g->value.text, fill.text, raw.text);
  const onnx_name filled = g->value;
  onnx_apply(g, "Equal", onnx_vector(g, "code", n, p->code).text);
  const onnx_name is_code = g->value;
  g->value = filled;
  TRY(add_numbers(g, a, p));
  const onnx_name numbers = g->value;
  onnx_operator(g, "Cast", is_code.text, NULL, NULL);
  onnx_set_integer(g, "to", g->type);
  onnx_operator(g, "Where", onnx_array(g, "is_number", ONNX_BOOL, 1, n, 0, p->is_number).text, numbers.text,
                g->value.text);
  return MLPD_OK;
}

static mlpd_status plan_codes(const mlpd_model *model, onnx_inputs *p) {
  const uint32_t columns = model->input.columns;
  uint32_t *begins = NULL;
  TRY(find_begins(&model->codes, &begins));
  const mlpd_status status = plan_create(begins[columns], p);
  for (uint32_t j = 0; j < columns && status == MLPD_OK; j++) plan_column(model, begins, j, p);
  free(begins);
  return status;
}

mlpd_status export_onnx_input(onnx_graph *g, const mlpd_model *model, const char *x) {
  const affine *const a = &model->input;
  mlpd_status status = MLPD_OK;
  onnx_inputs plan;
  onnx_scope(g, "input");
  g->type = export_onnx_type(a);
  (void)snprintf(g->value.text, sizeof g->value.text, "%s", x);
  if (export_has_codes(model)) {
    TRY(plan_codes(model, &plan));
    status = add_codes(g, a, &plan);
  } else {
    TRY(plan_create(a->columns, &plan));
    plan_plain(a, &plan);
    status = add_numbers(g, a, &plan);
  }
  plan_free(&plan);
  if (status == MLPD_OK) onnx_cast(g, ONNX_FLOAT);
  return status;
}

/* ---- Targets ----------------------------------------------------------------------------------------- */

/* Where the loss has a variance: its logarithm becomes the deviation. */
static mlpd_status add_deviations(onnx_graph *g, uint32_t n) {
  unsigned char *is_deviation = NULL;
  TRY(memory_allocate(&is_deviation, n, 1, "outputs"));
  for (uint32_t k = 0; k < n; k++) is_deviation[k] = k % 2;
  const onnx_name z = g->value, which = onnx_array(g, "is_deviation", ONNX_BOOL, 1, n, 0, is_deviation);
  free(is_deviation);
  onnx_apply(g, "Mul", onnx_scalar(g, "half", 0.5).text);
  onnx_apply(g, "Exp", NULL);
  onnx_operator(g, "Where", which.text, g->value.text, z.text);
  return MLPD_OK;
}

/* A deviation is not clamped. */
static mlpd_status add_clamp(onnx_graph *g, const mlpd_model *model, uint32_t n) {
  const uint32_t each = loss_outputs(&model->loss);
  double *least = NULL;
  TRY(memory_allocate(&least, 2 * (size_t)n, sizeof *least, "outputs"));
  double *const most = least + n;
  for (uint32_t k = 0; k < n; k++) {
    const bool is_value = model->loss.kind != MLPD_GAUSSIAN || k % 2 == 0;
    least[k] = is_value ? model->least[k / each] : 0;
    most[k] = is_value ? model->most[k / each] : (double)FLT_MAX;
  }
  onnx_apply(g, "Max", onnx_vector(g, "minimum", n, least).text);
  onnx_apply(g, "Min", onnx_vector(g, "maximum", n, most).text);
  free(least);
  return MLPD_OK;
}

mlpd_status export_onnx_targets(onnx_graph *g, const mlpd_model *model) {
  const uint32_t n = network_output(model->network)->outputs;
  const bool has_deviations = model->loss.kind == MLPD_GAUSSIAN;
  double *unit = NULL;
  if (has_deviations) TRY(add_deviations(g, n));
  TRY(memory_allocate(&unit, 2 * (size_t)n, sizeof *unit, "outputs"));
  double *const shift = unit + n;
  for (uint32_t k = 0; k < n; k++) {
    unit[k] = model_output_unit(model, k);
    shift[k] = has_deviations && k % 2 == 1 ? 0 : model->target.shift[k / loss_outputs(&model->loss)];
  }
  onnx_cast(g, export_onnx_type(&model->target));
  if (!all_equal(n, unit, 1)) onnx_apply(g, "Mul", onnx_vector(g, "unit", n, unit).text);
  if (!all_equal(n, shift, 0)) onnx_apply(g, "Add", onnx_vector(g, "shift", n, shift).text);
  free(unit);
  return model->least != NULL ? add_clamp(g, model, n) : MLPD_OK;
}

/* ---- Metadata ---------------------------------------------------------------------------------------- */

static void add_entry(protobuf *to, const char *key, const char *value) {
  const size_t place = protobuf_open(to, ONNX_MODEL_METADATA);
  protobuf_text(to, ONNX_ENTRY_KEY, key);
  protobuf_text(to, ONNX_ENTRY_VALUE, value);
  protobuf_close(to, place);
}

static void write_list(FILE *stream, const name_list *list) {
  for (uint64_t i = 0; i < list->count; i++) {
    (void)fputs(i > 0 ? ", " : "[", stream);
    export_json_text(stream, list->names[i]);
  }
  (void)fputs(list->count > 0 ? "]" : "[]", stream);
}

/* For each column the texts that its codes 0, 1, ... stand for, or null: it is a number. */
static void write_categories(FILE *stream, const columns *about) {
  for (uint32_t j = 0; j < about->count; j++) {
    (void)fputs(j > 0 ? ", " : "[", stream);
    if (about->kinds[j] == COLUMN_KIND_CATEGORY)
      write_list(stream, &about->categories[j]);
    else
      (void)fputs("null", stream);
  }
  (void)fputs("]", stream);
}

static void write_output_names(FILE *stream, const mlpd_model *model) {
  char name[MODEL_OUTPUT_BYTES];
  for (uint32_t k = 0; k < network_output(model->network)->outputs; k++) {
    model_output_name(model, k, name);
    (void)fputs(k > 0 ? ", " : "[", stream);
    export_json_text(stream, name);
  }
  (void)fputs("]", stream);
}

typedef enum text_of { LIST_INPUTS, LIST_CATEGORIES, LIST_CLASSES, LIST_OUTPUTS, DESCRIPTION } text_of;

/* Lists of names, or the whole model but its weights, as JSON. */
static mlpd_status add_json(protobuf *to, const char *key, const mlpd_model *model, const char *digest, text_of what) {
  char *text = NULL;
  size_t bytes = 0;
  FILE *const stream = open_memstream(&text, &bytes);
  if (stream == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, exporting");
  if (what == LIST_INPUTS) write_list(stream, &model->names.columns);
  if (what == LIST_CATEGORIES) write_categories(stream, &model->codes.about);
  if (what == LIST_CLASSES) write_list(stream, &model->names.classes);
  if (what == LIST_OUTPUTS) write_output_names(stream, model);
  const mlpd_status status = what == DESCRIPTION ? export_describe(model, digest, false, stream) : MLPD_OK;
  const bool ok = fclose(stream) == 0;
  if (ok) add_entry(to, key, text);
  free(text);
  TRY(status);
  return ok ? MLPD_OK : FAIL(MLPD_ERROR_MEMORY, "out of memory, exporting");
}

mlpd_status export_onnx_about(protobuf *to, const mlpd_model *model, const char *digest) {
  char loss[LOSS_TEXT_BYTES];
  loss_describe(&model->loss, loss);
  add_entry(to, "digest", digest);
  add_entry(to, "task", mlpd_choice_name(mlpd_task_choices, (int)model->task));
  add_entry(to, "loss", loss);
  TRY(add_json(to, ONNX_DESCRIPTION, model, digest, DESCRIPTION));
  if (model->names.columns.count > 0) TRY(add_json(to, "input_names", model, digest, LIST_INPUTS));
  if (export_has_codes(model)) TRY(add_json(to, "input_categories", model, digest, LIST_CATEGORIES));
  if (model->task == MLPD_REGRESSION) return add_json(to, "output_names", model, digest, LIST_OUTPUTS);
  return model->names.classes.count > 0 ? add_json(to, "class_names", model, digest, LIST_CLASSES) : MLPD_OK;
}
