/* A model as JSON. Numbers have as many digits as give back the same float (9) or double (17). */
#include <stdlib.h>
#include <string.h>

#include "data/column_curves.h"
#include "export/export.h"
#include "model/model_output.h"
#include "network/layer_kind.h"

void export_json_text(FILE *stream, const char *text) {
  char *const utf8 = export_utf8(text);
  (void)fputc('"', stream);
  for (const char *c = utf8 != NULL ? utf8 : ""; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\') (void)fputc('\\', stream);
    if ((unsigned char)*c < ' ' || *c == 127)
      (void)fprintf(stream, "\\u%04x", *c);
    else
      (void)fputc(*c, stream);
  }
  (void)fputc('"', stream);
  free(utf8);
}

static void write_member(FILE *stream, const char *indent, const char *name, const char *text) {
  (void)fprintf(stream, "%s\"%s\": ", indent, name);
  export_json_text(stream, text);
  (void)fputs(",\n", stream);
}

/* NULL: nothing is written. */
static void write_optional(FILE *stream, const char *indent, const char *name, const char *text) {
  if (text != NULL) write_member(stream, indent, name, text);
}

static void write_names(FILE *stream, const char *name, const name_list *list) {
  if (list->count == 0) return;
  (void)fprintf(stream, "    \"%s\": [", name);
  for (uint64_t i = 0; i < list->count; i++) {
    if (i > 0) (void)fputs(", ", stream);
    export_json_text(stream, list->names[i]);
  }
  (void)fputs("],\n", stream);
}

static void write_doubles(FILE *stream, const char *name, uint32_t n, const double *values, const char *end) {
  (void)fprintf(stream, "    \"%s\": [", name);
  for (uint32_t i = 0; i < n; i++) (void)fprintf(stream, "%s%.17g", i > 0 ? ", " : "", values[i]);
  (void)fprintf(stream, "]%s", end);
}

static void write_affine(FILE *stream, const affine *a) {
  write_doubles(stream, "shift", a->columns, a->shift, ",\n");
  write_doubles(stream, "scale", a->columns, a->scale, "\n");
}

/* The knots of each column; none of those that shift and scale map. */
static void write_curves(FILE *stream, const column_curves *c) {
  (void)fputs("    \"curves\": [\n", stream);
  for (uint32_t j = 0; j < c->columns; j++) {
    const uint64_t first = c->first[j];
    const uint32_t n = (uint32_t)(c->first[j + 1] - first);
    (void)fputs("    {\n", stream);
    write_doubles(stream, "x", n, c->x + first, ",\n");
    write_doubles(stream, "z", n, c->z + first, "\n");
    (void)fprintf(stream, "    }%s\n", j + 1 < c->columns ? "," : "");
  }
  (void)fputs("    ],\n", stream);
}

/* What column_codes.h says of each column. */
static void write_codes(FILE *stream, const mlpd_model *model) {
  const column_codes *const c = &model->codes;
  const uint32_t n = c->about.count;
  if (c->about.missing) (void)fputs("    \"missing\": true,\n", stream);
  (void)fputs("    \"columns\": [\n", stream);
  for (uint32_t j = 0; j < n; j++) {
    (void)fprintf(stream, "      {\"kind\": \"%s\", \"marked\": %s", column_kind_name(c->about.kinds[j]),
                  c->marked[j] ? "true" : "false");
    if (c->embedded[j]) (void)fputs(", \"embedded\": true", stream);
    if (c->about.kinds[j] != COLUMN_KIND_CATEGORY)
      (void)fprintf(stream, ", \"fill\": %.17g", export_fill(model, j));
    else
      (void)fputs(", \"categories\": [", stream);
    for (uint64_t k = c->first[j]; k < c->first[j + 1]; k++) {
      (void)fputs(k > c->first[j] ? ", [" : "[", stream);
      export_json_text(stream, c->about.categories[j].names[k - c->first[j]]);
      (void)fprintf(stream, ", %d]", c->inputs[k]);
    }
    (void)fprintf(stream, "%s}%s\n", c->about.kinds[j] == COLUMN_KIND_CATEGORY ? "]" : "", j + 1 < n ? "," : "");
  }
  (void)fputs("    ],\n", stream);
}

static void write_row(FILE *stream, uint32_t columns, const float *row) {
  (void)fputc('[', stream);
  for (uint32_t j = 0; j < columns; j++) (void)fprintf(stream, "%s%.9g", j > 0 ? ", " : "", (double)row[j]);
  (void)fputc(']', stream);
}

static mlpd_status write_tensor(FILE *stream, const mlpd_network *network, uint32_t l, uint32_t i) {
  const tensor *const t = layer_tensor(network, l, i);
  float *values = NULL;
  TRY(export_values(network, l, i, &values));
  (void)fprintf(stream, ",\n      \"%s\": ", t->name);
  if (t->vector) {
    write_row(stream, t->columns, values);
  } else {
    for (uint32_t r = 0; r < t->rows; r++) {
      (void)fputs(r == 0 ? "[" : ",\n        ", stream);
      write_row(stream, t->columns, values + (size_t)r * t->columns);
    }
    (void)fputc(']', stream);
  }
  free(values);
  return MLPD_OK;
}

static void write_sizes(FILE *stream, const layer *shape) {
  (void)fprintf(stream, ",\n      \"width\": %u, \"sizes\": [", shape->width);
  for (uint32_t i = 0; i < shape->inputs; i++) (void)fprintf(stream, "%s%u", i > 0 ? ", " : "", shape->sizes[i]);
  (void)fputc(']', stream);
}

static mlpd_status write_layers(FILE *stream, const mlpd_network *network, bool whole) {
  (void)fputs("  \"layers\": [\n", stream);
  for (uint32_t l = 0; l < network->num_layers; l++) {
    const layer *const shape = &network->layers[l];
    (void)fprintf(stream, "    {\"kind\": \"%s\", \"inputs\": %u, \"outputs\": %u, \"activation\": \"%s\"",
                  shape->kind->name, shape->inputs, shape->outputs,
                  mlpd_choice_name(mlpd_activation_choices, (int)shape->activation));
    if (shape->kind == &layer_fan_out || shape->kind == &layer_fork)
      (void)fprintf(stream, ", \"members\": %u", shape->copies);
    if (shape->kind->expands) write_sizes(stream, shape);
    if (!whole && shape->kind == &layer_fork)
      (void)fprintf(stream, ", \"scaled\": %s", shape->num_tensors > 0 ? "true" : "false");
    if (!whole && shape->kind == &layer_dense)
      (void)fprintf(stream, ", \"biased\": %s", shape->num_tensors > 1 ? "true" : "false");
    for (uint32_t i = 0; i < shape->num_tensors && (whole || !export_onnx_holds(shape)); i++)
      TRY(write_tensor(stream, network, l, i));
    (void)fputs(l + 1 < network->num_layers ? "},\n" : "}\n", stream);
  }
  (void)fputs("  ],\n", stream);
  return MLPD_OK;
}

/* Where a target has several outputs. */
static void write_output_names(FILE *stream, const mlpd_model *model) {
  char name[MODEL_OUTPUT_BYTES];
  if (loss_outputs(&model->loss) == 1) return;
  (void)fputs("    \"columns\": [", stream);
  for (uint32_t k = 0; k < network_output(model->network)->outputs; k++) {
    model_output_name(model, k, name);
    if (k > 0) (void)fputs(", ", stream);
    export_json_text(stream, name);
  }
  (void)fputs("],\n", stream);
}

/* What the text of the loss rounds. */
static void write_loss(FILE *stream, const loss_spec *loss) {
  char text[LOSS_TEXT_BYTES];
  loss_describe(loss, text);
  write_member(stream, "  ", "loss", text);
  if (loss->smoothing > 0) (void)fprintf(stream, "  \"label_smoothing\": %.9g,\n", (double)loss->smoothing);
  if (loss->gamma > 0) (void)fprintf(stream, "  \"focal_gamma\": %.9g,\n", (double)loss->gamma);
  if (loss->num_quantiles == 0) return;
  (void)fputs("  \"quantiles\": ", stream);
  write_row(stream, loss->num_quantiles, loss->quantiles);
  (void)fputs(",\n", stream);
}

static void write_input(FILE *stream, const mlpd_model *model) {
  (void)fputs("  \"input\": {\n", stream);
  write_names(stream, "names", &model->names.columns);
  write_names(stream, "left_out", &model->names.left_out);
  if (model->codes.about.count > 0) write_codes(stream, model);
  if (model->input.limit > 0) (void)fprintf(stream, "    \"clip\": %.17g,\n", model->input.limit);
  if (model->input.curves != NULL) write_curves(stream, model->input.curves);
  write_affine(stream, &model->input);
  (void)fputs("  },\n", stream);
}

static void write_output(FILE *stream, const mlpd_model *model) {
  const bool values = model->task == MLPD_REGRESSION;
  (void)fputs("  \"output\": {\n", stream);
  if (!values) write_names(stream, "classes", &model->names.classes);
  if (!values && model->names.labels.count > 0) write_names(stream, "labels", &model->names.labels);
  write_names(stream, "targets", &model->names.targets);
  if (values) write_output_names(stream, model);
  (void)fprintf(stream, "    \"values\": %u%s\n", network_output(model->network)->outputs, values ? "," : "");
  if (model->least != NULL) write_doubles(stream, "minimum", model->target.columns, model->least, ",\n");
  if (model->least != NULL) write_doubles(stream, "maximum", model->target.columns, model->most, ",\n");
  if (values) write_affine(stream, &model->target);
  (void)fputs("  }\n", stream);
}

mlpd_status export_describe(const mlpd_model *model, const char *digest, bool whole, FILE *stream) {
  char *config = NULL;
  TRY(export_config(model, &config));
  (void)fputs("{\n", stream);
  write_member(stream, "  ", "format", "mlpdist model 1");
  write_member(stream, "  ", "version", MLPD_VERSION);
  write_member(stream, "  ", "task", mlpd_choice_name(mlpd_task_choices, (int)model->task));
  write_loss(stream, &model->loss);
  write_member(stream, "  ", "digest", digest);
  write_optional(stream, "  ", "table", model->table);
  write_optional(stream, "  ", "config", config);
  free(config);
  write_input(stream, model);
  TRY(write_layers(stream, model->network, whole));
  write_output(stream, model);
  (void)fputs("}\n", stream);
  return MLPD_OK;
}

mlpd_status export_json(const mlpd_model *model, const char *digest, const char *path, FILE *stream) {
  (void)path;
  return export_describe(model, digest, true, stream);
}
