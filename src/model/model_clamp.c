#include "model/model_clamp.h"

#include "base/memory.h"

mlpd_status model_clamp(mlpd_model *model, const double *least, const double *most) {
  const uint32_t n = model->target.columns;
  TRY(memory_allocate(&model->least, 2 * (size_t)n, sizeof *model->least, "bounds of predictions"));
  TRY(memory_allocate(&model->bounds, 2 * (size_t)n, sizeof *model->bounds, "bounds of predictions"));
  model->most = model->least + n;
  for (uint32_t j = 0; j < n; j++) {
    model->least[j] = least[j];
    model->most[j] = most[j];
    model->bounds[j] = affine_map(&model->target, j, least[j]);
    model->bounds[n + j] = affine_map(&model->target, j, most[j]);
  }
  model->loss.least = model->bounds;
  model->loss.most = model->bounds + n;
  return MLPD_OK;
}
