/* The range that predicted values are clamped to. Nothing here is collective. */
#ifndef MLPDIST_MODEL_CLAMP_H
#define MLPDIST_MODEL_CLAMP_H

#include "model/model.h"

/* Predictions are clamped to [least, most] (targets), copied, from now on. After the target map is settled. */
mlpd_status model_clamp(mlpd_model *model, const double *least, const double *most);

#endif
