/* The ranks that evaluate or predict compare their models. */
#ifndef MLPDIST_MODEL_AGREEMENT_H
#define MLPDIST_MODEL_AGREEMENT_H

#include "kernels/backend.h"

/* agreement_of_process before a model computes on a part; model must be one model. Collective. */
mlpd_status model_agreement_check(mlpd_comm *comm, const backend *gemm, const mlpd_model *model,
                                  const mlpd_data_paths *data, mlpd_split split);

#endif
