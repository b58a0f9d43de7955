/* What the file and the options alone say of the scales of columns. */
#include "prepare/column_scales.h"

mlpd_normalize column_scales_kind(const part *train) {
  if (train->image) return MLPD_NORMALIZE_SCALE;
  return column_scales_table(train) ? MLPD_NORMALIZE_MIXED : MLPD_NORMALIZE_AUTO;
}

bool column_scales_table(const part *train) { return !train->image && (train->type != ELEMENT_U8 || train->table); }

bool column_scales_deviations(const preparation *p) {
  const mlpd_normalize kind = p->options.normalize;
  return kind == MLPD_NORMALIZE_STANDARD || kind == MLPD_NORMALIZE_MIXED || kind == MLPD_NORMALIZE_AUTO;
}

bool column_scales_targets(const preparation *p) {
  return p->options.task == MLPD_REGRESSION && p->options.output_activation == MLPD_IDENTITY &&
         p->options.normalize_targets != MLPD_NORMALIZE_NONE;
}
