/* What the formats of an export have in common. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/export.h"
#include "network/layer_kind.h"
#include "options/option.h"

mlpd_status export_values(const mlpd_network *network, uint32_t l, uint32_t i, float **values) {
  const tensor *const t = layer_tensor(network, l, i);
  const size_t row = t->columns;
  TRY(memory_allocate(values, t->rows * row, sizeof **values, "weights"));
  for (size_t r = 0; r < t->rows; r++)
    memcpy(*values + r * row, layer_values(network, l, i) + r * t->stride, row * sizeof **values);
  return MLPD_OK;
}

double export_fill(const mlpd_model *model, uint32_t column) {
  const double fill = model->codes.fill[column];
  return isfinite(fill) ? fill : 0;
}

const char *export_outputs(const mlpd_model *model, const name_list **names) {
  const bool classes = model->task == MLPD_CLASSIFICATION;
  *names = classes ? &model->names.classes : &model->names.targets;
  if ((*names)->count == 0) return NULL;
  return classes ? "classes" : "targets";
}

char *export_utf8(const char *text) {
  const size_t bytes = 3 * strlen(text) + 1;
  char *const copy = malloc(bytes);
  if (copy != NULL) mlpd_text_utf8(text, copy, bytes);
  return copy;
}

bool export_onnx_holds(const layer *shape) { return !shape->kind->expands && shape->kind->affine == NULL; }

/* ---- Options of the training -------------------------------------------------------------------------- */

static bool has_kind(const mlpd_network *network, const layer_kind *kind) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].kind == kind) return true;
  return false;
}

/* A fork holds the scale of each member. */
static bool has_scale(const mlpd_network *network) {
  for (uint32_t l = 0; l < network->num_layers; l++)
    if (network->layers[l].kind == &layer_fork && network->layers[l].num_tensors > 0) return true;
  return has_kind(network, &layer_scale);
}

/* The row of the option that a line of a config sets; NULL: none. */
static const mlpd_option *row_of(const char *line, size_t length) {
  for (const mlpd_option *row = mlpd_train_option_table; row->name != NULL; row++) {
    const size_t name = strlen(row->name);
    if (length > name && strncmp(line, row->name, name) == 0 && strncmp(line + name, " =", 2) == 0) return row;
  }
  return NULL;
}

static void write_option(const mlpd_model *model, const char *line, size_t length, FILE *stream) {
  const mlpd_option *const row = row_of(line, length);
  char value[64];
  if (row == NULL && line[0] == '#') return;
  if (row != NULL && row->type == MLPD_OPTION_PATH) return;
  if (row != NULL && strcmp(row->name, "norm") == 0 && option_config_value(line, "norm", value, sizeof value) &&
      strcmp(value, "batch") == 0 && !has_kind(model->network, &layer_batch_norm))
    (void)fputs("norm = none\n", stream);
  else if (row != NULL && strcmp(row->name, "input-scale") == 0 && !has_scale(model->network))
    (void)fputs("input-scale = 0\n", stream);
  else
    (void)fprintf(stream, "%.*s\n", (int)length, line);
}

mlpd_status export_config(const mlpd_model *model, char **config) {
  size_t bytes = 0;
  *config = NULL;
  if (model->config == NULL) return MLPD_OK;
  FILE *const stream = open_memstream(config, &bytes);
  if (stream == NULL) return FAIL(MLPD_ERROR_MEMORY, "out of memory, exporting");
  for (const char *line = model->config; *line != '\0';) {
    const size_t length = strcspn(line, "\n");
    write_option(model, line, length, stream);
    line += length + (line[length] == '\n');
  }
  return fclose(stream) == 0 ? MLPD_OK : FAIL(MLPD_ERROR_MEMORY, "out of memory, exporting");
}
