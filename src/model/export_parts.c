/* What the formats of an export have in common. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/export.h"
#include "network/layer_kind.h"

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
