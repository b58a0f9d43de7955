#include "prepare/column_inputs.h"

const double *column_inputs_fill(const preparation *p) {
  const column_codes *const codes = &p->model->codes;
  for (uint32_t j = 0; j < codes->about.count; j++)
    if (codes->marked[j] && codes->about.kinds[j] != COLUMN_KIND_CATEGORY) return codes->fill;
  return NULL;
}
